// A small training run inside a test, and its records without times.
#pragma once

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/io/hash.h"
#include "tests/apps/calls.h"

namespace basin::test {

/// `basin train` in this process.
inline Said train(const apps::TrainConfig& config) {
  std::ostringstream out, err;
  apps::Terminal terminal(out, err, {}, config.output);
  Said said;
  said.code = static_cast<int>(apps::train(config, terminal));
  said.out = out.str();
  said.err = err.str();
  return said;
}

/// A small run; `more` adds to its options or takes the place of some.
inline apps::TrainConfig small(const std::string& directory, const Words& more = {}) {
  const std::vector<std::pair<std::string, std::string>> usual = {
      {"--data", "synthetic"}, {"--limit", "160"},     {"--model", "resnet8"},
      {"--epochs", "2"},       {"--batch-size", "64"}, {"--seed", "7"},
      {"--workers", "1"},      {"--run", directory},   {"--lr", "0.05"}};
  Words words = {"--quiet"};
  for (const auto& [flag, value] : usual) {
    if (std::find(more.begin(), more.end(), flag) == more.end()) words.insert(words.end(), {flag, value});
  }
  words.insert(words.end(), more.begin(), more.end());
  return train_config(words);
}

inline std::string weights(const std::string& directory) {
  return sha256_file(directory + "/final.safetensors");
}

inline std::vector<std::string> lines(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> all;
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

/// metrics.csv without its columns of time, steps.jsonl without its members of time.
inline std::vector<std::string> timeless_records(const std::string& directory) {
  std::vector<std::string> all;
  for (const std::string& line : lines(directory + "/metrics.csv")) {
    std::size_t end = 0;
    for (int cell = 0; cell < 12 && end != std::string::npos; ++cell) end = line.find(',', end + 1);
    all.push_back(line.substr(0, end));
  }
  for (const std::string& line : lines(directory + "/steps.jsonl"))
    all.push_back(line.substr(0, line.find(",\"seconds\"")));
  return all;
}

}  // namespace basin::test
