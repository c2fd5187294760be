// StepGraph: how a step is made. RecordedSteps: by a record, on a device that can be played one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/recording.h"
#include "optim/gradient/gradient_rule.h"
#include "optim/step_info.h"

namespace basin::optim {

/// How a step is made: by calls. body(now) makes it, direction and update, and returns its report.
class StepGraph {
 public:
  using Body = std::function<StepReport(const StepInfo&)>;

  virtual ~StepGraph() = default;
  virtual StepReport run(const Sequence& sequence, const StepInfo& now, const Body& body);

 protected:
  /// body(now), whose numbers wait for their readers, but not for the end of the step.
  static StepReport called(const StepInfo& now, const Body& body);
};

/// How a device makes steps that records them. Of each sequence the first step is made by calls, inside the
/// memory of the record to be; the second is recorded and played; the later ones are played: the host calls
/// what the body told it by StepInfo::number() and also(), sends the numbers, and plays.
/// The body is not called then, so whatever else it does on the host is left out. A step without a sequence
/// is made by calls.
///
/// What outlives a step, weights, states, statistics, the batch, must stay where it is. The versions of
/// tensors that a played step writes to stay as they are: the host was not there.
class RecordedSteps final : public StepGraph, private StepNumbers {
 public:
  /// Errors: ArgumentError for a device that can't record.
  explicit RecordedSteps(Device device);
  ~RecordedSteps() override;

  /// Errors: those of the body, and of Recording::record().
  StepReport run(const Sequence& sequence, const StepInfo& now, const Body& body) override;

  /// Sequences met so far, and steps that were played without calling the body.
  std::size_t sequences() const { return records_.size(); }
  std::int64_t played() const { return played_; }

 private:
  class Record;

  Scalar number(const std::function<double(const StepInfo&)>& f, const StepInfo& now) override;
  void also(const std::function<void()>& f) override;

  Device device_;
  std::map<std::vector<std::int64_t>, std::unique_ptr<Record>> records_;
  Record* record_ = nullptr;  // of the step that is being made
  std::int64_t played_ = 0;
};

/// By records where the device can, else by calls.
std::unique_ptr<StepGraph> step_graph(Device device);

}  // namespace basin::optim
