#include "optim/gradient/sam_family.h"

namespace basin::optim {

SamOptions asam(double rho, double eta) {
  return {.rho = rho, .name = "asam", .scaling = Scaling::weights, .eta = eta};
}
SamOptions asam_davda54(double rho) {
  return {.rho = rho, .name = "asam", .scaling = Scaling::all, .eta = 0};
}
SamOptions asam_big_vision(double rho) { return {.rho = rho, .name = "asam", .scaling = Scaling::outer}; }
SamOptions gsam(double rho, double alpha) {
  return {.rho = rho, .name = "gsam", .combine = Combine::orthogonal, .alpha = alpha};
}
SamOptions gnp(double r, double alpha) {
  return {.rho = r, .name = "gnp", .combine = Combine::mix, .alpha = alpha};
}
SamOptions fsam(double rho, double sigma, double lambda) {
  return {.rho = rho, .name = "fsam", .along = ClimbAlong::residual, .sigma = sigma, .lambda = lambda};
}
SamOptions vasso(double rho, double theta) {
  return {.rho = rho, .name = "vasso", .along = ClimbAlong::mean, .theta = theta};
}
SamOptions looksam(double rho, double alpha, std::int64_t k) {
  return {.rho = rho, .name = "looksam", .alpha = alpha, .every = k, .between = Between::reuse};
}
SamOptions interval_sam(double rho, std::int64_t k) { return {.rho = rho, .every = k}; }
SamOptions msam(double rho) { return {.rho = rho, .name = "msam", .along = ClimbAlong::momentum}; }
SamOptions sam_on(double rho) { return {.rho = rho, .perturbed = Perturbed::norms}; }
SamOptions usam(double rho) { return {.rho = rho, .normalise = false}; }
SamOptions k_step_sam(double rho, int k) { return {.rho = rho, .inner_steps = k}; }

}  // namespace basin::optim
