// What `basin bench` is told: the struct and its options.
#pragma once

#include <cstdint>
#include <string>

#include "apps/config/device.h"
#include "apps/config/model.h"

namespace basin::apps {

class OptionTable;

struct BenchConfig {
  std::string rules;  // names between commas; empty: the subject's own choice
  ModelConfig model;
  std::int64_t image_size = 32;
  std::int64_t batch_size = 128;
  std::string augment = "none";  // of `step`, as in DataConfig; none: one batch, prepared beforehand
  std::int64_t workers = 2;
  std::int64_t rounds = 5;
  std::int64_t steps = 10;
  DeviceConfig device;
};

/// Adds the group "What is measured".
void add(OptionTable& table, BenchConfig& bench);

}  // namespace basin::apps
