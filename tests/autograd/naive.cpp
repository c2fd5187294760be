#include "tests/autograd/naive.h"

#include <cmath>
#include <limits>

namespace basin::naive {
namespace {

std::size_t flat(const Shape& shape, const std::vector<Index>& place) {
  Index at = 0;
  for (int i = 0; i < shape.rank(); ++i) at = at * shape[i] + place[static_cast<std::size_t>(i)];
  return static_cast<std::size_t>(at);
}

/// The place in x that a broadcast place reads.
std::vector<Index> source(const Shape& x, const std::vector<Index>& place) {
  std::vector<Index> from(place.end() - x.rank(), place.end());
  for (int i = 0; i < x.rank(); ++i)
    if (x[i] == 1) from[static_cast<std::size_t>(i)] = 0;
  return from;
}

using Tap = std::function<void(const std::vector<Index>& x, const std::vector<Index>& w,
                               const std::vector<Index>& y)>;

/// Every product x w that a convolution sums into y.
void for_taps(const ConvGeometry& g, const Tap& tap) {
  const Index cg = g.in_c / g.groups, kg = g.out_c / g.groups;
  for_places(g.y_shape(), [&](const std::vector<Index>& y) {
    for (Index r = 0; r < g.kernel_h; ++r)
      for (Index s = 0; s < g.kernel_w; ++s)
        for (Index c = 0; c < cg; ++c) {
          const Index h = y[1] * g.stride_h - g.pad_h + r, w = y[2] * g.stride_w - g.pad_w + s;
          if (h < 0 || h >= g.in_h || w < 0 || w >= g.in_w) continue;
          tap({y[0], h, w, y[3] / kg * cg + c}, {r, s, c, y[3]}, y);
        }
  });
}

/// Rows of the last axis, each given to `f`.
Array by_rows(const Array& x, const std::function<std::vector<double>(const std::vector<double>&)>& f) {
  Array out(x.shape);
  const std::size_t n = static_cast<std::size_t>(x.shape[x.shape.rank() - 1]);
  for (std::size_t at = 0; at + n <= x.values.size() && n > 0; at += n) {
    const std::vector<double> row = f({x.values.begin() + static_cast<std::ptrdiff_t>(at),
                                       x.values.begin() + static_cast<std::ptrdiff_t>(at + n)});
    for (std::size_t j = 0; j < n; ++j) out.values[at + j] = row[j];
  }
  return out;
}

std::vector<double> normalized(const std::vector<double>& row, double eps) {
  const double n = static_cast<double>(row.size());
  double mean = 0, var = 0;
  for (double v : row) mean += v / n;
  for (double v : row) var += (v - mean) * (v - mean) / n;
  std::vector<double> out;
  for (double v : row) out.push_back((v - mean) / std::sqrt(var + eps));
  return out;
}

}  // namespace

double& Array::operator()(const std::vector<Index>& place) { return values.at(flat(shape, place)); }
double Array::operator()(const std::vector<Index>& place) const { return values.at(flat(shape, place)); }

void for_places(const Shape& shape, const std::function<void(const std::vector<Index>& place)>& body) {
  std::vector<Index> place(static_cast<std::size_t>(shape.rank()));
  for (Index n = 0; n < shape.elements(); ++n) {
    Index rest = n;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      place[static_cast<std::size_t>(i)] = rest % shape[i];
      rest /= shape[i];
    }
    body(place);
  }
}

Array map(const Array& x, const std::function<double(double)>& f) {
  Array out = x;
  for (double& v : out.values) v = f(v);
  return out;
}

Array zip(const Array& x, const Array& y, const std::function<double(double, double)>& f) {
  Array out(broadcast_shapes(x.shape, y.shape, "zip"));
  for_places(out.shape,
             [&](const std::vector<Index>& p) { out(p) = f(x(source(x.shape, p)), y(source(y.shape, p))); });
  return out;
}

Array broadcast(const Array& x, const Shape& shape) {
  Array out(shape);
  for_places(shape, [&](const std::vector<Index>& p) { out(p) = x(source(x.shape, p)); });
  return out;
}

