// Sums and extrema over axes (kernels/reduce.cuh), argmax (kernels/argmax.cuh). Any set of axes is worked off
// one run of neighbouring axes at a time, from the innermost; what is left in between is f64. Launches and
// the order of every sum follow from the shape.
#include <algorithm>
#include <array>

#include "cuda/backend.h"
#include "cuda/dispatch.h"
#include "cuda/kernels/argmax.cuh"
#include "cuda/kernels/reduce.cuh"
#include "cuda/launch.h"

namespace basin::cuda {
namespace {

constexpr std::int64_t kChunk = 8192;         // numbers of a long row that one block joins
constexpr std::int64_t kShort = 16;           // an axis that one thread joins
constexpr std::int64_t kManyResults = 65536;  // so many that one thread can have each

/// x {outer, n, inner} over its middle axis.
struct Middle {
  std::int64_t outer, n, inner;
};

/// A tensor's place for results.
Reduced reduced_to(Tensor& out) {
  if (out.dtype() == Dtype::f64) return {.f64 = numbers<double>(out)};
  if (out.dtype() == Dtype::bf16) return {.bf16 = numbers<bfloat16>(out)};
  return {.f32 = numbers<float>(out)};
}

template <class Join, class T>
void reduce_rows(CudaBackend& cuda, Join join, const T* x, const Middle& s, Tensor& out);
template <class Join, class T>
void reduce_columns(CudaBackend& cuda, Join join, const T* x, const Middle& s, Tensor& out);

template <class Join, class T>
void reduce_middle(CudaBackend& cuda, Join join, const T* x, const Middle& s, Tensor& out) {
  if (s.inner == 1)
    reduce_rows(cuda, join, x, s, out);
  else
    reduce_columns(cuda, join, x, s, out);
}

/// Calls body(parts): it leaves {outer, parts, inner} in f64 where there is more than one, which are joined
/// then.
template <class Join, class Body>
void in_parts(CudaBackend& cuda, Join join, std::int64_t parts, const Middle& s, Tensor& out, Body body) {
  if (parts == 1) {
    body(out);
    return;
  }
  Tensor partial = Tensor::empty({s.outer, parts, s.inner}, Dtype::f64, cuda.device());
  body(partial);
  const Tensor& read = partial;
  reduce_middle(cuda, join, numbers<double>(read), {s.outer, parts, s.inner}, out);
}

template <class Join, class T>
void reduce_rows(CudaBackend& cuda, Join join, const T* x, const Middle& s, Tensor& out) {
  const std::int64_t chunk = s.n > 2 * kChunk ? kChunk : s.n, parts = (s.n + chunk - 1) / chunk;
  const bool packed = aligned(x) && (s.n % pack_width<T> == 0 || s.outer == 1);
  in_parts(cuda, join, parts, s, out, [&](Tensor& to) {
    dispatch_width(chunk / pack_width<T>, [&](auto width) {
      launch(reduce_rows_kernel<Join, T, width>, Rows<width>::blocks(s.outer * parts), kThreads,
             cuda.stream(), join, x, s.outer, s.n, chunk, parts, packed, reduced_to(to));
    });
  });
}

template <class Join, class T>
void reduce_columns(CudaBackend& cuda, Join join, const T* x, const Middle& s, Tensor& out) {
  const std::int64_t results = s.outer * s.inner;
  if (s.n <= kShort || results >= kManyResults) {
    launch(reduce_each_kernel<Join, T>, blocks_for(results), kThreads, cuda.stream(), join, x, s.outer, s.n,
           s.inner, reduced_to(out));
    return;
  }
  dispatch_group<T>(s.inner, [&](auto group) {
    const auto most = static_cast<int>(std::max<std::int64_t>(2 * kSumBlocks<group> / s.outer, 1));
    const auto tiles = ChannelTiles::of<T, group>(s.n, s.inner, most, aligned(x));
    in_parts(cuda, join, tiles.parts, s, out, [&](Tensor& to) {
      const std::int64_t blocks = std::min<std::int64_t>(s.outer * tiles.blocks(), kMapBlocks);
      launch(reduce_tiles_kernel<Join, T, group>, static_cast<unsigned>(blocks), kThreads, cuda.stream(),
             join, x, s.outer, tiles, reduced_to(to));
    });
  });
}

/// A run of neighbouring axes that are all reduced or all kept.
struct Run {
  std::int64_t extent;
  bool reduced;
};

/// At least one of them is reduced, if only of extent 1.
std::vector<Run> runs_of(const Shape& shape, const Axes& axes) {
  std::array<bool, Shape::kMaxRank> gone{};
  for (int a : axes) gone[static_cast<std::size_t>(a)] = true;
  std::vector<Run> runs;
  for (int i = 0; i < shape.rank(); ++i) {
    const bool reduced = gone[static_cast<std::size_t>(i)];
    if (shape[i] == 1) continue;
    if (!runs.empty() && runs.back().reduced == reduced)
      runs.back().extent *= shape[i];
    else
      runs.push_back({shape[i], reduced});
  }
  if (std::none_of(runs.begin(), runs.end(), [](const Run& run) { return run.reduced; }))
    runs.push_back({1, true});
  return runs;
}

}  // namespace

void CudaBackend::reduce(ReduceOp op, const Tensor& x, const Axes& axes, Tensor& out) {
  std::vector<Run> runs = runs_of(x.shape(), axes);
  std::size_t left = 0;  // runs to reduce
  for (const Run& run : runs) left += run.reduced ? 1 : 0;
  Tensor here = x;
  for (std::size_t i = runs.size(); i-- > 0;) {
    if (!runs[i].reduced) continue;
    Middle s{1, runs[i].extent, 1};
    for (std::size_t k = 0; k < i; ++k) s.outer *= runs[k].extent;
    for (std::size_t k = i + 1; k < runs.size(); ++k) s.inner *= runs[k].extent;
    --left;
    Tensor next = left == 0 ? out : Tensor::empty({s.outer, s.inner}, Dtype::f64, device());
    functors::with_reduction(op, [&](auto join) {
      dispatch_activations(here.dtype(), "reduce", [&](auto type) {
        const Tensor& read = here;
        reduce_middle(*this, join, numbers<decltype(type)>(read), s, next);
      });
    });
    here = next;
    runs[i].extent = 1;
  }
}

void CudaBackend::argmax(const Tensor& x, int axis, Tensor& out) {
  std::int64_t inner = 1;
  for (int i = axis + 1; i < x.rank(); ++i) inner *= x.shape()[i];
  const std::int64_t n = x.shape()[axis], outer = out.elements() / inner;
  dispatch_all(x.dtype(), [&](auto type) {
    using T = decltype(type);
    auto* to = numbers<std::int64_t>(out);
    if (inner > 1) {
      launch(argmax_each_kernel<T>, blocks_for(out.elements()), kThreads, stream(), numbers<T>(x), outer, n,
             inner, to);
      return;
    }
    dispatch_width(n, [&](auto width) {
      launch(argmax_rows_kernel<T, width>, Rows<width>::blocks(outer), kThreads, stream(), numbers<T>(x),
             outer, n, to);
    });
  });
}

}  // namespace basin::cuda
