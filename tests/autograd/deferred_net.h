// What the tests of waiting results run: two convolutions and two norms, in a DeferralScope or at once.
#pragma once

#include <string>

#include "autograd/gradients.h"
#include "autograd/node.h"
#include "autograd/ops/deferred.h"
#include "core/conv_algorithm.h"
#include "tests/core/tensor_testing.h"

namespace deferred_net {

using namespace tensor_testing;

inline const Shape kX{3, 8, 8, 16};
inline const ConvOptions kSame{.pad_h = 1, .pad_w = 1};

/// Two convolutions and two norms, and what goes through them.
struct Net {
  Variable x, gamma, beta, gamma2, beta2, w, w2, other;
  Tensor mean, var;

  explicit Net(Dtype dtype = Dtype::f32)
      : x(Variable::parameter(random(kX, dtype, 1, -1, 3), "x")),
        gamma(Variable::parameter(random({16}, dtype, 2, -1.5, 1.5), "gamma")),
        beta(Variable::parameter(random({16}, dtype, 3), "beta")),
        gamma2(Variable::parameter(random({16}, dtype, 4, 0.5, 1.5), "gamma2")),
        beta2(Variable::parameter(random({16}, dtype, 5), "beta2")),
        w(Variable::parameter(random({3, 3, 16, 16}, dtype, 6), "w")),
        w2(Variable::parameter(random({3, 3, 16, 16}, dtype, 7), "w2")),
        other(Variable::parameter(random(kX, dtype, 8), "other")),
        mean(random({16}, dtype, 9, 0.5, 1.5)),
        var(random({16}, dtype, 10, 0.5, 1.5)) {}

  Variables all() const { return {x, gamma, beta, gamma2, beta2, w, w2, other}; }
  Variable conv(const Variable& in) const { return conv2d(in, w, kSame); }
  Variable conv2(const Variable& in) const { return conv2d(in, w2, kSame); }
  Variable norm(const Variable& in) const { return batch_norm_train(in, gamma, beta).y; }
  Variable norm2(const Variable& in) const { return batch_norm_train(in, gamma2, beta2).y; }
  Variable norm_given(const Variable& in) const { return batch_norm_eval(in, gamma, beta, mean, var); }
};

using Body = Variable (*)(const Net&);

/// body's result, formed where its ops are called, or as readers ask for it.
inline Variable run(const Net& net, Body body, bool waits) {
  if (!waits) return body(net);
  DeferralScope scope;
  const Variable y = body(net);
  scope.finish();
  return formed(y);
}

inline Tensors gradients_of(const Net& net, const Variable& y) {
  return gradients(y, net.all(), {.cotangent = random(y.shape(), y.dtype(), 20)});
}

/// The value's bits and the gradients, up to the rounding of sums that are cut differently.
inline void check_alike(Body body) {
  for (Dtype dtype : kBothDtypes)
    for (ConvAlgorithm algorithm : {ConvAlgorithm::direct, ConvAlgorithm::winograd4}) {
      const WithConvAlgorithm with(algorithm);
      const Net net(dtype);
      const Variable got = run(net, body, true), want = run(net, body, false);
      CHECK(same_bits(got.value(), want.value()));
      const Tensors a = gradients_of(net, got), b = gradients_of(net, want);
      for (std::size_t i = 0; i < a.size(); ++i) {
        CAPTURE(i);
        Tensor difference = a[i].clone();
        axpby(-1, b[i], 1, difference);
        CHECK(norm(difference) <= (dtype == Dtype::f32 ? 2e-5 : 1e-12) * (norm(b[i]) + 1e-6));
      }
    }
}

inline std::string op_of(const Variable& y) { return y.node()->op(); }
inline std::string op_of_input(const Variable& y, std::size_t i) {
  return y.node()->inputs().at(i).node->op();
}

}  // namespace deferred_net
