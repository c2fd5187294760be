#include "autograd/fused.h"

#include "autograd/gradients.h"
#include "autograd/recording.h"

namespace basin {
namespace {

/// The same value at a new place in the graph; the derivative passes through unchanged.
Variable alias(const Variable& x) {
  return record("alias", x.value(), {x}, Keep::nothing,
                [](const Backward& b) -> Variables { return {b.grad()}; });
}

Variables differentiate_meaning(const Backward& b, const Meaning& meaning, std::size_t count) {
  const bool again = recording();
  RecordingScope on(true);
  Variables inputs, wrt;
  std::vector<char> unread;
  for (std::size_t i = 0; i < count; ++i) {
    Variable in = b.input(i);
    if (b.needs(i)) {
      in = again ? alias(in) : Variable::parameter(in.value());
      wrt.push_back(in);
      unread.push_back(b.unread(i));
    }
    inputs.push_back(in);
  }
  const Variable y = meaning(inputs);
  Variables found;
  if (again) {
    found = histories_of_gradients(y, wrt, b.grad(), unread);
  } else {
    for (Tensor& t : gradients(y, wrt, {.cotangent = b.grad().value()})) found.push_back(std::move(t));
  }
  Variables result(count);
  for (std::size_t i = 0, k = 0; i < count; ++i)
    if (b.needs(i)) result[i] = found[k++];
  return result;
}

Variables run_kernel(const Backward& b, const Kernels& kernels, std::size_t count) {
  KernelBackward k;
  for (std::size_t i = 0; i < count; ++i) {
    k.inputs.push_back(b.input(i).value());
    k.needs.push_back(b.needs(i));
  }
  if (kernels.keep_output) k.output = b.output().value();
  k.grad = b.grad().value();
  Variables result;
  for (Tensor& t : kernels.backward(k)) result.emplace_back(std::move(t));
  return result;
}

}  // namespace

Variable fused(Op&& op, const Variables& inputs, Meaning meaning, Kernels kernels) {
  const std::size_t count = inputs.size();
  const Keep keep = kernels.keep_output ? Keep::inputs | Keep::output : Keep::inputs;
  Tensor value = std::move(kernels.value);
  kernels.value = Tensor();
  return record(std::move(op), std::move(value), inputs, keep,
                [meaning = std::move(meaning), kernels = std::move(kernels), count](const Backward& b) {
                  if (!recording() && kernels.backward) return run_kernel(b, kernels, count);
                  if (recording() && kernels.recorded) return kernels.recorded(b);
                  return differentiate_meaning(b, meaning, count);
                });
}

}  // namespace basin
