// A study of two rows, and texts of studies, for tests.
#pragma once

#include <string>

#include "apps/reproduce/study.h"

namespace basin::test {

/// Two rows on small synthetic images; `more` stands at the end of its file.
inline std::string two_rows(const std::string& more = "") {
  return R"(# SAM against SGD
paper_table = "a paper, table 1"
deviation = "standard deviation"
train.optimizer.lr = 0.05
train.model.name = "resnet8"

[row.sgd]
name = "SGD"
paper = 96.5
[row.sam]
name = "SAM"
paper = 97.3
paper_deviation = 0.1
train.sharpness.name = "sam"
train.sharpness.rho = 0.1

[claim.first]
better = "sam"
than = "sgd"
[claim.second]
better = "sgd"
than = "sam"
margin = 1.0

[small]
about = "little"
train.data.name = "synthetic"
train.data.limit = 64
train.schedule.batch_size = 32
train.schedule.epochs = 1
row.sam.sharpness.rho = 0.2

[tiny]
about = "less"
seeds = 2
train.data.name = "synthetic"
train.data.limit = 32
train.schedule.epochs = 1
)" + more;
}

/// The same, its second row begun with the weights of a start called "before".
inline std::string two_rows_after(const std::string& start) {
  std::string all = two_rows();
  all.insert(all.find("paper = 97.3"), "starts_from = \"before\"\n");
  return all + "[start.before]\ntrain.schedule.batch_size = 16\n" + start;
}

inline apps::Study study(const std::string& toml) {
  return apps::study_of({.name = "test", .help = "SAM against SGD", .toml = toml});
}

}  // namespace basin::test
