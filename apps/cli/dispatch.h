// From the arguments of `basin` to the subcommand, and from whatever it throws to an exit code.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "apps/cli/cli.h"
#include "apps/cli/terminal.h"

namespace basin::apps {

/// What each subcommand runs; tests put their own here.
struct Commands {
  std::function<int(const TrainConfig&, Terminal&)> train;
  std::function<int(const EvalConfig&, Terminal&)> eval;
  std::function<int(const ExportConfig&, Terminal&)> write;  // basin export
  std::function<int(const InfoConfig&, Terminal&)> info;
  std::function<int(const DataToolConfig&, Terminal&)> data;
  std::function<int(const BenchConfig&, Terminal&)> bench;
  std::function<int(const GradcheckConfig&, Terminal&)> gradcheck;
};

/// The world around a call.
struct Streams {
  std::ostream& out;
  std::ostream& err;
  TerminalTraits traits;
};

/// The whole program: `arguments` as after the program's name. Returns the exit code (README.md, "exit"); an
/// exception ends as the line "basin: what, where, how to mend it" on `err`.
int run_basin(const std::vector<std::string>& arguments, const Environment& environment,
              const Commands& commands, const Streams& streams);

}  // namespace basin::apps
