// The matrix product: the product is cut into blocks of C (and, for weight gradients, of the sum), each a
// task of its own that packs what it needs into its thread's scratch memory. The blocks depend on the problem
// alone.
#include <algorithm>
#include <cstring>

#include "core/cpu/kernels.h"
#include "core/cpu/packing.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

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

// A block of C: rows [row, row + rows), columns [col, col + cols), summed over [begin, end).
struct Block {
  Index row, rows, col, cols, begin, end;
};

// Sums longer than this are cut into equal parts that start from zero: a panel of B stays in the cache, and
// the rounding error grows with the length of a part and the number of parts instead of their product.
constexpr Index kDepth = 320;
// Rows of A that stay in the cache while the panels of B pass by.
constexpr Index kRows = 96;

// Rows of op(A) that are not contiguous, in panels {depth, kGemmRows}.
void pack_rows(const Operands& o, Index row, Index rows, Index begin, Index depth, float* out) {
  for (Index i = 0; i < rows; i += kGemmRows) {
    const float* in = o.a_at(row + i, begin);
    const Index count = std::min(kGemmRows, rows - i);
    for (Index p = 0; p < depth; ++p, in += o.lda, out += kGemmRows)
      std::memcpy(out, in, static_cast<std::size_t>(count) * sizeof(float));
  }
}

void multiply_block(const Kernels& isa, const Operands& o, const Block& block, float* c, Index ldc) {
  const Index parts = std::max<Index>(1, ceil_div(block.end - block.begin, kDepth));
  const Index longest = ceil_div(block.end - block.begin, parts);
  const Panels panels{block.cols, isa.panel};
  float* b = scratch(Slot::panels, panels.total() * longest);
  float* a = o.transpose_a ? scratch(Slot::rows, round_up(block.rows, kGemmRows) * longest) : nullptr;
  for (Index begin = block.begin; begin < block.end; begin += longest) {
    const Index depth = std::min(longest, block.end - begin);
    for (Index j = 0; j < panels.count(); ++j)
      pack_panel(isa, o.transpose_b, o.b_at(begin, block.col + j * isa.panel), o.ldb, depth, panels.lanes(j),
                 panels.width(j), b + j * isa.panel * depth);
    if (a) pack_rows(o, block.row, block.rows, begin, depth, a);
    for (Index i = 0; i < block.rows; i += kRows) {
      const float* rows = a ? a + i * depth : o.a_at(block.row + i, begin);
      isa.gemm({rows, o.lda, o.transpose_a, b, c + i * ldc, ldc, std::min(kRows, block.rows - i), block.cols,
                depth, begin > block.begin});
    }
  }
}

// The cut of C into blocks: large enough to be worth packing for, small enough to be shared by the threads.
struct Grid {
  Index rows, cols;  // of a block

  Grid(Index m, Index n, Index k) : rows(240), cols(256) {
    constexpr Index kTasks = 32, kLeastRows = 48, kLeastCols = 64, kLeastWork = Index{1} << 18;
    fit(m, n);
    while (ceil_div(m, rows) * ceil_div(n, cols) < kTasks && rows * cols * k > kLeastWork) {
      if (rows > kLeastRows && (rows >= cols || cols <= kLeastCols))
        rows = rows / 2;
      else if (cols > kLeastCols)
        cols = cols / 2;
      else
        break;
      fit(m, n);
    }
  }

 private:
  // Equal blocks of whole tiles.
  void fit(Index m, Index n) {
    rows = round_up(ceil_div(m, ceil_div(m, rows)), kGemmRows);
    cols = round_up(ceil_div(n, ceil_div(n, cols)), 2 * kLanes);
  }
};

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
  const Grid grid(m, n, k);
  const Index down = ceil_div(m, grid.rows), across = ceil_div(n, grid.cols), tiles = down * across;
  // Only a weight gradient (A transposed) splits its sum: elsewhere the length of the sum is the model's and
  // the rows are the batch's, and a row must not depend on how many there are.
  const Index sums = transpose_a && tiles < 16 ? partial_sums(k, 2 * kDepth, m * n) : 1;
  float* partial = sums > 1 ? scratch(Slot::shared, sums * m * n) : nullptr;
  parallel_for(tiles * sums, [&](Index task, int) {
    const Index s = task / tiles, tile = task % tiles;
    Block block{tile / across * grid.rows, grid.rows, tile % across * grid.cols, grid.cols, k * s / sums,
                k * (s + 1) / sums};
    block.rows = std::min(block.rows, m - block.row);
    block.cols = std::min(block.cols, n - block.col);
    if (partial)
      multiply_block(isa, operands, block, partial + s * m * n + block.row * n + block.col, n);
    else
      multiply_block(isa, operands, block, c + block.row * ldc + block.col, ldc);
  });
  if (!partial) return;
  parallel_for(ceil_div(m, 16), [&](Index chunk, int) {
    for (Index i = chunk * 16; i < std::min(m, chunk * 16 + 16); ++i) {
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
