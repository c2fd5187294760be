// `basin train` for who calls it from C++ (tests; commands that train).
#pragma once

#include <string>
#include <vector>

#include "apps/cli/command.h"
#include "apps/cli/terminal.h"
#include "apps/config/train_config.h"
#include "apps/options/sources.h"

namespace basin::apps {

/// Trains a network into a run directory; 129, 130, 143 or 152 when a signal stopped it and it saved.
ExitCode train(const TrainConfig& config, Terminal& terminal);

/// A call of `basin train`: its options are those of the configuration, and where they come from.
class TrainCall : public Call {
 public:
  void options(OptionTable& table) override;
  std::string build_on(OptionTable& table, const std::vector<std::string>& words) override;
  void check(const OptionTable& table, const std::vector<std::string>& words) override;
  std::string settled(const OptionTable& table) override;
  ExitCode run(Terminal& terminal) override;
  const OutputConfig& output() const override { return config.output; }

  TrainConfig config;

 private:
  SourceConfig sources_;
};

}  // namespace basin::apps
