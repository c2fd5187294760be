// Trace: which modules ran in a forward pass, and the shapes that went through them.
#pragma once

#include <vector>

#include "core/shape.h"

namespace basin::nn {

class Module;

/// Collects one entry per module call during a forward pass, outermost last.
class Trace {
 public:
  struct Entry {
    const Module* module;
    Shape in, out;
  };
  void record(const Module& module, const Shape& in, const Shape& out) {
    entries_.push_back({&module, in, out});
  }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace basin::nn
