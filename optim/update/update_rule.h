// Update rules: how a direction is applied to the weights. They never modify the direction.
#pragma once

#include <optional>
#include <vector>

#include "autograd/inventory.h"
#include "core/scalar.h"
#include "optim/parameter_vector.h"
#include "optim/step_info.h"

namespace basin::optim {

class UpdateRule {
 public:
  virtual ~UpdateRule() = default;
  virtual const char* name() const = 0;
  /// One step: w <- U(w, direction) at learning rate lr. With lr = 0 the state moves and the weights keep
  /// their bits. `direction_norm` is |direction| if the caller has it (StepReport::direction_norm). The step
  /// is made if `wanted` holds; else nothing is changed. Returns whether it was made. Errors: ArgumentError
  /// for a direction that is undefined (its step was not finite) or not like w, and for an lr that is
  /// negative or not finite. NumericalError for a step after which a weight or a number of the state would
  /// not be finite, or whose direction is not: a second moment that overflows (f32: entries above about 1e19)
  /// would stay infinite, and its weight where it is, for ever. Weights and state then hold the bits they
  /// had; who goes on has skipped the step:
  ///
  ///     try { update.apply(w, d.vector, lr, d.report.direction_norm); } catch (const NumericalError&) { ...
  ///     }
  ///
  /// Costs nothing where bounds show that all stays finite: only close to the largest number is a step made
  /// with a copy at hand.
  ///
  /// On a device nobody waits here. A step that is not wanted, or after which a number would not be finite,
  /// changes no weight and no moment; what is returned is not known yet, and who reads later that it was 0
  /// calls withdraw(). The copy is always at hand.
  Scalar apply(ParameterVector& w, const Tensor& direction, double lr,
               const std::optional<Scalar>& direction_norm = {}, const Scalar& wanted = true) {
    return apply(w, direction, StepInfo{.lr = lr}, direction_norm, wanted);
  }
  /// The same at now.lr, for a step that may be recorded: lr and the count of steps are then now.number()s.
  Scalar apply(ParameterVector& w, const Tensor& direction, const StepInfo& now,
               const std::optional<Scalar>& direction_norm = {}, const Scalar& wanted = true);
  /// Takes the last step, which a device did not make, out of the count of steps.
  void withdraw();
  /// The state as buffers (moments {d}, step count i64 {}), for checkpoints. It exists from construction on,
  /// and a copy of it continues with the same bits.
  virtual void describe(Inventory& it) = 0;
  /// The running mean of directions {d} that the rule steps along, as its state holds it (Sgd: v, Adam: m,
  /// without bias correction); null if it keeps none. MSAM climbs along it.
  virtual const Tensor* momentum() const { return nullptr; }
  /// The weights {d} that count when the model is evaluated, where they are not w itself: Schedule-Free's
  /// average x. Undefined: w. A model with batch normalisation then needs statistics of theirs (stand_in.h).
  virtual Tensor evaluated(const ParameterVector&) const { return {}; }

 protected:
  /// Upper bounds of the magnitudes of a step's numbers.
  struct Bounds {
    double weight = 0;
    std::vector<double> state;  // of each tensor of state()
    double peak = 0;            // of whatever the step computes on the way
  };

  /// What a rule computes; see apply(). The arguments are checked.
  virtual void step(ParameterVector& w, const Tensor& direction, const StepInfo& now) = 0;
  /// The vectors of the state, {d}, as far as the rule keeps them.
  virtual std::vector<Tensor*> state() = 0;
  /// Bounds after the step, from those before it and that of the direction. Infinity or NaN: who knows.
  virtual Bounds after(const Bounds& before, double direction, double lr) const = 0;

 private:
  friend class Lookahead;  // makes the steps of a rule that it holds

  /// A bound of max |x_i| that stays known while nobody else writes to x.
  struct Known {
    Tensor x;
    std::uint64_t version = 0;
    double bound = 0;
    bool holds(const Tensor& now) const;
  };
  Bounds bounds(const std::vector<Tensor*>& vectors, bool measure) const;
  void step_with_care(ParameterVector& w, const Tensor& direction, const StepInfo& now,
                      double direction_norm);
  Scalar step_elsewhere(ParameterVector& w, const Tensor& direction, const StepInfo& now,
                        const Scalar& wanted);

  std::vector<Known> known_;  // of the weights, then of state()
};

struct SgdOptions {
  double momentum = 0.0;      // [0, 1)
  double dampening = 0.0;     // [0, 1]: v <- momentum v + (1 - dampening) d; needs momentum > 0
  double weight_decay = 0.0;  // coupled: d = g + weight_decay w
  bool nesterov = false;      // w <- w - lr (d + momentum v); needs momentum > 0 and dampening = 0
};

/// Stochastic gradient descent as in Sutskever et al. 2013 in PyTorch's form: d = g + weight_decay w;
/// v <- momentum v + (1 - dampening) d, v = d in the first step; w <- w - lr v (Nesterov: w - lr (d +
/// momentum v)). State: "momentum" {d} where momentum > 0, "step".
class Sgd : public UpdateRule {
 public:
  /// Errors: an option out of its range.
  explicit Sgd(const ParameterVector& w, const SgdOptions& options = {});
  const char* name() const override { return "sgd"; }
  void describe(Inventory& it) override;
  const Tensor* momentum() const override { return velocity_.defined() ? &velocity_ : nullptr; }

