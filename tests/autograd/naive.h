// The ops once more, as slow loops over doubles that a reader can check by eye: what the fast ones are
// compared with.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/check/check_gradients.h"
#include "core/conv_geometry.h"
#include "core/tensor.h"

namespace basin::naive {

/// Numbers in row-major order.
struct Array {
  Shape shape;
  std::vector<double> values;

  explicit Array(const Shape& s) : shape(s), values(static_cast<std::size_t>(s.elements())) {}
  explicit Array(const Tensor& t) : shape(t.shape()), values(t.to_vector<double>()) {}

  /// The element at a place, one index per axis.
  double& operator()(const std::vector<Index>& place);
  double operator()(const std::vector<Index>& place) const;
};

/// Calls body(place) for every place of a shape, the last axis fastest.
void for_places(const Shape& shape, const std::function<void(const std::vector<Index>& place)>& body);

Array map(const Array& x, const std::function<double(double)>& f);
Array zip(const Array& x, const Array& y, const std::function<double(double, double)>& f);  // broadcasting
Array broadcast(const Array& x, const Shape& shape);
Array fold(const Array& x, const Axes& axes, bool keep, double start,
           const std::function<double(double, double)>& f);
Array matmul(const Array& a, const Array& b);  // {m,k} {k,n}
Array transpose(const Array& x);               // {m,n}
Array conv2d(const Array& x, const Array& w, const ConvGeometry& g);
Array conv2d_input_grad(const Array& dy, const Array& w, const ConvGeometry& g);
Array conv2d_weight_grad(const Array& x, const Array& dy, const ConvGeometry& g);
Array max_pool(const Array& x, const ConvGeometry& g);
Array avg_pool(const Array& x, const ConvGeometry& g, bool count_pad);
/// (x - mean) / sqrt(var + eps) over all axes but the last, or over the last axis.
Array normalize_columns(const Array& x, double eps);
Array normalize_rows(const Array& x, double eps);
Array log_softmax(const Array& x);

}  // namespace basin::naive

namespace basin {

/// A value to compare: f at `inputs` (f64; also run in f32) and what the slow loop gives.
struct ValueCase {
  std::string op;  // the name of its row in the table of ops
  Function function;
  Tensors inputs;
  naive::Array expected;
};

std::vector<ValueCase> elementwise_values();
std::vector<ValueCase> shaping_values();
std::vector<ValueCase> network_values();

}  // namespace basin
