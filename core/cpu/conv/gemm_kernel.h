// The register tile of the matrix product, and the blocked transpose that packing needs. Included by
// kernels_*.cpp only; unnamed namespace: each of them must keep its own copy, compiled for its instruction
// set.
#pragma once

#include <utility>

#include "core/cpu/conv/kernels.h"
#include "core/cpu/simd/lanes.h"
#include "core/cpu/simd/sixteen.h"
#include "core/functors/norm.h"
#include "core/functors/unary.h"

namespace basin::cpu {
namespace {

constexpr Index smaller(Index a, Index b) { return a < b ? a : b; }

// Blocks of kLanes output channels that a tile holds at most, and pixels (or rows of C) that go with them:
// the accumulators, one vector of weights per block and one of broadcast input fill the registers.
template <class V>
constexpr int kMaxBlocks = V::kRegisters >= 32 ? 2 : 1;
template <class V, int kBlocks>
constexpr int kTile = V::kRegisters >= 32  ? (kBlocks == 2 ? 12 : 16)
                      : V::kRegisters >= 8 ? 6
                                           : 2;

// Asks for the first `count` floats at `at`, to be read or written.
template <bool kWrite = false>
[[gnu::always_inline]] inline void prefetch(const float* at, Index count) {
  for (Index i = 0; i < count; i += kLanes) __builtin_prefetch(at + i, kWrite, 2);
}

// Deals out what lies ahead in equal shares, one per tile.
struct Shares {
  Ahead ahead;
  Index share;

