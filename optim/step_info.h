// StepInfo: where in the run a step stands, and the numbers of one that is recorded
// (optim/gradient/step_graph.h).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/scalar.h"

namespace basin::optim {

struct StepInfo;

/// The numbers of a step that is being recorded, and the host's part in it. A device has a place for each
/// number; see StepInfo::number().
class StepNumbers {
 public:
  virtual ~StepNumbers() = default;
  /// A number that lives on the device: f(now), and f(that step) in each step that is made again. f is kept
  /// as long as the record.
  virtual Scalar number(const std::function<double(const StepInfo&)>& f, const StepInfo& now) = 0;
  /// Calls f, now and before each step that is made again, in the order in which it was told.
  virtual void also(const std::function<void()>& f) = 0;
};

/// Where in the run a step stands: what a rule may depend on besides the weights.
struct StepInfo {
  std::int64_t step = 0;             // of the run, from 0: schedules of the radius, "every k-th step"
  double lr = 0;                     // learning rate of the step: radii proportional to it
  std::int64_t rows = 0;             // rows in the step's batch: micro-batches
  const Tensor* momentum = nullptr;  // the update rule's momentum buffer {d}, if it has one: MSAM
  StepNumbers* numbers = nullptr;    // of a step that is being recorded; null: there is no record

  /// f(*this), a number that changes from step to step, in a form that a recorded step does not freeze:
  ///
  ///     const Scalar rho = now.number(radius_);   // a double; of a recorded step a number on the device
  ///
  /// f is called again before each step that is made from the record: what it refers to must still be there.
  template <class F>
  Scalar number(const F& f) const {
    return numbers == nullptr ? Scalar(f(*this)) : numbers->number(f, *this);
  }
  /// Calls f, which does something on the host that each step does, made from a record or not: counts.
  void also(const std::function<void()>& f) const {
    if (numbers == nullptr)
      f();
    else
      numbers->also(f);
  }
};

/// The step's number: what its random draws have in their address.
inline double step_of(const StepInfo& now) { return static_cast<double>(now.step); }

/// Which of its sequences of passes a step makes, told by numbers: steps with equal ones ask a device for the
/// same work, but for StepInfo::number(). Nothing: who knows; such a step is never recorded.
using Sequence = std::optional<std::vector<std::int64_t>>;

}  // namespace basin::optim
