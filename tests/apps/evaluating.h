// `basin eval` and `basin export` in this process.
#pragma once

#include <sstream>
#include <string>

#include "apps/cli/terminal.h"
#include "apps/commands/commands.h"
#include "tests/apps/calls.h"
#include "tests/apps/training.h"

namespace basin::test {

inline Said evaluate(const Words& words) {
  std::ostringstream out, err;
  const apps::EvalConfig config = apps::parse_eval(words, {}).config;
  apps::Terminal terminal(out, err, {}, config.output);
  Said said;
  said.code = apps::eval_command(config, terminal);
  said.out = out.str();
  said.err = err.str();
  return said;
}

inline Said run_export(const Words& words) {
  std::ostringstream out, err;
  const apps::ExportConfig config = apps::parse_export(words, {}).config;
  apps::Terminal terminal(out, err, {}, config.output);
  Said said;
  said.code = apps::export_command(config, terminal);
  said.out = out.str();
  said.err = err.str();
  return said;
}

inline Said export_to(const std::string& path, Words words) {
  words.insert(words.end(), {"-o", path});
  return run_export(words);
}

}  // namespace basin::test
