#include "optim/gradient/step_graph.h"

#include <utility>

#include "core/backend.h"

namespace basin::optim {
namespace {

constexpr std::size_t kNumbers = 64;  // of one tensor

}  // namespace

StepReport StepGraph::run(const Sequence& sequence, const StepInfo& now, const Body& body) {
  static_cast<void>(sequence);
  return called(now, body);
}

StepReport StepGraph::called(const StepInfo& now, const Body& body) {
  NumbersWait numbers;
  StepReport report = body(now);
  numbers.finish();
  return report;
}

/// One sequence: its record, and what the host does before it is played, in the order of the body.
class RecordedSteps::Record {
 public:
  explicit Record(std::unique_ptr<Recording> recording) : recording_(std::move(recording)) {}

  StepReport rehearse(const StepInfo& now, const Body& body) {
    begin(Phase::rehearsed);
    StepReport report;
    recording_->rehearse([&] { report = called(now, body); });
    rehearsed_ = true;
    return report;
  }

  void record(const StepInfo& now, const Body& body) {
    begin(Phase::recorded);
    StepReport report;
    recording_->record([&] {
      report = called(now, body);
      report.gather_there();
    });
    send_numbers();
    report_ = report;
    recorded_ = true;
  }

  void prepare(const StepInfo& now) {
    for (const std::function<void(const StepInfo&)>& part : host_) part(now);
    send_numbers();
  }

  void play() { recording_->play(); }
  const StepReport& report() const { return report_; }
  bool rehearsed() const { return rehearsed_; }
  bool recorded() const { return recorded_; }

  Scalar number(const std::function<double(const StepInfo&)>& f, const StepInfo& now, Device device) {
    const std::size_t i = next_number_++, row = i / kNumbers;
    if (i == here_.size()) here_.push_back(0);
    if (row == there_.size())
      there_.push_back(Tensor::empty({static_cast<Index>(kNumbers)}, Dtype::f64, device));
    here_[i] = f(now);
    host_.emplace_back([this, i, f](const StepInfo& then) { here_[i] = f(then); });
    Tensor place = there_[row].view(static_cast<Index>(i % kNumbers), Shape{});
    if (phase_ == Phase::rehearsed) place.copy_from(Tensor::scalar(here_[i], Dtype::f64));
    return Scalar(place);
  }

  void also(const std::function<void()>& f) {
    f();
    host_.emplace_back([f](const StepInfo&) { f(); });
  }

 private:
  enum class Phase { rehearsed, recorded };

  void begin(Phase phase) {
    phase_ = phase;
    host_.clear();
    next_number_ = 0;
  }

  void send_numbers() {
    for (std::size_t row = 0; row < there_.size(); ++row) {
      std::vector<double> all(kNumbers);
      for (std::size_t i = row * kNumbers; i < std::min(here_.size(), (row + 1) * kNumbers); ++i)
        all[i % kNumbers] = here_[i];
      there_[row].copy_from(Tensor::from(all));
    }
  }

  std::unique_ptr<Recording> recording_;
  Phase phase_ = Phase::rehearsed;
  bool rehearsed_ = false, recorded_ = false;
  StepReport report_;  // its numbers are the record's own
  std::vector<std::function<void(const StepInfo&)>> host_;
  std::vector<double> here_;  // the numbers, as they were sent last
  Tensors there_;             // the same on the device, kNumbers in a row
  std::size_t next_number_ = 0;
};

RecordedSteps::RecordedSteps(Device device) : device_(device) {
  if (!backend(device).make_recording())
    throw ArgumentError("[recorded steps] ", device, " makes no records");
}

RecordedSteps::~RecordedSteps() = default;

StepReport RecordedSteps::run(const Sequence& sequence, const StepInfo& now, const Body& body) {
  if (!sequence) return called(now, body);
  std::unique_ptr<Record>& slot = records_[*sequence];
  if (!slot) slot = std::make_unique<Record>(backend(device_).make_recording());
  StepInfo info = now;
  info.numbers = this;
  record_ = slot.get();
  if (!record_->rehearsed()) return record_->rehearse(info, body);
  if (record_->recorded()) {
    record_->prepare(info);
    ++played_;
  } else {
    record_->record(info, body);
  }
  record_->play();
  return record_->report();
}

Scalar RecordedSteps::number(const std::function<double(const StepInfo&)>& f, const StepInfo& now) {
  return record_->number(f, now, device_);
}

void RecordedSteps::also(const std::function<void()>& f) { record_->also(f); }

std::unique_ptr<StepGraph> step_graph(Device device) {
  if (!device.is_host() && backend(device).make_recording()) return std::make_unique<RecordedSteps>(device);
  return std::make_unique<StepGraph>();
}

}  // namespace basin::optim
