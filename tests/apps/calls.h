// Short ways to read a command line in a test, to see what it fails with, and to run it.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "apps/cli/parse.h"
#include "apps/cli/terminal.h"
#include "apps/commands/commands.h"
#include "apps/commands/train.h"
#include "core/error.h"

namespace basin::test {

using Words = std::vector<std::string>;

/// The command line `basin NAME WORDS`, read.
inline apps::Parsed parsed(const std::string& name, const Words& words,
                           const apps::Environment& environment = {}) {
  for (const apps::Command& command : apps::program().commands)
    if (command.name == name) return apps::parse(apps::program(), command, words, environment);
  throw InternalError("[test] no command ", name);
}

/// The value that an option came to, as it is printed.
inline std::string value_of(const apps::Parsed& call, const std::string& flag) {
  return call.table.by_flag(flag)->binding.print();
}

/// A call of `basin train`, its configuration at hand.
struct ReadTraining {
  apps::TrainConfig config;
  std::string print;
  std::vector<std::string> warnings, origins;
};
inline ReadTraining train_call(const Words& words, const apps::Environment& environment = {}) {
  apps::Parsed call = parsed("train", words, environment);
  return {dynamic_cast<apps::TrainCall&>(*call.call).config, call.print, call.warnings, call.origins};
}
inline apps::TrainConfig train_config(const Words& words, const apps::Environment& environment = {}) {
  apps::TrainConfig config = train_call(words, environment).config;
  config.run.command.clear();
  return config;
}

/// The message of the Error that `call` throws, its exit code in front: "2: --lr ..."; empty if it throws
/// none.
template <class Call>
std::string failure(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + ": " + error.what();
  }
  return "";
}

/// What reading the command line fails with.
inline std::string parse_failure(const std::string& name, const Words& words,
                                 const apps::Environment& environment = {}) {
  return failure([&] { parsed(name, words, environment); });
}
inline std::string train_failure(const Words& words, const apps::Environment& environment = {}) {
  return parse_failure("train", words, environment);
}

struct Said {
  int code = -1;
  std::string out, err;
};

/// `basin NAME WORDS` in this process. Errors: those of the command.
inline Said run_command(const std::string& name, const Words& words) {
  const apps::Parsed call = parsed(name, words);
  std::ostringstream out, err;
  apps::Terminal terminal(out, err, {}, call.call->output());
  const int code = static_cast<int>(call.call->run(terminal));
  return {code, out.str(), err.str()};
}

}  // namespace basin::test
