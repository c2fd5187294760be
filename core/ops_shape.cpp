// Tensor functions that move numbers: permute, blocks, gather and scatter.
#include <algorithm>

#include "core/op_checks.h"
#include "core/ops.h"

namespace basin {
namespace {

using namespace checks;

/// s with the extent of one axis replaced.
Shape with_extent(Shape s, int axis, Index extent) {
  s[axis] = extent;
  return s;
}

Shape zeros_of_rank(int rank) {
  Shape s;
  for (int i = 0; i < rank; ++i) s.push_back(0);
  return s;
}

}  // namespace

Tensor permute(const Tensor& x, const Axes& perm) {
  expect_defined("permute", x, "x");
  Axes sorted;
  for (int a : perm) sorted.push_back(x.shape().axis(a, "permute"));
  Axes order = sorted;
  std::sort(sorted.begin(), sorted.end());
  if (static_cast<int>(perm.size()) != x.rank() ||
      std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    throw ArgumentError("[permute] expects each of the ", x.rank(), " axes of ", x.shape(), " once, got ",
                        perm.size(), " axes");
  Shape shape;
  for (int a : order) shape.push_back(x.shape()[a]);
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x, Work::shaping)->permute(x, order, out);
  return out;
}

Tensor slice(const Tensor& x, const Shape& begin, const Shape& end) {
  expect_defined("slice", x, "x");
  bool inside = begin.rank() == x.rank() && end.rank() == x.rank();
  Shape extent;
  for (int i = 0; inside && i < x.rank(); ++i) {
    inside = 0 <= begin[i] && begin[i] <= end[i] && end[i] <= x.shape()[i];
    if (inside) extent.push_back(end[i] - begin[i]);
  }
  if (!inside)
    throw ArgumentError("[slice] block from ", begin, " to ", end, " is not inside shape ", x.shape());
  Tensor out = Tensor::empty(extent, x.dtype(), x.device());
  if (out.elements() > 0)
    backend_of(x, Work::shaping)->copy_block(x, begin, out, zeros_of_rank(x.rank()), extent);
  return out;
}

Tensor pad(const Tensor& x, const Shape& before, const Shape& after) {
  expect_defined("pad", x, "x");
  if (before.rank() != x.rank() || after.rank() != x.rank())
    throw ArgumentError("[pad] expects ", x.rank(), " counts before and after for shape ", x.shape(),
                        ", got ", before, " and ", after);
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (before[i] < 0 || after[i] < 0)
      throw ArgumentError("[pad] counts are 0 or more, got ", before, " and ", after);
    shape.push_back(before[i] + x.shape()[i] + after[i]);
  }
  Tensor out = Tensor::zeros(shape, x.dtype(), x.device());
  if (x.elements() > 0)
    backend_of(x, Work::shaping)->copy_block(x, zeros_of_rank(x.rank()), out, before, x.shape());
  return out;
}

Tensor concat(const Tensors& parts, int axis) {
  if (parts.empty()) throw ArgumentError("[concat] no tensors to join");
  expect_defined("concat", parts[0], "part 0");
  const Shape& first = parts[0].shape();
  const int a = first.axis(axis, "concat");
  Index total = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Tensor& part = parts[i];
    expect_alike("concat", parts[0], "part 0", part, text("part ", i).c_str());
    if (part.rank() != first.rank() || with_extent(part.shape(), a, first[a]) != first)
      throw ArgumentError("[concat] shapes ", first, " and ", part.shape(), " differ outside axis ", a);
    if (__builtin_add_overflow(total, part.shape()[a], &total))
      throw ArgumentError("[concat] the joined axis ", a, " overflows");
  }
  Tensor out = Tensor::empty(with_extent(first, a, total), parts[0].dtype(), parts[0].device());
  if (a == 0 && !out.device().is_host()) {
    concatenate(parts, out);
    return out;
  }
  const Shape origin = zeros_of_rank(first.rank());
  Index position = 0;
  for (const Tensor& part : parts) {
    if (part.elements() > 0)
      backend_of(out, Work::shaping)
          ->copy_block(part, origin, out, with_extent(origin, a, position), part.shape());
    position += part.shape()[a];
  }
  return out;
}

