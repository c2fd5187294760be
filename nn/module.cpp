#include "nn/module.h"

#include <string>

#include "autograd/ops/deferred.h"
#include "nn/trace.h"

namespace basin::nn {

Variable Module::operator()(const Variable& x, Context& ctx) {
  Variable y = run(x, ctx);
  if (ctx.trace) ctx.trace->record(*this, x.shape(), y.shape());
  return y;
}

Variable Module::run(const Variable& x, Context& ctx) {
  DeferralScope scope;
  Variable y = formed(forward(formed(x), ctx));
  scope.finish();
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
