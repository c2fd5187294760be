// The kinds of work that a backend does, and the one hook to watch it: where the time of a training step
// goes.
#pragma once

#include <atomic>

namespace basin {

enum class Work {
  conv_forward,  // with the moments of what it gives
  conv_input_grad,
  conv_weight_grad,
  conv_gradients,  // both at once, with those of the norm before
  matmul,
  norm,  // batch and layer normalisation, log-softmax
  pooling,
  elementwise,  // with fills, casts and random numbers
  reduction,
  shaping,    // copies, permutations, gathers
  optimizer,  // the flat vectors of weights and gradients
  count_
};

/// Is told when a call of a backend begins and when it ends, by return or by an exception. Calls do not nest.
class WorkObserver {
 public:
  virtual ~WorkObserver() = default;
  virtual void begin(Work work) = 0;
  virtual void end(Work work) = 0;
};

namespace detail {
inline std::atomic<WorkObserver*> work_observer{nullptr};
}  // namespace detail

/// Shows an observer all work of its scope's thread; all work must come from that thread. Memory is taken and
/// given back unseen, for a loader's threads do so too.
class WithWorkObserver {
 public:
  explicit WithWorkObserver(WorkObserver& observer) : before_(detail::work_observer.exchange(&observer)) {}
  ~WithWorkObserver() { detail::work_observer.store(before_); }
  WithWorkObserver(const WithWorkObserver&) = delete;
  WithWorkObserver& operator=(const WithWorkObserver&) = delete;

 private:
  WorkObserver* before_;
};

}  // namespace basin
