// StepInfo: where in the run a step stands. StepGraph: a step that is recorded once and then made again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/scalar.h"

namespace basin::optim {

struct StepInfo;

/// Numbers of a step that is being recorded. A device has a place for each; see StepInfo::number().
class StepNumbers {
 public:
  virtual ~StepNumbers() = default;
  /// A number that lives on the device: f(now), and f(that step) in each step that is made again. f is kept
  /// as long as the record.
  virtual Scalar number(const std::function<double(const StepInfo&)>& f, const StepInfo& now) = 0;
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
};

/// Which of its sequences of passes a step makes, told by numbers: steps with equal ones ask a device for the
/// same work, but for StepInfo::number(). Nothing: who knows; such a step is never recorded.
using Sequence = std::optional<std::vector<std::int64_t>>;

/// How a step is made. Here, and on the CPU always: body(now). The graph of a device that has one calls the
/// body in the first step of a sequence, with a StepInfo whose numbers it keeps, records what it asks of the
/// device, and makes the later ones of that sequence from the record. What the body does on the host besides,
/// such as to count an update rule's steps, is in no record: the caller of such a graph has to see to it.
class StepGraph {
 public:
  virtual ~StepGraph() = default;
  virtual void run(const Sequence& sequence, const StepInfo& now,
                   const std::function<void(const StepInfo&)>& body) {
    static_cast<void>(sequence);
    body(now);
  }
};

}  // namespace basin::optim
