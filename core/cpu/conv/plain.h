// The plain convolution loops, one statement each: the f64 path (gradient checks), and what a reader should
// read before the fast kernels.
#pragma once

#include "core/conv_geometry.h"
#include "core/parallel.h"

namespace basin::cpu {

/// The output columns [first, last) whose input column `o * stride - pad + r` lies in [0, extent).
struct TapRange {
  Index first, last;
};
inline TapRange taps_inside(Index r, Index stride, Index pad, Index extent, Index out) {
  const Index low = pad - r;                // o * stride >= low
  const Index high = extent - 1 + pad - r;  // o * stride <= high
  const Index first = low <= 0 ? 0 : (low + stride - 1) / stride;
  const Index last = high < 0 ? 0 : high / stride + 1;
  return {first < out ? first : out, last < out ? last : out};
}

template <class T>
void plain_conv2d(const ConvGeometry& g, const T* x, const T* w, T* y) {
  const Index cg = g.in_c / g.groups, kg = g.out_c / g.groups;
  parallel_for(g.batch * g.out_h, [&](Index row, int) {
    const Index n = row / g.out_h, oh = row % g.out_h;
    T* out = y + row * g.out_w * g.out_c;
    for (Index i = 0; i < g.out_w * g.out_c; ++i) out[i] = 0;
    for (Index r = 0; r < g.kernel_h; ++r) {
      const Index ih = oh * g.stride_h - g.pad_h + r;
      if (ih < 0 || ih >= g.in_h) continue;
      for (Index s = 0; s < g.kernel_w; ++s) {
        const TapRange cols = taps_inside(s, g.stride_w, g.pad_w, g.in_w, g.out_w);
        const T* taps = w + (r * g.kernel_w + s) * cg * g.out_c;
        for (Index ow = cols.first; ow < cols.last; ++ow) {
          const T* in = x + ((n * g.in_h + ih) * g.in_w + ow * g.stride_w - g.pad_w + s) * g.in_c;
          for (Index group = 0; group < g.groups; ++group) {
            T* o = out + ow * g.out_c + group * kg;
            for (Index c = 0; c < cg; ++c) {
              const T value = in[group * cg + c];
              const T* row_of_w = taps + c * g.out_c + group * kg;
              for (Index k = 0; k < kg; ++k) o[k] += value * row_of_w[k];
            }
          }
        }
      }
    }
  });
}

template <class T>
void plain_conv2d_input_grad(const ConvGeometry& g, const T* dy, const T* w, T* dx) {
  const Index cg = g.in_c / g.groups, kg = g.out_c / g.groups;
  parallel_for(g.batch * g.in_h, [&](Index row, int) {
    const Index n = row / g.in_h, ih = row % g.in_h;
    T* out = dx + row * g.in_w * g.in_c;
    for (Index i = 0; i < g.in_w * g.in_c; ++i) out[i] = 0;
    for (Index r = 0; r < g.kernel_h; ++r) {
      const Index from = ih + g.pad_h - r;
      if (from < 0 || from % g.stride_h != 0 || from / g.stride_h >= g.out_h) continue;
      const Index oh = from / g.stride_h;
      for (Index s = 0; s < g.kernel_w; ++s) {
        const TapRange cols = taps_inside(s, g.stride_w, g.pad_w, g.in_w, g.out_w);
        const T* taps = w + (r * g.kernel_w + s) * cg * g.out_c;
        for (Index ow = cols.first; ow < cols.last; ++ow) {
          const T* grad = dy + ((n * g.out_h + oh) * g.out_w + ow) * g.out_c;
          T* o = out + (ow * g.stride_w - g.pad_w + s) * g.in_c;
          for (Index group = 0; group < g.groups; ++group) {
            for (Index c = 0; c < cg; ++c) {
              const T* row_of_w = taps + c * g.out_c + group * kg;
              T sum = 0;
              for (Index k = 0; k < kg; ++k) sum += grad[group * kg + k] * row_of_w[k];
              o[group * cg + c] += sum;
            }
          }
        }
      }
    }
  });
}

template <class T>
void plain_conv2d_weight_grad(const ConvGeometry& g, const T* x, const T* dy, T* dw) {
  const Index cg = g.in_c / g.groups, kg = g.out_c / g.groups;
  parallel_for(g.kernel_h * g.kernel_w * cg, [&](Index tap, int) {
    const Index r = tap / cg / g.kernel_w, s = tap / cg % g.kernel_w, c = tap % cg;
    const TapRange rows = taps_inside(r, g.stride_h, g.pad_h, g.in_h, g.out_h);
    const TapRange cols = taps_inside(s, g.stride_w, g.pad_w, g.in_w, g.out_w);
    T* out = dw + tap * g.out_c;
    for (Index k = 0; k < g.out_c; ++k) out[k] = 0;
    for (Index n = 0; n < g.batch; ++n) {
      for (Index oh = rows.first; oh < rows.last; ++oh) {
        const Index ih = oh * g.stride_h - g.pad_h + r;
        for (Index ow = cols.first; ow < cols.last; ++ow) {
          const T* in = x + ((n * g.in_h + ih) * g.in_w + ow * g.stride_w - g.pad_w + s) * g.in_c;
          const T* grad = dy + ((n * g.out_h + oh) * g.out_w + ow) * g.out_c;
          for (Index group = 0; group < g.groups; ++group) {
            const T value = in[group * cg + c];
            for (Index k = group * kg; k < (group + 1) * kg; ++k) out[k] += value * grad[k];
          }
        }
      }
    }
  });
}

}  // namespace basin::cpu
