// From the arguments of `basin` to the command, and from whatever it throws to an exit code.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "apps/cli/command.h"
#include "apps/cli/terminal.h"
#include "apps/options/variables.h"

namespace basin::apps {

/// The world around a call.
struct Streams {
  std::ostream& out;
  std::ostream& err;
  TerminalTraits traits;
};

/// What is done with a call that is ready; tests put something else in place of Call::run().
using Runner = std::function<ExitCode(Call&, Terminal&)>;

/// The whole program: `arguments` as after the program's name. Returns the exit code (README.md, "exit"); an
/// exception ends as the line "basin: what, where, how to mend it" on `err`.
int run_basin(
    const Program& program, const std::vector<std::string>& arguments, const Environment& environment,
    const Streams& streams,
    const Runner& runner = [](Call& call, Terminal& terminal) { return call.run(terminal); });

}  // namespace basin::apps
