#include "autograd/check/op_cases_support.h"

namespace basin {

template <class Draw>
Tensor Draws::filled(const Shape& shape, Draw draw) {
  std::vector<double> values(static_cast<std::size_t>(shape.elements()));
  for (double& v : values) v = draw();
  return Tensor::from(values, shape);
}

Tensor Draws::normal(const Shape& shape) {
  return filled(shape, [&] { return random_.normal(); });
}

Tensor Draws::between(const Shape& shape, double low, double high) {
  return filled(shape, [&] { return random_.uniform(low, high); });
}

Tensor Draws::both_signs(const Shape& shape, double low, double high) {
  return filled(shape, [&] {
    const double sign = random_.below(2) == 0 ? -1 : 1;
    return sign * random_.uniform(low, high);
  });
}

Tensor Draws::distinct(const Shape& shape, double step, double offset) {
  const std::vector<std::int64_t> places = permutation(shape.elements(), random_.bits(), Stream::probe, 0);
  std::size_t i = 0;
  return filled(shape, [&] {
    return offset + step * (static_cast<double>(places[i++]) - static_cast<double>(places.size() / 2));
  });
}

}  // namespace basin
