// Transposes, tile by tile.
#pragma once

#include "cuda/kernels/walk.cuh"

namespace basin::cuda {

/// Side of a tile.
inline constexpr int kTile = 32;

/// A batch of matrices {rows, columns} in, {columns, rows} out. What lies within a row of either is
/// contiguous; a row of the input begins row_in numbers after the one before, one of the output row_out. The
/// batch walks through (out, in); at first it is one matrix.
struct Transpose {
  std::int64_t rows, columns, row_in, row_out;
  Divisor tiles_across, tiles;  // tiles of a row of tiles, and of a matrix
  std::int64_t tile_count;      // of the batch
  Walk<2> walk;

  Transpose(std::int64_t height, std::int64_t width, std::int64_t in, std::int64_t out)
      : rows(height), columns(width), row_in(in), row_out(out) {
    const std::int64_t across = (columns + kTile - 1) / kTile;
    tiles_across = Divisor(across);
    tile_count = across * ((rows + kTile - 1) / kTile);
    tiles = Divisor(tile_count);
  }
};

/// out[b, j, i] = in[b, i, j], rounded where To is shorter.
template <class From, class To>
__global__ void __launch_bounds__(kThreads, kResident)
    transpose_kernel(Transpose t, const From* in, To* out) {
  struct Tile;
  // A row has a number more, so that a column lies in unlike banks.
  Compute<From>* tile = shared_array<Tile, Compute<From>, kTile*(kTile + 1)>();
  const int x = static_cast<int>(threadIdx.x % kTile), y = static_cast<int>(threadIdx.x / kTile);
  constexpr int kRowsAtOnce = kThreads / kTile;
  for (std::int64_t k = blockIdx.x; k < t.tile_count; k += gridDim.x) {
    std::int64_t within = k;
    const Places<2> at = t.walk.places(t.tiles.divide(within));
    const std::int64_t i0 = t.tiles_across.divide(within) * kTile, j0 = within * kTile;
    for (int r = y; r < kTile; r += kRowsAtOnce)
      if (i0 + r < t.rows && j0 + x < t.columns)
        tile[r * (kTile + 1) + x] = static_cast<Compute<From>>(in[at.at[1] + (i0 + r) * t.row_in + j0 + x]);
    __syncthreads();
    for (int r = y; r < kTile; r += kRowsAtOnce)
      if (j0 + r < t.columns && i0 + x < t.rows)
        out[at.at[0] + (j0 + r) * t.row_out + i0 + x] = static_cast<To>(tile[x * (kTile + 1) + r]);
    __syncthreads();
  }
}

}  // namespace basin::cuda
