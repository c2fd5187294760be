// The members of the SAM family as points in the space of Sam's options, each with its paper.
#pragma once

#include "optim/gradient/sam.h"

namespace basin::optim {

/// ASAM, Kwon et al. 2021: the ball scaled by |w| + eta, so that e does not change when a layer's weights are
/// multiplied by a constant and its output divided by it. Biases are not scaled. rho 0.5 on CIFAR-10, 1 on
/// CIFAR-100.
SamOptions asam(double rho = 0.5, double eta = 0.01);
/// ASAM as the widespread PyTorch port by davda54 computes it: |w| for all parameters, no eta. rho 2.
SamOptions asam_davda54(double rho = 2);
/// "Adaptive" as in big_vision: e = rho |w| g/|g|.
SamOptions asam_big_vision(double rho = 0.05);

/// GSAM, Zhuang et al. 2022: g_s minus alpha times the part of g orthogonal to it. The paper's rho follows
/// the learning rate (RadiusKind::with_lr).
SamOptions gsam(double rho = 0.05, double alpha = 0.4);
/// GNP, Zhao et al. 2022 (penalising the gradient norm): (1 - alpha) g + alpha g_s with alpha = lambda / r.
/// alpha = 0 is the plain rule in two passes, 1 is SAM; above 1 it is WSAM (Yue et al. 2023) with coupled
/// decay and gamma / (1 - gamma) = alpha.
SamOptions gnp(double r = 0.1, double alpha = 0.8);
/// Friendly SAM, Li et al. 2024: climb along the gradient less sigma times its running mean.
SamOptions fsam(double rho = 0.2, double sigma = 1, double lambda = 0.9);
/// VaSSO, Li and Giannakis 2023: climb along the running mean of gradients, this step's included.
SamOptions vasso(double rho = 0.1, double theta = 0.4);
/// LookSAM, Liu et al. 2022: SAM every k-th step, its orthogonal part used again in between. 1 + 1/k passes.
SamOptions looksam(double rho = 0.1, double alpha = 0.7, std::int64_t k = 10);
/// SAM every k-th step, plain steps in between. 1 + 1/k passes.
SamOptions interval_sam(double rho = 0.5, std::int64_t k = 10);
/// MSAM, Becker et al. 2024, as released: the gradient at w - rho v/|v|, v the momentum buffer. One pass.
SamOptions msam(double rho = 3);
/// SAM-ON, Mueller et al. 2023: only normalisation layers are perturbed. Wants a much larger rho.
SamOptions sam_on(double rho = 0.5);
/// Un-normalised SAM, Andriushchenko and Flammarion 2022: e = rho g.
SamOptions usam(double rho = 0.05);
/// K steps uphill of rho/K each, K + 1 passes (Foret et al. 2021, appendix C.6).
SamOptions k_step_sam(double rho = 0.05, int k = 2);

}  // namespace basin::optim
