// CpuBackend: max and average pooling over {N,H,W,C}. A task is a row of pixels of the result.
#include <algorithm>
#include <vector>

#include "core/cpu/backend.h"
#include "core/cpu/loops/loops.h"
#include "core/functors/window.h"
#include "core/parallel.h"

namespace basin::cpu {
using functors::covering;
using functors::share;
using functors::Span;
using functors::window;

void CpuBackend::max_pool(const ConvGeometry& g, const Tensor& x, Tensor& y, Tensor& index) {
  dispatch_floating(x.dtype(), "max_pool", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = y.mutable_data<T>();
    Index* pi = index.mutable_data<Index>();
    const Index c = g.in_c;
    parallel_for(g.batch * g.out_h, [&, &loop = loops<T>().max_of_taps](std::int64_t row, int) {
      const T* image = px + row / g.out_h * g.in_h * g.in_w * c;
      const Span h = window(row % g.out_h, g.stride_h, g.pad_h, g.kernel_h, g.in_h);
      std::vector<Index> place(static_cast<std::size_t>(g.kernel_h * g.kernel_w)), offset(place.size());
      std::vector<T> tap(static_cast<std::size_t>(c + kPatternTail));
      for (Index ow = 0; ow < g.out_w; ++ow) {
        const Span w = window(ow, g.stride_w, g.pad_w, g.kernel_w, g.in_w);
        std::size_t taps = 0;
        for (Index i = h.at; i < h.at + h.count; ++i)
          for (Index j = w.at; j < w.at + w.count; ++j, ++taps) {
            place[taps] = i * g.in_w + j;
            offset[taps] = place[taps] * c;
          }
        const Index out = (row * g.out_w + ow) * c;
        loop(image, offset.data(), static_cast<Index>(taps), c, py + out, tap.data());
        for (Index k = 0; k < c; ++k)
          pi[out + k] = place[static_cast<std::size_t>(tap[static_cast<std::size_t>(k)])];
      }
    });
  });
}

void CpuBackend::pool_scatter(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) {
  dispatch_floating(x.dtype(), "pool_scatter", [&]<class T>(T) {
    const T* px = x.data<T>();
    const Index* pi = index.data<Index>();
    T* py = out.mutable_data<T>();
    const Index c = g.in_c, in = g.in_h * g.in_w * c, count = g.out_h * g.out_w * c;
    parallel_for(g.batch, [&](std::int64_t n, int) {  // windows may overlap: an image is one task, in order
      for (Index o = n * count; o < (n + 1) * count; o += c)
        for (Index k = 0; k < c; ++k) py[n * in + pi[o + k] * c + k] += px[o + k];
    });
  });
}

void CpuBackend::pool_gather(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) {
  dispatch_floating(x.dtype(), "pool_gather", [&]<class T>(T) {
    const T* px = x.data<T>();
    const Index* pi = index.data<Index>();
    T* py = out.mutable_data<T>();
    const Index c = g.in_c, in = g.in_h * g.in_w * c, count = g.out_h * g.out_w * c;
    parallel_for(g.batch, [&](std::int64_t n, int) {
      for (Index o = n * count; o < (n + 1) * count; o += c)
        for (Index k = 0; k < c; ++k) py[o + k] = px[n * in + pi[o + k] * c + k];
    });
  });
}

void CpuBackend::avg_pool(const ConvGeometry& g, const Tensor& x, bool count_pad, Tensor& y) {
  dispatch_floating(x.dtype(), "avg_pool", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = y.mutable_data<T>();
    const Index c = g.in_c;
    parallel_for(g.batch * g.out_h, [&, &loop = loops<T>().sum_of_taps](std::int64_t row, int) {
      const T* image = px + row / g.out_h * g.in_h * g.in_w * c;
      const Index oh = row % g.out_h;
      const Span h = window(oh, g.stride_h, g.pad_h, g.kernel_h, g.in_h);
      std::vector<Index> offset;
      std::vector<double> weight;
      for (Index ow = 0; ow < g.out_w; ++ow) {
        const Span w = window(ow, g.stride_w, g.pad_w, g.kernel_w, g.in_w);
        offset.clear();
        for (Index i = h.at; i < h.at + h.count; ++i)
          for (Index j = w.at; j < w.at + w.count; ++j) offset.push_back((i * g.in_w + j) * c);
        weight.assign(offset.size(), share(g, count_pad, oh, ow));
        loop(image, offset.data(), weight.data(), h.count * w.count, c, py + (row * g.out_w + ow) * c);
      }
    });
  });
}

void CpuBackend::avg_pool_grad(const ConvGeometry& g, const Tensor& dy, bool count_pad, Tensor& dx) {
  dispatch_floating(dy.dtype(), "avg_pool_grad", [&]<class T>(T) {
    const T* py = dy.data<T>();
    T* px = dx.mutable_data<T>();
    const Index c = g.in_c;
    parallel_for(g.batch * g.in_h, [&, &loop = loops<T>().sum_of_taps](std::int64_t row, int) {
      const T* image = py + row / g.in_h * g.out_h * g.out_w * c;
      const Span h = covering(row % g.in_h, g.stride_h, g.pad_h, g.kernel_h, g.out_h);
      std::vector<Index> offset;
      std::vector<double> weight;
      for (Index iw = 0; iw < g.in_w; ++iw) {
        const Span w = covering(iw, g.stride_w, g.pad_w, g.kernel_w, g.out_w);
        offset.clear();
        weight.clear();
        for (Index i = h.at; i < h.at + h.count; ++i)
          for (Index j = w.at; j < w.at + w.count; ++j) {
            offset.push_back((i * g.out_w + j) * c);
            weight.push_back(share(g, count_pad, i, j));
          }
        loop(image, offset.data(), weight.data(), h.count * w.count, c, px + (row * g.in_w + iw) * c);
      }
    });
  });
}

}  // namespace basin::cpu
