// A step graph on the test device: it shows that steps can be recorded, without a machine that records.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "optim/step_info.h"
#include "tests/device/test_device.h"

namespace basin::optim::testing {

/// A graph holds the calls of a step with the numbers that the host put into them, and makes them again with
/// the same numbers, but for those that live on the device. So the first step of a sequence is written down
/// here, call by call; a later one gets its StepInfo::number()s as a graph would, from the functions of the
/// first step, and runs the body once more: whatever it asks the device for must be what was written down.
/// A number of the host that changed, a branch that it took otherwise, or data that it sent throws
/// InternalError, which names the call. It does not tell whether what outlives a step stays where it is.
class RecordedSteps final : public StepGraph, private StepNumbers {
 public:
  void run(const Sequence& sequence, const StepInfo& now,
           const std::function<void(const StepInfo&)>& body) override {
    if (!sequence) return body(now);
    record_ = &records_[*sequence];
    next_ = 0;
    again_ = !record_->calls.empty();
    for (const Number& n : record_->numbers) basin::testing::set(n.there, n.f(now));
    StepInfo info = now;
    info.numbers = this;
    std::vector<std::string> calls;
    {
      const basin::testing::Calls list(calls);
      body(info);
    }
    if (again_) {
      compare(calls);
      ++made_again_;
    } else {
      record_->calls = calls;
    }
  }

  /// Steps made as their record says, and sequences that were recorded.
  std::int64_t made_again() const { return made_again_; }
  std::size_t records() const { return records_.size(); }
  std::size_t numbers_of_last() const { return record_->numbers.size(); }

 private:
  struct Number {
    std::function<double(const StepInfo&)> f;
    Scalar there;
  };
  struct Record {
    std::vector<std::string> calls;
    std::deque<Number> numbers;
  };

  Scalar number(const std::function<double(const StepInfo&)>& f, const StepInfo& now) override {
    if (!again_) return record_->numbers.emplace_back(Number{f, basin::testing::number_there(f(now))}).there;
    if (next_ == record_->numbers.size()) throw InternalError("[recorded steps] a number more than recorded");
    return record_->numbers[next_++].there;
  }

  void compare(const std::vector<std::string>& calls) const {
    const std::vector<std::string>& wanted = record_->calls;
    for (std::size_t i = 0; i < std::max(calls.size(), wanted.size()); ++i) {
      const std::string was = i < wanted.size() ? wanted[i] : "none",
                        is = i < calls.size() ? calls[i] : "none";
      if (was != is)
        throw InternalError("[recorded steps] call ", i, " was '", was, "' in the record and is '", is, "'");
    }
  }

  std::map<std::vector<std::int64_t>, Record> records_;
  Record* record_ = nullptr;
  std::size_t next_ = 0;
  bool again_ = false;
  std::int64_t made_again_ = 0;
};

}  // namespace basin::optim::testing
