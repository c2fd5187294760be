// Every gradient rule of the library under a name: what a test about "all rules" goes through.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "optim/gradient/gradient_rule.h"

namespace basin::optim::testing {

struct Member {
  std::string name;
  /// The rule with its radius (GAM's outer one) multiplied by `scale`: 0 makes it the plain rule.
  std::function<std::unique_ptr<GradientRule>(double scale)> make;
  /// Micro-batches of a step; each makes all passes.
  std::size_t parts = 1;
};

Member plain_rule();

/// Plain, every member of optim/gradient/sam_family.h, Sam's other norms and scalings, every form of GAM, and
/// rules that look uphill on some steps only.
std::vector<Member> family();

/// MicroBatches of m rows of some of them, for steps of `rows` rows: of SAM, of rules with state, of GAM.
std::vector<Member> micro_batched(std::int64_t m, std::int64_t rows);

/// Both.
std::vector<Member> all_rules(std::int64_t m, std::int64_t rows);

}  // namespace basin::optim::testing
