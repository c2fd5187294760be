// See gemm.h. B is packed once, by all threads together; then blocks of rows of C are tasks of their
// own, each of which reads A in place or packs it into its thread's scratch memory. All cuts depend on the
// problem alone.
#include "core/cpu/conv/gemm.h"

#include <algorithm>

#include "core/cpu/conv/packing.h"
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
// Fewer partial sums than these do not pay.
constexpr Index kLeastSums = 8;

struct Operands {
  bool transpose_a, transpose_b;
  const float* a;
  Index lda;
  const float* b;
  Index ldb;
  ChannelAffine affine;  // of A

  // From row i, column j, position p of the sum on.
  const float* a_at(Index i, Index p) const { return transpose_a ? a + p * lda + i : a + i * lda + p; }
  const float* b_at(Index p, Index j) const { return transpose_b ? b + j * ldb + p : b + p * ldb + j; }
};

// Columns of op(B) in panels {depth, width}.
void pack_columns(const Kernels& isa, const Operands& o, const Panels& panels, Index begin, Index depth,
                  Index col, float* out) {
  const Index whole = o.transpose_b ? 0 : panels.channels / isa.panel;
  if (whole > 0)
    isa.pack_panels({o.b_at(begin, col), o.ldb, depth, whole * isa.panel, whole, isa.panel, isa.panel, out});
  for (Index j = whole; j < panels.count(); ++j)
    pack_panel(isa, o.transpose_b, o.b_at(begin, col + j * isa.panel), o.ldb, depth, panels.lanes(j),
               panels.width(j), out + j * isa.panel * depth);
}

// Whether A is packed: where the rows of op(A) do not lie in rows, and where those of a tile would fall into
// the same sets of the L1 cache. Else it is read in place.
bool packs_rows(const Operands& o) { return o.transpose_a || (o.lda % 512 == 0 && !o.affine); }

// Rows of op(A) in panels {depth, kLanes} of kGemmRows rows. Whole vectors are the fastest to move, so up to
// `end` each panel takes some rows of the one after it along; they are not used.
void pack_rows(const Kernels& isa, const Operands& o, Index row, Index rows, Index end, Index begin,
               Index depth, float* out) {
  if (o.transpose_a) {
    isa.pack_panels({o.a_at(row, begin), o.lda, depth, end - row, ceil_div(rows, kGemmRows), kGemmRows,
                     kLanes, out, o.affine});
    return;
  }
  for (Index i = 0; i < rows; i += kGemmRows, out += depth * kLanes)
    isa.transpose({o.a_at(row + i, begin), o.lda, std::min(kLanes, end - row - i), depth, out, kLanes});
}

// Op(A)'s rows [row, row + rows) at positions [begin, begin + depth), read through its affine, as rows of
// their own.
Operands affine_rows(const Kernels& isa, const Operands& o, Index row, Index rows, Index begin, Index depth) {
  const Index stride = round_up(depth, kLanes);
  float* out = scratch(Slot::images, rows * stride);
  isa.affine_rows({o.a_at(row, begin), o.lda, rows, depth, o.affine.from(begin), out, stride});
  Operands read = o;
  read.a = out;
  read.lda = stride;
  return read;
}

// The memory of A that holds op(A)'s rows [row, row + rows) at positions [begin, begin + depth), where it
// lies together: nothing else is worth to be fetched ahead.
Ahead memory_of(const Operands& o, Index m, Index k, Index row, Index rows, Index begin, Index depth) {
  const bool together = o.transpose_a ? rows == m && o.lda == m : depth == k && o.lda == k;
  if (!together || rows <= 0 || depth <= 0) return {};
  return {o.a_at(row, begin), rows * depth};
}

// A range of [0, total) for each of `count` tasks, in whole multiples of `unit`.
struct Cut {
  Index total, unit, count;

  Index first(Index i) const { return std::min(total, ceil_div(total, unit) * i / count * unit); }
  Index size(Index i) const { return first(i + 1) - first(i); }
};

