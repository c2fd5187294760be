#include "autograd/op_cases.h"

#include <algorithm>

#include "autograd/op_cases_support.h"

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

std::vector<OpCase> op_cases() {
  std::vector<OpCase> all;
  for (std::vector<OpCase> group : {arithmetic_cases(), function_cases(), reduction_cases(), shaping_cases(),
                                    product_cases(), normalization_cases(), loss_cases()})
    std::move(group.begin(), group.end(), std::back_inserter(all));
  return all;
}

CheckRow check_op(const OpCase& op, int order) {
  CheckRow row;
  row.op = op.name;
  row.orders.resize(static_cast<std::size_t>(order));
  for (const OpInstance& instance : op.instances) {
    ++row.cases;
    const std::vector<CheckErrors> found =
        check_gradients(instance.function, instance.inputs, {.order = order});
    for (std::size_t k = 0; k < found.size(); ++k) {
      row.orders[k].absolute = std::max(row.orders[k].absolute, found[k].absolute);
      row.orders[k].relative = std::max(row.orders[k].relative, found[k].relative);
      if (found[k].passed) continue;
      if (row.passed)
        row.first_failure = text(instance.label, ", order ", k + 1, ": ", found[k].first_failure);
      row.orders[k].passed = row.passed = false;
    }
  }
  return row;
}

}  // namespace basin
