// A scope that checks that no history and no numbers outlive it.
#pragma once

#include <doctest/doctest.h>

#include "autograd/node.h"

namespace basin {

class NoLeaks {
 public:
  NoLeaks() : storages_(Storage::live_count()), nodes_(Node::live_count()) {}
  ~NoLeaks() {
    CHECK(Storage::live_count() == storages_);
    CHECK(Node::live_count() == nodes_);
  }
  NoLeaks(const NoLeaks&) = delete;
  NoLeaks& operator=(const NoLeaks&) = delete;

 private:
  std::int64_t storages_, nodes_;
};

}  // namespace basin
