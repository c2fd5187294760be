// Pooling over {N,H,W,C}. A thread has a group of channels of one pixel: of the result, or of the image where
// the windows that cover it are looked up. So nothing is added by two threads.
#pragma once

#include "core/conv_geometry.h"
#include "core/functors/window.h"
#include "cuda/kernels/channels.cuh"

namespace basin::cuda {

/// A pixel {n, h, w} and its channel, of element `i` in groups of channels.
struct Pixel {
  std::int64_t n, h, w, c;

  __device__ Pixel(std::int64_t i, std::int64_t height, std::int64_t width, std::int64_t groups, int group) {
    c = i % groups * group;
    i /= groups;
    w = i % width;
    i /= width;
    h = i % height;
    n = i / height;
  }
};

/// y = the maximum of a window, the first of equals, a NaN before all; index = where it is, h in_w + w.
template <class T, int group>
__global__ void __launch_bounds__(kThreads)
    max_pool_kernel(ConvGeometry g, const T* x, bool packed, T* y, std::int64_t* index) {
  using N = Compute<T>;
  const std::int64_t groups = g.in_c / group, count = g.batch * g.out_h * g.out_w * groups;
  for (std::int64_t i = thread_index(); i < count; i += thread_count()) {
    const Pixel o(i, g.out_h, g.out_w, groups, group);
    const functors::Span h = functors::window(o.h, g.stride_h, g.pad_h, g.kernel_h, g.in_h);
    const functors::Span w = functors::window(o.w, g.stride_w, g.pad_w, g.kernel_w, g.in_w);
    const T* image = x + o.n * g.in_h * g.in_w * g.in_c + o.c;
    std::int64_t tap = h.at * g.in_w + w.at;
    Pack<T, group> best = load_group<group>(image + tap * g.in_c, packed);
    Pack<std::int64_t, group> from;
    for (int j = 0; j < group; ++j) from.number[j] = tap;
    for (std::int64_t row = h.at; row < h.at + h.count; ++row)
      for (std::int64_t column = w.at; column < w.at + w.count; ++column) {
        tap = row * g.in_w + column;
        const Pack<T, group> p = load_group<group>(image + tap * g.in_c, packed);
        for (int j = 0; j < group; ++j) {
          const N here = static_cast<N>(p.number[j]), most = static_cast<N>(best.number[j]);
          if (most >= here || most != most) continue;
          best.number[j] = p.number[j];
          from.number[j] = tap;
        }
      }
    store_group(y + i * group, best, packed);
    store_group(index + i * group, from, packed);
  }
}

/// out[n, index[n,o,c], c] += x[n,o,c], in the order of o: each pixel looks through the windows that cover
/// it.
template <class T, int group>
__global__ void __launch_bounds__(kThreads)
    pool_scatter_kernel(ConvGeometry g, const T* x, const std::int64_t* index, bool packed, T* out) {
  using N = Compute<T>;
  const std::int64_t groups = g.in_c / group, count = g.batch * g.in_h * g.in_w * groups;
  for (std::int64_t i = thread_index(); i < count; i += thread_count()) {
    const Pixel p(i, g.in_h, g.in_w, groups, group);
    const functors::Span h = functors::covering(p.h, g.stride_h, g.pad_h, g.kernel_h, g.out_h);
    const functors::Span w = functors::covering(p.w, g.stride_w, g.pad_w, g.kernel_w, g.out_w);
    const Pack<T, group> here = load_group<group>(out + i * group, packed);
    N sum[group];
    for (int j = 0; j < group; ++j) sum[j] = static_cast<N>(here.number[j]);
    for (std::int64_t oh = h.at; oh < h.at + h.count; ++oh)
      for (std::int64_t ow = w.at; ow < w.at + w.count; ++ow) {
        const std::int64_t o = ((p.n * g.out_h + oh) * g.out_w + ow) * g.in_c + p.c;
        const Pack<std::int64_t, group> places = load_group<group>(index + o, packed);
        const Pack<T, group> numbers = load_group<group>(x + o, packed);
        for (int j = 0; j < group; ++j)
          if (places.number[j] == p.h * g.in_w + p.w) sum[j] += static_cast<N>(numbers.number[j]);
      }
    store_sums(out + i * group, sum, packed);
  }
}

/// out[n,o,c] = x[n, index[n,o,c], c].
template <class T>
__global__ void __launch_bounds__(kThreads)
    pool_gather_kernel(ConvGeometry g, const T* x, const std::int64_t* index, T* out) {
  const std::int64_t of_image = g.out_h * g.out_w * g.in_c, count = g.batch * of_image;
  for (std::int64_t i = thread_index(); i < count; i += thread_count())
    out[i] = x[(i / of_image * g.in_h * g.in_w + index[i]) * g.in_c + i % g.in_c];
}

/// y = sum over the window's pixels of share x, in f64; share as functors::share().
template <class T, int group>
__global__ void __launch_bounds__(kThreads)
    avg_pool_kernel(ConvGeometry g, const T* x, bool count_pad, bool packed, T* y) {
  const std::int64_t groups = g.in_c / group, count = g.batch * g.out_h * g.out_w * groups;
  for (std::int64_t i = thread_index(); i < count; i += thread_count()) {
    const Pixel o(i, g.out_h, g.out_w, groups, group);
    const functors::Span h = functors::window(o.h, g.stride_h, g.pad_h, g.kernel_h, g.in_h);
    const functors::Span w = functors::window(o.w, g.stride_w, g.pad_w, g.kernel_w, g.in_w);
    const double share = functors::share(g, count_pad, o.h, o.w);
    double sum[group] = {};
    for (std::int64_t row = h.at; row < h.at + h.count; ++row)
      for (std::int64_t column = w.at; column < w.at + w.count; ++column) {
        const Pack<T, group> p =
            load_group<group>(x + ((o.n * g.in_h + row) * g.in_w + column) * g.in_c + o.c, packed);
        for (int j = 0; j < group; ++j) sum[j] += static_cast<double>(p.number[j]) * share;
      }
    store_sums(y + i * group, sum, packed);
  }
}

/// dx = sum over the windows that cover the pixel of their share dy, in f64.
template <class T, int group>
__global__ void __launch_bounds__(kThreads, 4)
    avg_pool_grad_kernel(ConvGeometry g, const T* dy, bool count_pad, bool packed, T* dx) {
  const std::int64_t groups = g.in_c / group, count = g.batch * g.in_h * g.in_w * groups;
  for (std::int64_t i = thread_index(); i < count; i += thread_count()) {
    const Pixel p(i, g.in_h, g.in_w, groups, group);
    const functors::Span h = functors::covering(p.h, g.stride_h, g.pad_h, g.kernel_h, g.out_h);
    const functors::Span w = functors::covering(p.w, g.stride_w, g.pad_w, g.kernel_w, g.out_w);
    double sum[group] = {};
    for (std::int64_t oh = h.at; oh < h.at + h.count; ++oh)
      for (std::int64_t ow = w.at; ow < w.at + w.count; ++ow) {
        const double share = functors::share(g, count_pad, oh, ow);
        const Pack<T, group> d =
            load_group<group>(dy + ((p.n * g.out_h + oh) * g.out_w + ow) * g.in_c + p.c, packed);
        for (int j = 0; j < group; ++j) sum[j] += static_cast<double>(d.number[j]) * share;
      }
    store_sums(dx + i * group, sum, packed);
  }
}

}  // namespace basin::cuda
