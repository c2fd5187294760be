// `basin eval` and `basin export` in this process.
#pragma once

#include <string>

#include "tests/apps/calls.h"
#include "tests/apps/training.h"

namespace basin::test {

inline Said evaluate(const Words& words) { return run_command("eval", words); }

inline Said run_export(const Words& words) { return run_command("export", words); }

inline Said export_to(const std::string& path, Words words) {
  words.insert(words.end(), {"-o", path});
  return run_export(words);
}

}  // namespace basin::test
