// CpuBackend: max and average pooling over {N,H,W,C}, each image a task.
#include <algorithm>
#include <limits>

#include "core/cpu/backend.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

/// The taps of one output pixel that lie inside the image: rows [h0, h1), columns [w0, w1).
struct Window {
  Index h0, h1, w0, w1;
  Index taps() const { return (h1 - h0) * (w1 - w0); }
};

Window window(const ConvGeometry& g, Index oh, Index ow) {
  const Index h = oh * g.stride_h - g.pad_h, w = ow * g.stride_w - g.pad_w;
  return {std::max<Index>(h, 0), std::min(h + g.kernel_h, g.in_h), std::max<Index>(w, 0),
          std::min(w + g.kernel_w, g.in_w)};
}

}  // namespace

void CpuBackend::max_pool(const ConvGeometry& g, const Tensor& x, Tensor& y, Tensor& index) {
  dispatch_floating(x.dtype(), "max_pool", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = y.mutable_data<T>();
    Index* pi = index.mutable_data<Index>();
    const Index c = g.in_c;
    parallel_for(g.batch, [&](std::int64_t n, int) {
      const T* image = px + n * g.in_h * g.in_w * c;
      for (Index o = 0; o < g.out_h * g.out_w; ++o) {
        const Window win = window(g, o / g.out_w, o % g.out_w);
        T* best = py + (n * g.out_h * g.out_w + o) * c;
        Index* where = pi + (n * g.out_h * g.out_w + o) * c;
        const Index first = win.h0 * g.in_w + win.w0;
        std::copy(image + first * c, image + (first + 1) * c, best);
        std::fill(where, where + c, first);
        for (Index h = win.h0; h < win.h1; ++h)
          for (Index w = win.w0; w < win.w1; ++w) {
            const T* pixel = image + (h * g.in_w + w) * c;
            for (Index k = 0; k < c; ++k)
              if (pixel[k] > best[k] || (pixel[k] != pixel[k] && best[k] == best[k])) {
                best[k] = pixel[k];
                where[k] = h * g.in_w + w;
              }
          }
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
    parallel_for(g.batch, [&](std::int64_t n, int) {
      for (Index o = 0; o < count; o += c)
        for (Index k = 0; k < c; ++k) py[n * in + pi[n * count + o + k] * c + k] += px[n * count + o + k];
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
      for (Index o = 0; o < count; o += c)
        for (Index k = 0; k < c; ++k) py[n * count + o + k] = px[n * in + pi[n * count + o + k] * c + k];
    });
  });
}

void CpuBackend::avg_pool(const ConvGeometry& g, const Tensor& x, bool count_pad, Tensor& y) {
  dispatch_floating(x.dtype(), "avg_pool", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = y.mutable_data<T>();
    const Index c = g.in_c;
    parallel_for(g.batch, [&](std::int64_t n, int) {
      const T* image = px + n * g.in_h * g.in_w * c;
      for (Index o = 0; o < g.out_h * g.out_w; ++o) {
        const Window win = window(g, o / g.out_w, o % g.out_w);
        T* mean = py + (n * g.out_h * g.out_w + o) * c;
        std::fill(mean, mean + c, T(0));
        for (Index h = win.h0; h < win.h1; ++h)
          for (Index w = win.w0; w < win.w1; ++w)
            for (Index k = 0; k < c; ++k) mean[k] += image[(h * g.in_w + w) * c + k];
        const T divisor = static_cast<T>(count_pad ? g.kernel_h * g.kernel_w : win.taps());
        for (Index k = 0; k < c; ++k) mean[k] /= divisor;
      }
    });
  });
}

void CpuBackend::avg_pool_grad(const ConvGeometry& g, const Tensor& dy, bool count_pad, Tensor& dx) {
  dispatch_floating(dy.dtype(), "avg_pool_grad", [&]<class T>(T) {
    const T* py = dy.data<T>();
    T* px = dx.mutable_data<T>();
    const Index c = g.in_c, in = g.in_h * g.in_w * c;
    parallel_for(g.batch, [&](std::int64_t n, int) {
      T* image = px + n * in;
      std::fill(image, image + in, T(0));
      for (Index o = 0; o < g.out_h * g.out_w; ++o) {
        const Window win = window(g, o / g.out_w, o % g.out_w);
        const T* grad = py + (n * g.out_h * g.out_w + o) * c;
        const T divisor = static_cast<T>(count_pad ? g.kernel_h * g.kernel_w : win.taps());
        for (Index h = win.h0; h < win.h1; ++h)
          for (Index w = win.w0; w < win.w1; ++w)
            for (Index k = 0; k < c; ++k) image[(h * g.in_w + w) * c + k] += grad[k] / divisor;
      }
    });
  });
}

}  // namespace basin::cpu