 protected:
  void step(ParameterVector& w, const Tensor& direction, const StepInfo& now) override;
  std::vector<Tensor*> state() override;
  Bounds after(const Bounds& before, double direction, double lr) const override;

 private:
  SgdOptions options_;
  Tensor velocity_;  // {d}; undefined without momentum
  Tensor step_;      // i64 {}: steps made
};

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999;  // [0, 1)
  double eps = 1e-8;                  // > 0
  double weight_decay = 0.0;
  bool decoupled = false;  // false: Adam, g + weight_decay w; true: AdamW, w <- w - lr weight_decay w
};

/// Kingma and Ba 2015, algorithm 1, with bias correction: m <- b1 m + (1-b1) g, v <- b2 v + (1-b2) g^2,
/// w <- w - lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps). AdamW: Loshchilov and Hutter 2019, algorithm 2,
/// with the decay multiplied by lr. State: "m" {d}, "v" {d}, "step".
class Adam : public UpdateRule {
 public:
  /// Errors: an option out of its range; an eps that is 0 in the dtype of w.
  explicit Adam(const ParameterVector& w, const AdamOptions& options = {});
  const char* name() const override { return options_.decoupled ? "adamw" : "adam"; }
  void describe(Inventory& it) override;
  const Tensor* momentum() const override { return &m_; }

 protected:
  void step(ParameterVector& w, const Tensor& direction, const StepInfo& now) override;
  std::vector<Tensor*> state() override;
  Bounds after(const Bounds& before, double direction, double lr) const override;

 private:
  AdamOptions options_;
  Tensor m_, v_;  // {d}
  Tensor step_;   // i64 {}
};

/// The defaults are EfficientNet's recipe, as google-research/sam has it.
struct RmsPropOptions {
  double alpha = 0.9;           // [0, 1): the mean of squares
  double eps = 1e-3;            // > 0
  double momentum = 0.9;        // [0, 1)
  double weight_decay = 0.0;    // coupled: d = g + weight_decay w
  bool eps_inside_root = true;  // TensorFlow's form; false: PyTorch's
};

/// RMSProp (Tieleman and Hinton 2012) with momentum: d = g + weight_decay w; s <- alpha s + (1-alpha) d^2;
/// v <- momentum v + d / sqrt(s + eps), v = 0 at first; w <- w - lr v. In TensorFlow's form s starts at 1; in
/// PyTorch's at 0, and the root is sqrt(s) + eps. In both lr multiplies v when it is applied (TensorFlow 1
/// itself has lr inside v: the two differ once lr changes). State: "square" {d}, "momentum" {d} where
/// momentum > 0, "step".
class RmsProp : public UpdateRule {
 public:
  /// Errors: an option out of its range; an eps that is 0 in the dtype of w.
  explicit RmsProp(const ParameterVector& w, const RmsPropOptions& options = {});
  const char* name() const override { return "rmsprop"; }
  void describe(Inventory& it) override;
  const Tensor* momentum() const override { return velocity_.defined() ? &velocity_ : nullptr; }

 protected:
  void step(ParameterVector& w, const Tensor& direction, const StepInfo& now) override;
  std::vector<Tensor*> state() override;
  Bounds after(const Bounds& before, double direction, double lr) const override;

 private:
  RmsPropOptions options_;
  Tensor square_;    // {d}
  Tensor velocity_;  // {d}; undefined without momentum
  Tensor step_;      // i64 {}
};

struct LionOptions {
  double beta1 = 0.9, beta2 = 0.99;  // [0, 1)
  double weight_decay = 0.0;         // decoupled: w <- w - lr weight_decay w
};

/// Lion (Chen et al. 2023, algorithm 2): u = sign(b1 m + (1-b1) g), with sign(0) = 0; w <- w - lr (u +
/// weight_decay w); m <- b2 m + (1-b2) g, m = 0 at first. Every weight moves by lr: the rate is three to
/// ten times less than Adam's. State: "m" {d}, "step".
class Lion : public UpdateRule {
 public:
  /// Errors: an option out of its range.
  explicit Lion(const ParameterVector& w, const LionOptions& options = {});
  const char* name() const override { return "lion"; }
  void describe(Inventory& it) override;
  const Tensor* momentum() const override { return &m_; }

 protected:
  void step(ParameterVector& w, const Tensor& direction, const StepInfo& now) override;
  std::vector<Tensor*> state() override;
  Bounds after(const Bounds& before, double direction, double lr) const override;

 private:
  LionOptions options_;
  Tensor m_;     // {d}
  Tensor step_;  // i64 {}
};

}  // namespace basin::optim
