#include "optim/update/lookahead.h"

#include <algorithm>
#include <utility>

#include "core/ops.h"

namespace basin::optim {

Lookahead::Lookahead(const ParameterVector& w, std::unique_ptr<UpdateRule> fast,
                     const LookaheadOptions& options)
    : options_(options), fast_(std::move(fast)), slow_(w.values().clone()) {
  if (!fast_) throw ArgumentError("[lookahead] needs an update rule that makes the fast steps");
  if (options.every < 1) throw ArgumentError("[lookahead] every must be at least 1, got ", options.every);
  if (!(options.alpha > 0 && options.alpha <= 1))
    throw ArgumentError("[lookahead] alpha must be in (0, 1], got ", options.alpha);
  for (const NamedBuffer& b : entries_of(*fast_).buffers)
    if (b.name == "step") made_ = b.buffer;
  if (made_ == nullptr)
    throw ArgumentError("[lookahead] '", fast_->name(), "' has no count of steps, \"step\", in its state");
}

void Lookahead::step(ParameterVector& w, const Tensor& direction, const StepInfo& now) {
  const Scalar due = now.number([this](const StepInfo& t) {
    const std::int64_t step = made_->data<std::int64_t>()[0] + 1;
    return t.lr > 0 && step % options_.every == 0 ? 1.0 : 0.0;
  });
  fast_->step(w, direction, now);
  if (!possibly(due)) return;
  const Tensor behind = w.values() - slow_;
  axpby(select(due, options_.alpha, 0), behind, 1, slow_);
  assign_if(due, slow_, w.values());
}

std::vector<Tensor*> Lookahead::state() {
  std::vector<Tensor*> all = fast_->state();
  all.insert(all.begin(), &slow_);
  return all;
}

UpdateRule::Bounds Lookahead::after(const Bounds& before, double direction, double lr) const {
  const double slow = before.state.front();
  Bounds fast = before;
  fast.state.erase(fast.state.begin());
  Bounds then = fast_->after(fast, direction, lr);
  const double either = std::max(slow, then.weight);
  then.peak += then.weight + slow;
  then.weight = either;
  then.state.insert(then.state.begin(), either);
  return then;
}

void Lookahead::describe(Inventory& it) {
  it.buffer("slow", slow_);
  fast_->describe(it);
}

}  // namespace basin::optim
