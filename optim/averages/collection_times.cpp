#include "optim/averages/collection_times.h"

#include <limits>
#include <utility>
#include <vector>

#include "core/error.h"

namespace basin::optim {
namespace {

void expect_positive(const char* what, std::int64_t value) {
  if (value < 1) throw ArgumentError("[collection] ", what, " must be at least 1, got ", value);
}

/// "161, 162, ..., 300"; all of them up to four.
std::string listed(const std::vector<std::int64_t>& numbers, std::int64_t unit) {
  const std::size_t shown = numbers.size() <= 4 ? numbers.size() : 2;
  std::string all;
  for (std::size_t i = 0; i < shown; ++i) all += text(i > 0 ? ", " : "", numbers[i] / unit);
  if (shown < numbers.size()) all += text(", ..., ", numbers.back() / unit);
  return all;
}

}  // namespace

CollectionTimes::CollectionTimes(std::int64_t first, std::int64_t every, CycleEnd is_cycle_end)
    : first_(first), every_(every), is_cycle_end_(std::move(is_cycle_end)) {
  expect_positive("first", first);
  expect_positive("every", every);
}

CollectionTimes CollectionTimes::steps(std::int64_t first, std::int64_t every) {
  return CollectionTimes(first, every, {});
}

CollectionTimes CollectionTimes::epochs(std::int64_t first, std::int64_t every,
                                        std::int64_t steps_per_epoch) {
  expect_positive("steps_per_epoch", steps_per_epoch);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() / steps_per_epoch;
  if (first > most || every > most)
    throw ArgumentError("[collection] epochs ", first, " and every ", every, " of ", steps_per_epoch,
                        " steps are more steps than can be counted");
  return CollectionTimes(first * steps_per_epoch, every * steps_per_epoch, {});
}

CollectionTimes CollectionTimes::cycle_ends(CycleEnd is_cycle_end, std::int64_t first) {
  if (!is_cycle_end) throw ArgumentError("[collection] cycle_ends needs a function that knows them");
  return CollectionTimes(first, 1, std::move(is_cycle_end));
}

bool CollectionTimes::due(std::int64_t steps_done) const {
  if (steps_done < first_) return false;
  return is_cycle_end_ ? is_cycle_end_(steps_done - 1) : (steps_done - first_) % every_ == 0;
}

std::int64_t CollectionTimes::count(std::int64_t steps_done) const {
  if (steps_done < first_) return 0;
  if (!is_cycle_end_) return (steps_done - first_) / every_ + 1;
  std::int64_t entered = 0;
  for (std::int64_t s = first_; s <= steps_done; ++s) entered += due(s);
  return entered;
}

std::string CollectionTimes::in_words(std::int64_t total_steps, std::int64_t steps_per_epoch) const {
  expect_positive("steps_per_epoch", steps_per_epoch);
  std::vector<std::int64_t> entering;
  bool whole_epochs = true;
  for (std::int64_t s = first_; s <= total_steps; ++s)
    if (due(s)) {
      entering.push_back(s);
      whole_epochs = whole_epochs && s % steps_per_epoch == 0;
    }
  if (entering.empty()) return text("after none of the ", total_steps, " steps: 0 models");
  const bool one = entering.size() == 1;
  return text("after ", whole_epochs ? "epoch" : "step", one ? " " : "s ",
              listed(entering, whole_epochs ? steps_per_epoch : 1), ": ", entering.size(),
              one ? " model" : " models");
}

}  // namespace basin::optim
