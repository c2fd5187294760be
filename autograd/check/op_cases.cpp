#include "autograd/check/op_cases.h"

#include <algorithm>

#include "autograd/check/op_cases_support.h"

namespace basin {

std::vector<OpCase> op_cases() {
  std::vector<OpCase> all;
  for (std::vector<OpCase> group : {arithmetic_cases(), function_cases(), reduction_cases(), shaping_cases(),
                                    product_cases(), normalization_cases(), loss_cases()})
    std::move(group.begin(), group.end(), std::back_inserter(all));
  return all;
}

CheckRow check_op(const OpCase& op, int order, Device device) {
  CheckRow row;
  row.op = op.name;
  row.orders.resize(static_cast<std::size_t>(order));
  for (const OpInstance& instance : op.instances) {
    ++row.cases;
    Tensors inputs;
    for (const Tensor& x : instance.inputs) inputs.push_back(x.to(device));
    const std::vector<CheckErrors> found = check_gradients(instance.function, inputs, {.order = order});
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
