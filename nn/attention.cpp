#include "nn/attention.h"

#include <cmath>

namespace basin::nn {

SelfAttention::SelfAttention(Index width, Index heads, Initializer& init) : heads_(heads) {
  if (width < 1 || heads < 1)
    throw ArgumentError("[self_attention] width and heads must be at least 1, got ", width, " and ", heads);
  if (width % heads != 0)
    throw ArgumentError("[self_attention] ", heads, " heads do not divide a width of ", width);
  const double bound = 1 / std::sqrt(static_cast<double>(width));
  in_weight_ = Variable::parameter(init.xavier_uniform({3 * width, width}));
  in_bias_ = Variable::parameter(init.zeros({3 * width}));
  out_weight_ = Variable::parameter(init.uniform({width, width}, -bound, bound));
  out_bias_ = Variable::parameter(init.zeros({width}));
}

void SelfAttention::describe(Inventory& it) {
  it.parameter("in_proj_weight", in_weight_);
  it.parameter("in_proj_bias", in_bias_, ParameterRole::bias);
  it.parameter("out_proj.weight", out_weight_);
  it.parameter("out_proj.bias", out_bias_, ParameterRole::bias);
}

Index SelfAttention::multiply_adds(const Shape& in, const Shape&) const {
  const Index samples = in[0], tokens = in[1], width = in[2];
  return samples * tokens * width * (4 * width + 2 * tokens);
}

Variable SelfAttention::forward(const Variable& x, Context&) {
  const Index samples = x.size(0), tokens = x.size(1), width = x.size(2), depth = width / heads_;
  const Variable all = linear(x, in_weight_, in_bias_);
  const auto head_rows = [&](Index part) {  // {N,H,S,d} of the part-th of q, k, v
    const Variable block = slice(all, {0, 0, part * width}, {samples, tokens, (part + 1) * width});
    return permute(reshape(block, {samples, tokens, heads_, depth}), {0, 2, 1, 3});
  };
  const Variable q = head_rows(0) * (1 / std::sqrt(static_cast<double>(depth)));
  const Variable weights = softmax(matmul(q, head_rows(1), false, true));
  const Variable mixed = permute(matmul(weights, head_rows(2)), {0, 2, 1, 3});
  return linear(reshape(mixed, {samples, tokens, width}), out_weight_, out_bias_);
}

}  // namespace basin::nn
