// Prints what one recorded training step asks the card for, kernel by kernel: the tables of docs/cuda.md.
//
//     cuda_launch_table resnet20 none | resnet20 sam | vit-cifar none    # options of `basin train` may
//     follow
#include <cxxabi.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/cuda/launches/count.h"

namespace {

/// A kernel's name without its arguments, and without our namespaces.
std::string name_of(const void* kernel) {
  Dl_info about{};
  if (dladdr(kernel, &about) == 0 || about.dli_sname == nullptr) return "?";
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> full(
      abi::__cxa_demangle(about.dli_sname, nullptr, nullptr, &status), &std::free);
  std::string name = full ? full.get() : about.dli_sname;
  for (const std::string space : {"void ", "basin::", "cuda::", "functors::"})
    for (std::size_t at = name.find(space); at != std::string::npos; at = name.find(space))
      name.erase(at, space.size());
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    depth += (name[i] == '<') - (name[i] == '>');
    if (name[i] == '(' && depth == 0) return name.substr(0, i);
  }
  return name;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    std::cerr << "cuda_launch_table MODEL RULE [OPTION...]\n";
    return 2;
  }
  basin::test::Words options{"--model", words[1], "--sharpness", words[2]};
  options.insert(options.end(), words + 3, words + count);
  const fake::Recorded step = basin::testing::recorded_step(options);
  std::map<std::string, std::size_t> names(step.others.begin(), step.others.end());
  for (const auto& [kernel, launches] : step.kernels) names[name_of(kernel)] += launches;
  std::vector<std::pair<std::size_t, std::string>> rows;
  for (const auto& [name, launches] : names) rows.emplace_back(launches, name);
  std::sort(rows.rbegin(), rows.rend());
  for (const auto& [launches, name] : rows) std::cout << launches << '\t' << name << '\n';
  std::cout << step.total() << "\tall\n";
}
