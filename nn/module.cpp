#include "nn/module.h"

#include <string>

#include "nn/summary.h"

namespace basin::nn {

Variable Module::operator()(const Variable& x, Context& ctx) {
  Variable y = forward(x, ctx);
  if (ctx.trace) ctx.trace->record(*this, x.shape(), y.shape());
  return y;
}

void Sequential::describe(Inventory& it) {
  for (std::size_t i = 0; i < parts_.size(); ++i) it.child(std::to_string(i), *parts_[i]);
}

Variable Sequential::forward(const Variable& x, Context& ctx) {
  Variable y = x;
  for (auto& part : parts_) y = (*part)(y, ctx);
  return y;
}

}  // namespace basin::nn
