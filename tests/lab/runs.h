// A small trained run for the laboratory's tests, and a subject opened from it.
#pragma once

#include <string>

#include "apps/lab/subject.h"
#include "apps/runs/run_config.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"

namespace basin::test {

/// The directory of a run, trained once by this process: resnet8 on 160 made-up images, 2 epochs.
inline const std::string& small_run() {
  static const TemporaryDirectory directory;
  static const std::string run = [] {
    const std::string path = directory.path() + "/run";
    if (train(small(path)).code != 0) throw InternalError("[test] the small run did not end well");
    return path;
  }();
  return run;
}

/// What `basin COMMAND RUN WORDS` opens, with a terminal that nobody reads.
inline apps::Subject open(const apps::SubjectConfig& config) {
  std::ostringstream out, err;
  apps::Terminal terminal(out, err, {}, {});
  return apps::open_subject(config, terminal);
}

/// All options as the run and their defaults have them.
inline apps::SubjectConfig subject_of(const std::string& run) {
  const apps::TrainConfig trained = apps::read_run_config(run);
  return {.run = run, .data = trained.data, .model = trained.model, .device = trained.device};
}

}  // namespace basin::test