void concatenate(const Tensors& parts, Tensor& out) {
  Index total = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    expect_alike("concatenate", out, "out", parts[i], text("part ", i).c_str());
    total += parts[i].elements();
  }
  if (total != out.elements())
    throw ArgumentError("[concatenate] parts of ", total, " numbers together, out is ", out.shape());
  if (total == 0) return;
  if (!out.device().is_host() && backend_of(out, Work::shaping)->concatenate(parts, out)) return;
  Index at = 0;
  for (const Tensor& part : parts) {
    out.view(at, part.shape()).copy_from(part);
    at += part.elements();
  }
}

Tensor gather(const Tensor& x, const Tensor& index, int axis) {
  expect_defined("gather", x, "x");
  const int a = x.shape().axis(axis, "gather");
  expect_index("gather", x, index, x.shape()[a]);
  if (index.rank() != 1)
    throw ArgumentError("[gather] index has shape ", index.shape(), ", expects one axis");
  Tensor out = Tensor::empty(with_extent(x.shape(), a, index.elements()), x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x, Work::shaping)->gather(x, index, a, out);
  return out;
}

Tensor scatter_add(const Tensor& x, const Tensor& index, int axis, Index extent) {
  expect_floating("scatter_add", x, "x");
  const int a = x.shape().axis(axis, "scatter_add");
  if (extent < 0) throw ArgumentError("[scatter_add] extent is 0 or more, got ", extent);
  expect_index("scatter_add", x, index, extent);
  if (index.shape() != Shape{x.shape()[a]})
    throw ArgumentError("[scatter_add] index has shape ", index.shape(), ", axis ", a, " of x ", x.shape(),
                        " expects {", x.shape()[a], "}");
  Tensor out = Tensor::zeros(with_extent(x.shape(), a, extent), x.dtype(), x.device());
  if (x.elements() > 0) backend_of(x, Work::shaping)->scatter_add(x, index, a, out);
  return out;
}

Tensor gather_last(const Tensor& x, const Tensor& index) {
  expect_defined("gather_last", x, "x");
  const Index extent = x.shape()[x.shape().axis(-1, "gather_last")];
  expect_index("gather_last", x, index, extent);
  if (index.rank() != x.rank() || leading(index.shape(), 1) != leading(x.shape(), 1))
    throw ArgumentError("[gather_last] index ", index.shape(), " and x ", x.shape(),
                        " differ outside the last axis");
  Tensor out = Tensor::empty(index.shape(), x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x, Work::shaping)->gather_last(x, index, out);
  return out;
}

Tensor scatter_add_last(const Tensor& x, const Tensor& index, Index extent) {
  expect_floating("scatter_add_last", x, "x");
  const int last = x.shape().axis(-1, "scatter_add_last");
  if (extent < 0) throw ArgumentError("[scatter_add_last] extent is 0 or more, got ", extent);
  expect_index("scatter_add_last", x, index, extent);
  expect_shape("scatter_add_last", index, "index", x.shape());
  Tensor out = Tensor::zeros(with_extent(x.shape(), last, extent), x.dtype(), x.device());
  if (x.elements() > 0) backend_of(x, Work::shaping)->scatter_add_last(x, index, out);
  return out;
}

Tensor one_hot(const Tensor& labels, Index classes, Dtype dtype) {
  if (classes < 1) throw ArgumentError("[one_hot] expects at least one class, got ", classes);
  if (!is_floating(dtype)) throw ArgumentError("[one_hot] expects f32 or f64, got ", dtype);
  expect_index("one_hot", labels, labels, classes, "label");
  Shape column = labels.shape(), shape = labels.shape();
  column.push_back(1);
  shape.push_back(classes);
  Tensor out = Tensor::zeros(shape, dtype, labels.device());
  const Tensor ones = Tensor::full(column, 1, dtype, labels.device());
  if (out.elements() > 0) backend_of(out, Work::shaping)->scatter_add_last(ones, labels.reshape(column), out);
  return out;
}

}  // namespace basin
