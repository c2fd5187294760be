// The matrix product. B is packed once, by all threads together; then blocks of rows of C are tasks of their
// own, each of which reads A in place or packs it into its thread's scratch memory. All cuts depend on the
// problem alone.
#include <algorithm>

#include "core/cpu/kernels.h"
#include "core/cpu/packing.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

// The sum is cut into equal parts of at most this length, which start from zero: a panel of B stays in the
// cache, and the rounding error grows with the length of a part plus the number of parts instead of their
// product.
constexpr Index kDepth = 320;
// Rows of A that stay in the cache while the panels of B pass by.
constexpr Index kRows = 96;
// Packed B, in floats: fits the L3 cache.
constexpr Index kPacked = Index{2} << 20;

struct Operands {
  bool transpose_a, transpose_b;
  const float* a;
  Index lda;
  const float* b;
  Index ldb;

  // From row i, column j, position p of the sum on.
  const float* a_at(Index i, Index p) const { return transpose_a ? a + p * lda + i : a + i * lda + p; }
  const float* b_at(Index p, Index j) const { return transpose_b ? b + j * ldb + p : b + p * ldb + j; }
};

// Columns of op(B) in panels {depth, width}; row by row where it lies in rows, so that each page is visited
// once.
void pack_columns(const Kernels& isa, const Operands& o, const Panels& panels, Index begin, Index depth,
                  Index col, float* out) {
  const Index whole = o.transpose_b ? 0 : panels.channels / isa.panel;
  for (Index p = 0; p < (whole > 0 ? depth : 0); ++p)
    isa.copy({o.b_at(begin + p, col), isa.panel, whole, isa.panel, out + p * isa.panel, isa.panel * depth,
              isa.panel});
  for (Index j = whole; j < panels.count(); ++j)
    pack_panel(isa, o.transpose_b, o.b_at(begin, col + j * isa.panel), o.ldb, depth, panels.lanes(j),
               panels.width(j), out + j * isa.panel * depth);
}

// How a block of A is read: in panels {depth, kLanes} where the rows of op(A) do not lie in rows, else in
// place, or copied together where the rows of a tile would fall into the same sets of the L1 cache.
enum class Rows { in_place, copied, panels };

Rows rows_of(const Operands& o) {
  constexpr Index kAlias = 512;
  return o.transpose_a ? Rows::panels : o.lda % kAlias == 0 ? Rows::copied : Rows::in_place;
}

// Floats from one row to the next (copied), from one panel to the next per row (panels).
Index packed_stride(Rows how, Index depth) {
  return how == Rows::copied ? round_up(depth, kLanes) + kLanes : depth;
}

// `end`: the rows of op(A), beyond which nothing may be read.
void pack_rows(const Kernels& isa, const Operands& o, Rows how, Index row, Index rows, Index end, Index begin,
               Index depth, float* out) {
  if (how == Rows::copied) {
    isa.copy({o.a_at(row, begin), o.lda, rows, depth, out, packed_stride(how, depth), depth});
    return;
  }
  // Whole vectors are faster than twelve lanes of one; what they read too much is not used.
  const Index panels = ceil_div(rows, kGemmRows);
  const Index whole = end - row < kLanes ? 0 : std::min(panels, (end - row - kLanes) / kGemmRows + 1);
  for (Index p = 0; p < depth; ++p, out += kLanes) {
    const float* in = o.a_at(row, begin + p);
    isa.copy({in, kGemmRows, whole, kLanes, out, kLanes * depth, kLanes});
    for (Index i = whole; i < panels; ++i)
      isa.copy({in + i * kGemmRows, 0, 1, std::min(kGemmRows, rows - i * kGemmRows), out + i * kLanes * depth,
                0, kLanes});
  }
}

// A range of [0, total) for each of `count` tasks, in whole multiples of `unit`.
struct Cut {
  Index total, unit, count;

  Index first(Index i) const { return std::min(total, ceil_div(total, unit) * i / count * unit); }
  Index size(Index i) const { return first(i + 1) - first(i); }
};

