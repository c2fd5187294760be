// Differentiable ops that move numbers without changing them. All are linear: each one's derivative is the op
// that moves the cotangent back.
#include "autograd/ops/op_support.h"

namespace basin {

Variable reshape(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return record("reshape", x.value().reshape(shape), {x}, Keep::nothing,
                [](const Backward& b) -> Variables { return {reshape(b.grad(), b.input_shape(0))}; });
}

Variable permute(const Variable& x, const Axes& perm) {
  Tensor value = permute(x.value(), perm);
  Axes inverse(perm.size());
  for (std::size_t k = 0; k < perm.size(); ++k)
    inverse[static_cast<std::size_t>(x.shape().axis(perm[k], "permute"))] = static_cast<int>(k);
  return record({"permute", perm}, std::move(value), {x}, Keep::nothing,
                [inverse](const Backward& b) -> Variables { return {permute(b.grad(), inverse)}; });
}

Variable transpose(const Variable& x) {
  if (x.rank() < 2) throw ArgumentError("[transpose] expects two axes or more, x is ", x.shape());
  Axes perm;
  for (int i = 0; i < x.rank(); ++i) perm.push_back(i);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return permute(x, perm);
}

Variable slice(const Variable& x, const Shape& begin, const Shape& end) {
  Tensor value = slice(x.value(), begin, end);
  Shape after;
  for (int i = 0; i < x.rank(); ++i) after.push_back(x.shape()[i] - end[i]);
  return record({"slice", attribute::Block{begin, end}}, std::move(value), {x}, Keep::nothing,
                [begin, after](const Backward& b) -> Variables { return {pad(b.grad(), begin, after)}; });
}

Variable pad(const Variable& x, const Shape& before, const Shape& after) {
  Tensor value = pad(x.value(), before, after);
  Shape end;
  for (int i = 0; i < x.rank(); ++i) end.push_back(before[i] + x.shape()[i]);
  return record({"pad", attribute::Block{before, after}}, std::move(value), {x}, Keep::nothing,
                [before, end](const Backward& b) -> Variables { return {slice(b.grad(), before, end)}; });
}

Variable concat(const Variables& parts, int axis) {
  Tensors values;
  for (const Variable& part : parts) values.push_back(part.value());
  Tensor value = concat(values, axis);
  const int a = value.shape().axis(axis, "concat");
  return record({"concat", Axes{a}}, std::move(value), parts, Keep::nothing,
                [a, count = parts.size()](const Backward& b) -> Variables {
                  Variables grads(count);
                  Shape begin, end = b.grad().shape();
                  for (int i = 0; i < end.rank(); ++i) begin.push_back(0);
                  for (std::size_t i = 0; i < count; ++i) {
                    end[a] = begin[a] + b.input_shape(i)[a];
                    if (b.needs(i)) grads[i] = slice(b.grad(), begin, end);
                    begin[a] = end[a];
                  }
                  return grads;
                });
}

Variable broadcast_to(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return record("broadcast_to", broadcast_to(x.value(), shape), {x}, Keep::nothing,
                [](const Backward& b) -> Variables { return {sum_to(b.grad(), b.input_shape(0))}; });
}

Variable sum_to(const Variable& x, const Shape& shape) { return sum_to(x, shape, x.dtype()); }

Variable sum_to(const Variable& x, const Shape& shape, Dtype dtype) {
  if (x.shape() == shape) return to(x, dtype);
  return record("sum_to", sum_to(x.value(), shape, dtype), {x}, Keep::nothing,
                [](const Backward& b) -> Variables {
                  return {broadcast_to(to(b.grad(), b.input_dtype(0)), b.input_shape(0))};
                });
}

}  // namespace basin