  [[gnu::always_inline]] Shares(const Ahead& all, Index tiles)
      : ahead(all), share((all.size / kLanes / tiles + 1) * kLanes) {}
  template <bool kWrite = false>
  [[gnu::always_inline]] void next() {
    const Index count = smaller(share, ahead.size);
    prefetch<kWrite>(ahead.at, count);
    ahead.at += count;
    ahead.size -= count;
  }
};

// Function pointers by tile size.
template <class Function, int kCount>
struct Table {
  Function at[kCount];
};

// One step of an outer product: acc[i] += x(i) * row for the kCount values x(i) and one row of the panel,
// whose vectors lie `block` floats apart.
template <class V, int kCount, int kBlocks, class X>
[[gnu::always_inline]] inline void outer_step(V (&acc)[kCount][kBlocks], const float* w, Index block, X x) {
  V row[kBlocks];
#pragma GCC unroll 2
  for (int v = 0; v < kBlocks; ++v) row[v] = V::load(w + v * block);
#pragma GCC unroll 32
  for (int i = 0; i < kCount; ++i) {
    const V value = V::broadcast(x(i));
#pragma GCC unroll 2
    for (int v = 0; v < kBlocks; ++v) acc[i][v].add_product(value, row[v]);
  }
}

template <class V, int kCount, int kBlocks>
[[gnu::always_inline]] inline void clear(V (&acc)[kCount][kBlocks]) {
#pragma GCC unroll 32
  for (int i = 0; i < kCount; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kBlocks; ++v) acc[i][v] = V::zero();
}

// Stores acc[i] to y(i); the last block has `last` lanes, 1..kLanes.
template <class V, int kCount, int kBlocks, class Y>
[[gnu::always_inline]] inline void store(const V (&acc)[kCount][kBlocks], int last, Y y) {
#pragma GCC unroll 32
  for (int i = 0; i < kCount; ++i) {
    float* p = y(i);
    if constexpr (kBlocks == 2) acc[i][0].store(p);
    float* end = p + (kBlocks - 1) * kLanes;
    if (last == kLanes)
      acc[i][kBlocks - 1].store(end);
    else
      acc[i][kBlocks - 1].store(end, last);
  }
}

template <class V, int kRows, int kBlocks, bool kPacked>
void gemm_tile(const float* a, Index a_stride, const float* b, Index depth, float* c, Index c_stride,
               int last, bool accumulate) {
  V acc[kRows][kBlocks];
  clear(acc);
  constexpr Index kStep = kPacked ? kLanes : 1, kUnroll = V::kRegisters >= 32 ? 4 : 2;
  const auto step = [&](Index p) __attribute__((always_inline)) {
    outer_step(
        acc, b + p * kBlocks * kLanes, kLanes, [&](int i) __attribute__((always_inline)) {
          return a[p * kStep + (kPacked ? i : i * a_stride)];
        });
  };
  Index p = 0;
  for (; p + kUnroll <= depth; p += kUnroll, a += kUnroll * kStep, b += kUnroll * kBlocks * kLanes) {
#pragma GCC unroll 4
    for (Index u = 0; u < kUnroll; ++u) step(u);
  }
  for (; p < depth; ++p, a += kStep, b += kBlocks * kLanes) step(0);
  if (accumulate) {
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) {
      const float* p0 = c + i * c_stride;
      if constexpr (kBlocks == 2) acc[i][0].add(V::load(p0));
      const float* end = p0 + (kBlocks - 1) * kLanes;
      acc[i][kBlocks - 1].add(last == kLanes ? V::load(end) : V::load(end, last));
    }
  }
  store(
      acc, last, [&](int i) __attribute__((always_inline)) { return c + i * c_stride; });
}

using GemmTile = void (*)(const float*, Index, const float*, Index, float*, Index, int, bool);

template <class V>
constexpr int kGemmTile = V::kRegisters >= 32  ? 12
                          : V::kRegisters >= 8 ? 6
                                               : 2;

template <class V, int kBlocks, bool kPacked, int... kRow>
constexpr Table<GemmTile, sizeof...(kRow)> gemm_tiles(std::integer_sequence<int, kRow...>) {
  return {{gemm_tile<V, kRow + 1, kBlocks, kPacked>...}};
}

// One panel of B against all rows of A.
template <class V, int kBlocks, bool kPacked>
void gemm_panel(const GemmBlock& g, const float* b, float* c, Index lanes, Shares& next) {
  static constexpr auto kTiles =
      gemm_tiles<V, kBlocks, kPacked>(std::make_integer_sequence<int, kGemmTile<V>>{});
  const int last = static_cast<int>(lanes - (kBlocks - 1) * kLanes);
  for (Index i = 0; i < g.rows; i += kGemmTile<V>) {
    const Index rows = smaller(kGemmTile<V>, g.rows - i);
    const float* a = kPacked ? g.a + i / kGemmRows * kLanes * g.depth + i % kGemmRows : g.a + i * g.a_stride;
    next.next();
    if (!kPacked && c == g.c) {
      // The first panel meets A in memory: ask for the rows of the next tile.
      const Index more = smaller(kGemmTile<V>, g.rows - i - rows);
      for (Index r = rows; r < rows + more; ++r) prefetch(a + r * g.a_stride, g.depth);
    }
    kTiles.at[rows - 1](a, g.a_stride, b, g.depth, c + i * g.c_stride, g.c_stride, last, g.accumulate);
  }
}

template <class V>
void gemm_block(const GemmBlock& g) {
  constexpr Index kPanel = kMaxBlocks<V> * kLanes;
  Shares next(g.next, (g.cols + kPanel - 1) / kPanel * ((g.rows + kGemmTile<V> - 1) / kGemmTile<V>));
  for (Index j = 0; j < g.cols; j += kPanel) {
    const Index lanes = smaller(kPanel, g.cols - j);
    const float* b = g.b + j * g.depth;
    if (lanes > kLanes) {
      if constexpr (kMaxBlocks<V> == 2)
        (g.a_packed ? gemm_panel<V, 2, true> : gemm_panel<V, 2, false>)(g, b, g.c + j, lanes, next);
    } else {
      (g.a_packed ? gemm_panel<V, 1, true> : gemm_panel<V, 1, false>)(g, b, g.c + j, lanes, next);
    }
  }
}

// One number of a ChannelAffine's channel.
template <bool kRelu, class L>
[[gnu::always_inline]] inline L affine_number(L x, L mean, L scale, L shift) {
  const L y = functors::Normalise{}(x, mean, scale, shift);
  return kRelu ? functors::Unary<UnaryOp::relu>{}(y) : y;
}

// AffineRows for one kind of ChannelAffine. By value: what is stored could change what a reference refers to.
template <class L, bool kRelu>
void affine_rows_of(const AffineRows r) {
  const ChannelAffine& a = r.affine;
  const Index whole = r.cols / L::width * L::width, end = (r.cols + kLanes - 1) / kLanes * kLanes;
  for (Index i = 0; i < r.rows; ++i) {
    const float* in = r.in + i * r.in_stride;
    float* out = r.out + i * r.out_stride;
    for (Index j = 0; j < whole; j += L::width)
      affine_number<kRelu>(L::load(in + j), L::load(a.mean + j), L::load(a.scale + j), L::load(a.shift + j))
          .store(out + j);
    for (Index j = whole; j < end; j += L::width) {
      const Index n = smaller(L::width, j < r.cols ? r.cols - j : 0);
      affine_number<kRelu>(L::load(in + j, n), L::load(a.mean + j, n), L::load(a.scale + j, n),
                           L::load(a.shift + j, n))
          .store(out + j);
    }
  }
}

template <class L>
void affine_rows(const AffineRows& r) {
  r.affine.relu ? affine_rows_of<L, true>(r) : affine_rows_of<L, false>(r);
}

// The same for at most kLanes columns, whose values stay in registers.
template <class L, bool kRelu>
void affine_column_of(const AffineRows r) {
  for (Index j = 0; j < kLanes; j += L::width) {
    const Index n = smaller(L::width, r.cols > j ? r.cols - j : 0);
    const L mean = L::load(r.affine.mean + j, n), scale = L::load(r.affine.scale + j, n),
            shift = L::load(r.affine.shift + j, n);
    const float* in = r.in + j;
    float* out = r.out + j;
    if (n == L::width)
      for (Index i = 0; i < r.rows; ++i)
        affine_number<kRelu>(L::load(in + i * r.in_stride), mean, scale, shift).store(out + i * r.out_stride);
    else
      for (Index i = 0; i < r.rows; ++i)
        affine_number<kRelu>(L::load(in + i * r.in_stride, n), mean, scale, shift)
            .store(out + i * r.out_stride);
  }
}

template <class L>
[[gnu::always_inline]] inline void affine_column(const AffineRows& r) {
  r.affine.relu ? affine_column_of<L, true>(r) : affine_column_of<L, false>(r);
}

// A few rows at a time, so that what is written next lies together, while the rows after them are on their
// way.
template <class V, class L>
void pack_panels(const PackPanels& p) {
  constexpr Index kRun = 16;
  for (Index run = 0; run < p.rows; run += kRun) {
    const Index rows = smaller(kRun, p.rows - run);
    for (Index i = run + rows; i < smaller(p.rows, run + rows + kRun); ++i)
      prefetch(p.in + i * p.stride, smaller(p.cols, p.panels * p.step));
    for (Index panel = 0; panel < p.panels; ++panel) {
      const float* in = p.in + run * p.stride + panel * p.step;
      float* out = p.out + (panel * p.rows + run) * p.width;
      const Index left = p.cols - panel * p.step;
      for (Index j = 0; j < p.width; j += kLanes) {
        if (p.affine) {
          const Index first = panel * p.step + j;
          affine_column<L>({in + j, p.stride, rows, smaller(kLanes, left > j ? left - j : 0),
                            p.affine.from(first), out + j, p.width});
        } else if (left - j >= kLanes) {
          for (Index i = 0; i < rows; ++i) V::load(in + i * p.stride + j).store(out + i * p.width + j);
        } else {
          const int lanes = static_cast<int>(left > j ? left - j : 0);
          for (Index i = 0; i < rows; ++i) V::load(in + i * p.stride + j, lanes).store(out + i * p.width + j);
        }
      }
    }
  }
}

// Transposes by squares that fit the registers; what is left at the edges goes one by one.
template <class V>
void transpose_copy(const TransposedCopy& m) {
  constexpr Index kSquare = V::square;
  for (Index i = 0; i < m.rows; i += kSquare) {
    for (Index j = 0; j < m.cols; j += kSquare) {
      const float* in = m.in + i * m.in_stride + j;
      float* out = m.out + j * m.out_stride + i;
      const Index rows = smaller(kSquare, m.rows - i), cols = smaller(kSquare, m.cols - j);
      if (rows == kSquare && cols == kSquare) {
        V::transpose(in, m.in_stride, out, m.out_stride);
      } else {
        for (Index r = 0; r < rows; ++r)
          for (Index c = 0; c < cols; ++c) out[c * m.out_stride + r] = in[r * m.in_stride + c];
      }
    }
  }
}

}  // namespace
}  // namespace basin::cpu
