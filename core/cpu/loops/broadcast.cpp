// See broadcast.h.
#include "core/cpu/loops/broadcast.h"

namespace basin::cpu {

BroadcastAxes::BroadcastAxes(const Shape& shape, const Shape& out) {
  const auto strides = contiguous_strides(shape);
  const int shift = out.rank() - shape.rank();
  for (int i = 0; i < out.rank(); ++i) {
    if (out[i] == 1) continue;
    const bool repeats = i < shift || shape[i - shift] == 1;
    const Index stride = repeats ? 0 : strides[static_cast<std::size_t>(i - shift)];
    if (!axes.empty() && axes.back().stride == stride * out[i])
      axes.back() = {axes.back().extent * out[i], stride};
    else
      axes.push_back({out[i], stride});
  }
}

}  // namespace basin::cpu
