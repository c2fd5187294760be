// Ascent: from a gradient to the perturbation e, the step uphill that the SAM family shares.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/scalar.h"
#include "optim/parameter_vector.h"

namespace basin::optim {

/// The ball in which e lies: |T^-1 e|_p <= rho, T diagonal.
enum class Scaling {
  none,      // T = 1
  weights,   // ASAM's paper: |w| + eta for weights and normalisation scales, 1 for biases and shifts
  all,       // |w| + eta for every parameter (davda54's ASAM: with eta = 0)
  outer,     // big_vision's: e = rho |w| g/|g|, the gradient's own norm below
  segments,  // |w_s| + eta with |w_s| the norm of a weight tensor; 1 for biases and shifts
};

/// Which parameters are perturbed. Norms are taken over these alone.
enum class Perturbed { all, norms /* SAM-ON */, no_biases, named };

/// A radius of its own for a group of parameters: their part of e is multiplied by `factor`, after the one
/// norm over all was taken: e_s = factor rho g_s / |g|, as parameter groups with their own rho in the PyTorch
/// ports. 0 keeps a group where it is and leaves it in the norm. Of several patterns that match a name the
/// first counts; a parameter that none matches has 1.
struct RadiusFactor {
  std::string name;  // "fc.weight", "layer3.*"
  double factor = 1;
};

struct AscentOptions {
  double p = 2;           // the ball's norm: 2, infinity, or any p > 1
  bool normalise = true;  // false: e = rho T^2 g, the un-normalised SAM
  Scaling scaling = Scaling::none;
  double eta = 0.01;  // of scaling
  Perturbed perturbed = Perturbed::all;
  std::vector<std::string> names = {};  // Perturbed::named: "fc.weight", "layer3.*"
  std::vector<RadiusFactor> factors = {};
};

/// e as scale * vector. Where e = 0 the vector is undefined, as far as the host knows; on a device, which the
/// host does not wait for, the scale is then 0.
struct Climb {
  Tensor vector;
  Scalar scale = 0;
  Scalar moves = 1;  // condition: e is not 0
  explicit operator bool() const { return vector.defined(); }

  /// This climb where the condition holds, else none.
  Climb where(const Scalar& condition) const {
    if (!vector.defined() || !possibly(condition)) return {};
    return {vector, select(condition, scale, 0), both(moves, condition)};
  }
};

/// e = the maximiser of g . e over |T^-1 e|_p <= rho (Foret et al. 2021, eq. (2); with T: Kwon et al. 2021,
/// eq. (10)). With x = T g and 1/p + 1/q = 1,
///
///     e = rho T sign(x) |x|^(q-1) / (|x|_q^q)^(1/p)
///
/// one norm over all perturbed parameters: rho T^2 g / |T g| for p = 2, rho T sign(g) for p = infinity.
class Ascent {
 public:
  /// `rule` names whoever owns it, for errors: p not above 1; eta or a factor negative or not finite; names
  /// missing or in vain; un-normalised or `outer` with p other than 2.
  Ascent(const char* rule, const AscentOptions& options);

  /// Errors: none of these parameters is one to perturb, or has one of the names (each must match, also those
  /// of the factors).
  void check(const ParameterVector& w) const;

  /// e for the gradient g at w; nothing where it has no direction: rho = 0, no gradient, or one so small that
  /// rho / |g| overflows. g_norm is |g| if the caller has it. Errors: rho known and negative or not finite;
  /// those of check().
  Climb operator()(const ParameterVector& w, const Tensor& g, const Scalar& rho,
                   const std::optional<Scalar>& g_norm = {}) const;

  const AscentOptions& options() const { return options_; }

 private:
  bool moves(const Segment& segment) const;
  Tensor scales(const ParameterVector& w) const;
  Climb climb(const ParameterVector& w, const Tensor& gradient, const Scalar& rho,
              std::optional<Scalar> g_norm) const;
  double factor_of(const Segment& segment) const;

  std::string rule_;
  AscentOptions options_;
};

}  // namespace basin::optim
