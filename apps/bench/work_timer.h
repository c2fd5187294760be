// Adds up the time that a backend's calls take, by kind of work: where the time of a training step goes.
#pragma once

#include <array>
#include <chrono>

#include "core/work.h"

namespace basin::apps {

class WorkTimer final : public WorkObserver {
 public:
  /// Seconds since the last reset.
  double seconds(Work work) const { return seconds_[static_cast<std::size_t>(work)]; }
  void reset() { seconds_ = {}; }

  void begin(Work) override { begin_ = Clock::now(); }
  void end(Work work) override {
    seconds_[static_cast<std::size_t>(work)] += std::chrono::duration<double>(Clock::now() - begin_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_;
  std::array<double, static_cast<std::size_t>(Work::count_)> seconds_{};
};

}  // namespace basin::apps