// C = op(A) op(B), summed over [begin, end).
void multiply(const Kernels& isa, const Operands& o, Index m, Index n, Index begin, Index end, float* c,
              Index ldc) {
  const Index parts = ceil_div(end - begin, kDepth), longest = ceil_div(end - begin, parts);
  const Index slab_cols = std::min(round_up(n, isa.panel), kPacked / longest / isa.panel * isa.panel);
  const Rows how = rows_of(o);
  for (Index col = 0; col < n; col += slab_cols) {
    const Index cols = std::min(slab_cols, n - col), width = Panels{cols, isa.panel}.total();
    const Index slab_parts = std::min(parts, kPacked / (longest * width));
    float* packed = scratch(Slot::panels, slab_parts * longest * width);
    // Tasks of kRows rows; fewer columns each where there are few rows.
    constexpr Index kTasks = 16, kLeastCols = 64, kLeastWork = Index{1} << 18;
    const Cut row_cut{m, kGemmRows, ceil_div(m, kRows)};
    const Index work = m * cols * (end - begin) / kLeastWork;
    const Cut col_cut{cols, isa.panel,
                      std::clamp<Index>(std::min(ceil_div(kTasks, row_cut.count), work / row_cut.count), 1,
                                        ceil_div(cols, kLeastCols))};
    for (Index part = 0; part < parts; part += slab_parts) {
      const Index count = std::min(slab_parts, parts - part);
      const auto first_of = [&](Index i) { return begin + (part + i) * longest; };
      const auto depth_of = [&](Index i) { return std::min(longest, end - first_of(i)); };
      const Cut pack_cut{cols, isa.panel, ceil_div(cols, 256)};
      parallel_for(count * pack_cut.count, [&](Index task, int) {
        const Index i = task / pack_cut.count, j = pack_cut.first(task % pack_cut.count);
        const Panels panels{pack_cut.size(task % pack_cut.count), isa.panel};
        pack_columns(isa, o, panels, first_of(i), depth_of(i), col + j,
                     packed + i * longest * width + j * depth_of(i));
      });
      parallel_for(row_cut.count * col_cut.count, [&](Index task, int) {
        const Index r = task / col_cut.count, j = col_cut.first(task % col_cut.count);
        const Index row = row_cut.first(r), rows = row_cut.size(r);
        float* a = how == Rows::in_place ? nullptr
                                         : scratch(Slot::rows, round_up(rows, kGemmRows) / kGemmRows *
                                                                   kLanes * packed_stride(how, longest));
        for (Index i = 0; i < count; ++i) {
          const Index depth = depth_of(i);
          if (a) pack_rows(isa, o, how, row, rows, m, first_of(i), depth, a);
          isa.gemm({a ? a : o.a_at(row, first_of(i)), a ? packed_stride(how, depth) : o.lda,
                    how == Rows::panels, packed + i * longest * width + j * depth, c + row * ldc + col + j,
                    ldc, rows, col_cut.size(task % col_cut.count), depth, part + i > 0});
        }
      });
    }
  }
}

}  // namespace

void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const float* a, Index lda,
          const float* b, Index ldb, float* c, Index ldc) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0) {
    for (Index i = 0; i < m; ++i) std::fill_n(c + i * ldc, n, 0.0f);
    return;
  }
  const Kernels& isa = kernels();
  const Operands operands{transpose_a, transpose_b, a, lda, b, ldb};
  // A small C with a long sum, as weight gradients have it, is shared out by parts of the sum. Only with A
  // transposed: elsewhere the rows of C are images, and a row must not depend on how many there are.
  const Index sums = transpose_a ? partial_sums(k, kDepth, m * n) : 1;
  if (sums < 8) {
    multiply(isa, operands, m, n, 0, k, c, ldc);
    return;
  }
  float* partial = scratch(Slot::shared, sums * m * n);
  parallel_for(sums, [&](Index s, int) {
    multiply(isa, operands, m, n, k * s / sums, k * (s + 1) / sums, partial + s * m * n, n);
  });
  const Cut cut{m, 1, ceil_div(m * n, 4096)};
  parallel_for(cut.count, [&](Index chunk, int) {
    for (Index i = cut.first(chunk); i < cut.first(chunk + 1); ++i) {
      float* out = c + i * ldc;
      std::copy_n(partial + i * n, n, out);
      for (Index s = 1; s < sums; ++s) {
        const float* in = partial + (s * m + i) * n;
        for (Index j = 0; j < n; ++j) out[j] += in[j];
      }
    }
  });
}

}  // namespace basin::cpu
