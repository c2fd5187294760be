// The names that other programs give to the tensors of a network: one table.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace basin::apps {

/// The wrappers' prefixes that all of `names` begin with, in any order and nested: "state_dict.", "module."
/// (DataParallel), "model.", "_orig_mod." (torch.compile). Empty if they share none.
std::string wrapper_prefix(const std::vector<std::string>& names);

/// Whether a tensor of that name is a counter that no network computes with: batch norm's
/// num_batches_tracked, n_averaged of torch.optim.swa_utils.
bool is_counter(std::string_view name);

/// What a name of another program stands for: a tensor of ours, or a third of its rows.
struct OurName {
  static constexpr int kWhole = -1;
  std::string name;
  int third = kWhole;  // 0, 1, 2: query, key and value of an attention, which are one tensor here
};

/// The name among `ours` that `theirs` (without the wrappers' prefix) stands for: itself, or, if the network
/// has no tensor of that name, what the table in weight_names.cpp makes of it. Nothing if that is none of
/// ours either.
std::optional<OurName> our_name(const std::string& theirs, const std::set<std::string>& ours);

}  // namespace basin::apps
