// Results that wait for their reader. A convolution, a batch norm, and the ReLU or the sum behind one cost
// less where the next op takes them along than where each writes its numbers to memory:
//
//   a convolution forms its result's moments beside it, if a batch norm of the batch reads it;
//   a batch norm does the ReLU, and the sum with a tensor like its result, that read it;
//   a convolution forms a batch norm (and its ReLU) while it reads the input.
//
// Within a DeferralScope (one forward() of a module, nn/module.h) such an op is checked when it is called and
// run when its result is read. docs/engine.md, "When a value is formed", states the rule.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <mutex>

#include "autograd/ops/ops.h"
#include "core/conv_algorithm.h"

namespace basin {

/// Within this scope results may wait for their readers. Scopes nest; each has its own results.
class DeferralScope {
 public:
  DeferralScope();
  ~DeferralScope();
  DeferralScope(const DeferralScope&) = delete;
  DeferralScope& operator=(const DeferralScope&) = delete;

  /// Forms every result that waits and that anybody still holds, the latest first; after that the history
  /// that they are part of stays as it is. A scope that ends without it, by an exception, leaves them to
  /// whoever reads them.
  void finish();

 private:
  friend Variable deferred(std::shared_ptr<Deferred> result);

  DeferralScope* before_;
  std::vector<std::weak_ptr<Deferred>> waiting_;
};

/// x as a value that does not wait: the same numbers at the same place of the history.
Variable formed(const Variable& x);

/// An op that was called: what its result will look like, and how it is formed.
class Deferred {
 public:
  virtual ~Deferred() = default;
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;

  const Shape& shape() const { return shape_; }
  Dtype dtype() const { return dtype_; }
  bool tracked() const { return tracked_; }

  /// The result. The first call forms it, on whatever thread, as it would have been at the op's call:
  /// recorded or not, by the same algorithm of the convolution, in the same place of the history. Errors:
  /// what the op was called with has been written to since then.
  const Variable& result();
  /// Its place in the history, for one that will read it there. (To look at the numbers is not to read them
  /// in the history: it leaves an op that took this one along as it is.)
  const std::shared_ptr<Node>& node();
  /// Forms the result, and lets go of everything else.
  void settle();

 protected:
  /// Whether a result will be tracked: ops are recorded here, and an input is tracked.
  Deferred(const char* op, const Shape& shape, Dtype dtype, std::initializer_list<const Variable*> inputs);

  /// Runs the op. No result waits meanwhile.
  virtual Variable form() = 0;
  /// The first reader in the history is there.
  virtual void on_read() {}
  /// Lets go of what form() needs.
  virtual void release() = 0;

  /// form() in the circumstances of the call.
  Variable as_called(bool recorded);
  /// Remembers numbers that form() will read.
  void will_read(const Tensor& value) { seen_.push_back({value, value.version()}); }
  /// Errors: what form() will read has been written to since the call.
  void expect_unchanged() const;
  bool is_formed() const { return formed_.load(std::memory_order_acquire); }
  bool is_read() const { return read_; }
  bool is_released() const { return released_; }

  std::recursive_mutex mutex_;

 private:
  struct Seen {
    Tensor value;
    std::uint64_t version;
  };
  void let_go();

  const char* op_;
  Shape shape_;
  Dtype dtype_;
  bool tracked_;
  std::uint64_t place_;
  ConvAlgorithm algorithm_;
  std::vector<Seen> seen_;
  std::atomic<bool> formed_{false};
  bool read_ = false, released_ = false;
  Variable result_;
};

// ---- For ops: each gives an undefined Variable, or none, where the op has to run now ----

/// conv2d(x, weight), to be run when it is read.
Variable deferred_conv2d(const Variable& x, const Variable& weight, const ConvOptions& options);

/// A batch norm: by the batch's statistics, or by given ones.
struct Normalisation {
  bool of_batch;
  Variable x, gamma, beta;
  Tensor mean, var;
  BatchNormOptions options;
};
Variable deferred_batch_norm(const char* op, Normalisation norm);

/// relu(x) and x + y of a batch norm that waits.
Variable deferred_relu(const Variable& x);
Variable deferred_sum(const Variable& x, const Variable& y);

/// The moments of x, if it is a convolution's result that can still be formed with them, or was.
Moments moments_beside(const Variable& x);

}  // namespace basin
