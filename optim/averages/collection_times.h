// CollectionTimesTimes: after which steps weights enter an average or an ensemble.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace basin::optim {

/// A pure function of the number of steps done, so that there is nothing to save and a resumed run collects
/// what the straight one does. Implementations differ by one here (swa collects after its `swa_start`-th
/// epoch, swa_gaussian first after the next one, Lightning leaves the last epoch out): steps and epochs are
/// therefore counted in completed ones, from 1, and in_words() says which of them enter.
class CollectionTimes {
 public:
  /// True for the last step t = 0, 1, ... of a cycle; Schedule::is_cycle_end() fits.
  using CycleEnd = std::function<bool(std::int64_t t)>;

  /// After `first` steps, and every `every` steps from there on. Errors: ArgumentError for one below 1.
  static CollectionTimes steps(std::int64_t first, std::int64_t every = 1);
  /// After epoch `first`, and every `every` epochs from there on: epoch E = 1, 2, ... enters if E >= first
  /// and (E - first) mod every = 0, the rule of the SWA authors' code. Errors: ArgumentError for one below 1,
  /// or epochs too long to count in steps.
  static CollectionTimes epochs(std::int64_t first, std::int64_t every, std::int64_t steps_per_epoch);
  /// After the last step of each cycle that ends after `first` steps or later. Errors: ArgumentError for
  /// `first` below 1, or no function.
  static CollectionTimes cycle_ends(CycleEnd is_cycle_end, std::int64_t first = 1);

  /// Whether the weights enter when `steps_done` steps are done.
  bool due(std::int64_t steps_done) const;
  /// How many weights have entered by then.
  std::int64_t count(std::int64_t steps_done) const;
  /// Which enter in a run of that many steps: "after epochs 161, 162, ..., 300: 140 models"; in steps unless
  /// all of them end epochs.
  std::string in_words(std::int64_t total_steps, std::int64_t steps_per_epoch) const;

 private:
  CollectionTimes(std::int64_t first, std::int64_t every, CycleEnd is_cycle_end);

  std::int64_t first_, every_;
  CycleEnd is_cycle_end_;  // empty: every_ counts
};

}  // namespace basin::optim
