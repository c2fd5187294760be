// Muon: steps of orthogonalised momentum for matrices, AdamW for the rest.
#pragma once

#include "optim/update/update_rule.h"

namespace basin::optim {

/// What the orthogonal step of a matrix with `out` rows and `in` columns is multiplied by.
enum class MuonScale {
  shape,  // sqrt(max(1, out / in)): Jordan's code
  rms,    // 0.2 sqrt(max(out, in)): numbers as large as AdamW's steps have them, so that one rate suits both
};

struct MuonOptions {
  double momentum = 0.95;  // [0, 1)
  bool nesterov = true;
  int iterations = 5;  // of Newton-Schulz, >= 1
  MuonScale scale = MuonScale::rms;
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;  // of AdamW
  double weight_decay = 0.0;                     // decoupled: w <- w - lr weight_decay w, of all that decays
};

/// Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the scale rms from Liu et
/// al. 2025, "Muon is Scalable for LLM Training". For each matrix W, with d its part of the direction:
///
///     m <- momentum m + (1 - momentum) d
///     u = m                                     Nesterov: momentum m + (1 - momentum) d
///     W <- W - lr weight_decay W - lr scale orthogonal(u)
///
/// Matrices are the weights of convolutions, as output channels by all else, and of linear layers, but for
/// the last one, which is the head; weights of any other rank (embeddings), biases and normalisation layers
/// step as AdamW's do. State: "m" {d}, "v" {d} (AdamW's second moment, 0 at matrices), "step".
class Muon : public UpdateRule {
 public:
  /// Errors: an option out of its range; an eps that is 0 in the dtype of w.
  explicit Muon(const ParameterVector& w, const MuonOptions& options = {});
  const char* name() const override { return "muon"; }
  void describe(Inventory& it) override;
  const Tensor* momentum() const override { return &m_; }
  /// How many matrices there are; none: all of it is AdamW.
  std::int64_t matrices() const;

 protected:
  void step(ParameterVector& w, const Tensor& direction, const StepInfo& now) override;
  std::vector<Tensor*> state() override;
  Bounds after(const Bounds& before, double direction, double lr) const override;

 private:
  /// A stretch of w: a matrix, or neighbours of which none is one.
  struct Part {
    Index begin = 0, end = 0;
    Shape matrix{};    // rank 0: AdamW's
    double scale = 0;  // of a matrix
    bool decays = true;
  };
  void step_matrix(const Part& part, Tensor w, const Tensor& direction, const Scalar& lr);

  MuonOptions options_;
  std::vector<Part> parts_;
  Tensor m_, v_;  // {d}
  Tensor step_;   // i64 {}
};

/// u with its singular values brought to about 1 (0.7 to 1.2): X <- a X + (b X X^T + c (X X^T)^2) X so many
/// times, from X = u / (|u| + 1e-7), with Jordan's a = 3.4445, b = -4.775, c = 2.0315. u is a matrix; zero
/// stays zero.
Tensor orthogonal(const Tensor& u, int iterations = 5);

}  // namespace basin::optim