Array fold(const Array& x, const Axes& axes, bool keep, double start,
           const std::function<double(double, double)>& f) {
  Array out(reduced_shape(x.shape, axes, true, "fold"));
  for (double& v : out.values) v = start;
  for_places(x.shape, [&](const std::vector<Index>& p) {
    double& total = out(source(out.shape, p));
    total = f(total, x(p));
  });
  out.shape = reduced_shape(x.shape, axes, keep, "fold");
  return out;
}

Array matmul(const Array& a, const Array& b) {
  Array out(Shape{a.shape[0], b.shape[1]});
  for (Index i = 0; i < a.shape[0]; ++i)
    for (Index j = 0; j < b.shape[1]; ++j)
      for (Index k = 0; k < a.shape[1]; ++k) out({i, j}) += a({i, k}) * b({k, j});
  return out;
}

Array transpose(const Array& x) {
  Array out(Shape{x.shape[1], x.shape[0]});
  for_places(x.shape, [&](const std::vector<Index>& p) { out({p[1], p[0]}) = x(p); });
  return out;
}

Array conv2d(const Array& x, const Array& w, const ConvGeometry& g) {
  Array y(g.y_shape());
  for_taps(g, [&](const auto& px, const auto& pw, const auto& py) { y(py) += x(px) * w(pw); });
  return y;
}

Array conv2d_input_grad(const Array& dy, const Array& w, const ConvGeometry& g) {
  Array dx(g.x_shape());
  for_taps(g, [&](const auto& px, const auto& pw, const auto& py) { dx(px) += dy(py) * w(pw); });
  return dx;
}

Array conv2d_weight_grad(const Array& x, const Array& dy, const ConvGeometry& g) {
  Array dw(g.w_shape());
  for_taps(g, [&](const auto& px, const auto& pw, const auto& py) { dw(pw) += x(px) * dy(py); });
  return dw;
}

namespace {
/// The pixels inside the window of an output place.
std::vector<double> window(const Array& x, const ConvGeometry& g, const std::vector<Index>& y) {
  std::vector<double> inside;
  for (Index r = 0; r < g.kernel_h; ++r)
    for (Index s = 0; s < g.kernel_w; ++s) {
      const Index h = y[1] * g.stride_h - g.pad_h + r, w = y[2] * g.stride_w - g.pad_w + s;
      if (h >= 0 && h < g.in_h && w >= 0 && w < g.in_w) inside.push_back(x({y[0], h, w, y[3]}));
    }
  return inside;
}
}  // namespace

Array max_pool(const Array& x, const ConvGeometry& g) {
  Array y(g.y_shape());
  for_places(y.shape, [&](const std::vector<Index>& p) {
    y(p) = -std::numeric_limits<double>::infinity();
    for (double v : window(x, g, p)) y(p) = std::max(y(p), v);
  });
  return y;
}

Array avg_pool(const Array& x, const ConvGeometry& g, bool count_pad) {
  Array y(g.y_shape());
  for_places(y.shape, [&](const std::vector<Index>& p) {
    const std::vector<double> inside = window(x, g, p);
    const double count =
        count_pad ? static_cast<double>(g.kernel_h * g.kernel_w) : static_cast<double>(inside.size());
    for (double v : inside) y(p) += v / count;
  });
  return y;
}

Array normalize_columns(const Array& x, double eps) {
  const Index c = x.shape[x.shape.rank() - 1];
  Array rows(Shape{x.shape.elements() / c, c});
  rows.values = x.values;
  Array out = transpose(normalize_rows(transpose(rows), eps));
  out.shape = x.shape;
  return out;
}

Array normalize_rows(const Array& x, double eps) {
  return by_rows(x, [eps](const std::vector<double>& row) { return normalized(row, eps); });
}

Array log_softmax(const Array& x) {
  return by_rows(x, [](const std::vector<double>& row) {
    double total = 0;
    for (double v : row) total += std::exp(v);
    std::vector<double> out;
    for (double v : row) out.push_back(v - std::log(total));
    return out;
  });
}

}  // namespace basin::naive
