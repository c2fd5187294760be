// Short ways to parse a command line in a test, and to see what it fails with.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/cli.h"
#include "core/error.h"

namespace basin::test {

using Words = std::vector<std::string>;

inline apps::Call<apps::TrainConfig> train_call(const Words& words,
                                                const apps::Environment& environment = {}) {
  return apps::parse_train(words, environment);
}
inline apps::TrainConfig train_config(const Words& words, const apps::Environment& environment = {}) {
  return apps::parse_train(words, environment).config;
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

inline std::string train_failure(const Words& words, const apps::Environment& environment = {}) {
  return failure([&] { apps::parse_train(words, environment); });
}

}  // namespace basin::test
