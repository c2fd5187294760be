// What a run measures of its weights while it trains: the struct and its options.
#pragma once

#include <cstdint>

namespace basin::apps {

class OptionTable;

struct MeasureConfig {
  std::int64_t eval_every = 1;         // epochs
  std::int64_t hessian_every = 0;      // epochs; 0: never
  std::int64_t hessian_images = 1000;  // of the training images
};

/// Adds the group "What is measured on the way".
void add(OptionTable& table, MeasureConfig& config);

}  // namespace basin::apps
