// CpuBackend: permute and copy_block. Both are copies between two strided layouts.
#include <algorithm>
#include <array>
#include <vector>

#include "core/cpu/backend.h"
#include "core/cpu/conv/kernels.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

constexpr Index kTask = 8192;  // numbers of a task, about
// A tile of a transpose: few rows of the output, whose distance may be a large power of two, and long ones.
constexpr Index kTileRows = 16, kTileColumns = 256;

/// One axis of the numbers to copy: its extent, and the steps it makes in both tensors.
struct CopyAxis {
  Index extent, in, out;
};

/// Without axes of extent 1; an axis that goes on where its inner neighbour ends, in both tensors, is joined
/// to it.
std::vector<CopyAxis> joined(const std::vector<CopyAxis>& axes) {
  std::vector<CopyAxis> result;
  for (const CopyAxis& a : axes) {
    if (a.extent == 1) continue;
    if (!result.empty() && result.back().in == a.in * a.extent && result.back().out == a.out * a.extent)
      result.back() = {result.back().extent * a.extent, a.in, a.out};
    else
      result.push_back(a);
  }
  return result;
}

/// Calls body(in, out, tile) for every combination of the axes' places, given by the offsets in both tensors,
/// and every tile in [0, tiles), in tasks of `grain` calls.
template <class Body>
void for_tiles(const std::vector<CopyAxis>& axes, Index tiles, Index grain, Body body) {
  Index count = tiles;
  for (const CopyAxis& a : axes) count *= a.extent;
  parallel_for((count + grain - 1) / grain, [&](std::int64_t task, int) {
    const Index last = std::min(count, (task + 1) * grain);
    for (Index i = task * grain; i < last; ++i) {
      Index rest = i / tiles, in = 0, out = 0;
      for (std::size_t k = axes.size(); k-- > 0;) {
        const Index at = rest % axes[k].extent;
        rest /= axes[k].extent;
        in += at * axes[k].in;
        out += at * axes[k].out;
      }
      body(in, out, i % tiles);
    }
  });
}

/// out[j * out_stride + i] = in[i * in_stride + j], i < rows, j < cols.
template <class T>
void transpose_tile(const T* in, Index in_stride, Index rows, Index cols, T* out, Index out_stride) {
  if constexpr (std::is_same_v<T, float>) {
    TransposedCopy copy{};
    copy.in = in;
    copy.in_stride = in_stride;
    copy.rows = rows;
    copy.cols = cols;
    copy.out = out;
    copy.out_stride = out_stride;
    kernels().transpose(copy);
  } else {
    for (Index j = 0; j < cols; ++j)
      for (Index i = 0; i < rows; ++i) out[j * out_stride + i] = in[i * in_stride + j];
  }
}

/// Copies numbers between two layouts; the output's innermost axis comes last in `axes`.
template <class T>
void copy_axes(std::vector<CopyAxis> axes, const T* in, T* out) {
  axes = joined(axes);
  if (axes.empty() || axes.back().out != 1) axes.push_back({1, 1, 1});  // single numbers
  const CopyAxis last = axes.back();
  axes.pop_back();
  if (last.in == 1) {  // runs
    const Index pieces = (last.extent + kTask - 1) / kTask;
    const Index grain = std::max<Index>(1, kTask / last.extent);
    for_tiles(axes, pieces, grain, [&](Index from, Index to, Index piece) {
      const Index begin = piece * kTask, n = std::min(kTask, last.extent - begin);
      std::copy_n(in + from + begin, n, out + to + begin);
    });
    return;
  }
  // Transposes in the plane of the output's innermost axis and the input's (where there is none, a column).
  CopyAxis first{1, 1, 1};
  for (auto axis = axes.begin(); axis != axes.end(); ++axis)
    if (axis->in == 1) {
      first = *axis;
      axes.erase(axis);
      break;
    }
  const Index down = (last.extent + kTileColumns - 1) / kTileColumns;
  const Index across = (first.extent + kTileRows - 1) / kTileRows;
  const Index grain =
      std::max<Index>(1, kTask / (std::min(last.extent, kTileColumns) * std::min(first.extent, kTileRows)));
  for_tiles(axes, down * across, grain, [&](Index from, Index to, Index tile) {
    const Index i = tile / across * kTileColumns, j = tile % across * kTileRows;
    transpose_tile(in + from + i * last.in + j, last.in, std::min(kTileColumns, last.extent - i),
                   std::min(kTileRows, first.extent - j), out + to + j * first.out + i, first.out);
  });
}

}  // namespace

void CpuBackend::permute(const Tensor& x, const Axes& perm, Tensor& out) {
  const auto in = contiguous_strides(x.shape()), to = contiguous_strides(out.shape());
  std::vector<CopyAxis> axes;
  for (int i = 0; i < out.rank(); ++i) {
    const std::size_t k = static_cast<std::size_t>(i);
    axes.push_back({out.shape()[i], in[static_cast<std::size_t>(perm[k])], to[k]});
  }
  dispatch_all(x.dtype(), [&]<class T>(T) { copy_axes(axes, x.data<T>(), out.mutable_data<T>()); });
}

void CpuBackend::copy_block(const Tensor& x, const Shape& from, Tensor& out, const Shape& to,
                            const Shape& extent) {
  const auto in = contiguous_strides(x.shape()), put = contiguous_strides(out.shape());
  std::vector<CopyAxis> axes;
  Index begin_in = 0, begin_out = 0;
  for (int i = 0; i < extent.rank(); ++i) {
    const std::size_t k = static_cast<std::size_t>(i);
    axes.push_back({extent[i], in[k], put[k]});
    begin_in += from[i] * in[k];
    begin_out += to[i] * put[k];
  }
  dispatch_all(x.dtype(), [&]<class T>(T) {
    copy_axes(axes, x.data<T>() + begin_in, out.mutable_data<T>() + begin_out);
  });
}

}  // namespace basin::cpu