// C = op(A) op(B), summed over [begin, end). `consumer`, unless null, takes C.
void multiply(const Kernels& isa, const Operands& o, Index m, Index n, Index k, Index begin, Index end,
              float* c, Index ldc, RowConsumer* consumer = nullptr) {
  const Index parts = ceil_div(end - begin, kDepth), longest = ceil_div(end - begin, parts);
  const Index slab_cols = std::min(round_up(n, isa.panel), kPacked / longest / isa.panel * isa.panel);
  const bool packs = packs_rows(o);
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
    // Whether a task completes its rows.
    const bool completes = consumer && slab_cols >= n && slab_parts >= parts && col_cut.count == 1;
    if (completes) consumer->expect(row_cut.count);
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
        float* a = packs ? scratch(Slot::rows, ceil_div(rows, kGemmRows) * kLanes * longest) : nullptr;
        for (Index i = 0; i < count; ++i) {
          const Index depth = depth_of(i);
          // Rows are packed through the affine, or formed by it.
          Operands here = o;
          here.a = o.a_at(row, first_of(i));
          if (a) {
            here.affine = o.affine.from(row);
            pack_rows(isa, here, 0, rows, m - row, 0, depth, a);
          } else if (o.affine) {
            here = affine_rows(isa, o, row, rows, first_of(i), depth);
          }
          // What this thread copies next: the part after this one, or the rows after these.
          Ahead next;
          if ((packs || o.affine) && i + 1 < count)
            next = memory_of(o, m, k, row, rows, first_of(i + 1), depth_of(i + 1));
          else if ((packs || o.affine) && r + 1 < row_cut.count)
            next = memory_of(o, m, k, row + rows, row_cut.size(r + 1), first_of(0), depth_of(0));
          isa.gemm({a ? a : here.a, here.lda, packs, packed + i * longest * width + j * depth,
                    c + row * ldc + col + j, ldc, rows, col_cut.size(task % col_cut.count), depth,
                    part + i > 0, next});
        }
        if (completes) consumer->take(r, row, rows);
      });
    }
    if (completes) consumer = nullptr;
  }
  if (consumer) consumer->take_all(m, n);
}

// C = the partial sums, one after the other.
void add_up(const float* partial, Index sums, Index m, Index n, float* c, Index ldc) {
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

}  // namespace

void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const float* a, Index lda,
          const float* b, Index ldb, float* c, Index ldc, const ChannelAffine& a_affine, RowConsumer* rows) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0) {
    for (Index i = 0; i < m; ++i) std::fill_n(c + i * ldc, n, 0.0f);
    if (rows) rows->take_all(m, n);
    return;
  }
  const Kernels& isa = kernels();
  const Operands operands{transpose_a, transpose_b, a, lda, b, ldb, a_affine};
  // A small C with a long sum, as weight gradients have it, is shared out by parts of the sum. Only with A
  // transposed: elsewhere the rows of C are images, and a row must not depend on how many there are.
  const Index sums = transpose_a ? partial_sums(k, kDepth, m * n) : 1;
  if (sums < kLeastSums) {
    multiply(isa, operands, m, n, k, 0, k, c, ldc, rows);
    return;
  }
  float* partial = scratch(Slot::shared, sums * m * n);
  parallel_for(sums, [&](Index s, int) {
    multiply(isa, operands, m, n, k, k * s / sums, k * (s + 1) / sums, partial + s * m * n, n);
  });
  add_up(partial, sums, m, n, c, ldc);
  if (rows) rows->take_all(m, n);
}

bool gemm_gradients(Index m, Index k, Index n, const float* a, const ChannelAffine& a_affine, const float* b,
                    const float* dc, float* da, float* db, RowConsumer* rows) {
  constexpr Index kPiece = 1024;  // rows of da that stay in the cache
  const Index sums = partial_sums(m, kDepth, k * n);
  if (sums < kLeastSums) return false;
  const Kernels& isa = kernels();
  const auto first = [&](Index s) { return m * s / sums; };
  const Index pieces = ceil_div(ceil_div(m, sums), kPiece);  // of each sum's rows
  if (rows) rows->expect(sums * pieces);
  float* partial = scratch(Slot::shared, sums * k * n);
  parallel_for(sums, [&](Index s, int) {
    const Operands weight{true, false, a, k, dc, n, a_affine};
    multiply(isa, weight, k, n, m, first(s), first(s + 1), partial + s * k * n, n);
    const Cut cut{first(s + 1) - first(s), 1, pieces};
    for (Index piece = 0; piece < pieces; ++piece) {
      const Index row = first(s) + cut.first(piece), count = cut.size(piece);
      const Operands input{false, true, dc + row * n, n, b, n, {}};
      multiply(isa, input, count, k, n, 0, n, da + row * k, k);
      if (rows) rows->take(s * pieces + piece, row, count);
    }
  });
  add_up(partial, sums, k, n, db, n);
  return true;
}

}  // namespace basin::cpu
