// Matrices {rows, channels}, as batch and layer normalisation have them: how a grid works off their columns,
// and how it sums them.
#pragma once

#include <algorithm>

#include "cuda/kernels/pack.cuh"

namespace basin::cuda {

/// Neighbouring channels that a thread has at once, where their number allows: a pack of 16 bytes, but no
/// more than 4, for each takes registers.
template <class T>
inline constexpr int kGroup = std::min(pack_width<T>, 4);
/// Rows that a thread reads before it computes with the first. A walk that only maps has more threads at
/// once.
inline constexpr int kSumRows = 4;
template <int group>
inline constexpr int kMapRows = group > 1 ? 2 : 4;
/// Blocks that share a sum at most: what they leave is added up by the last of them.
template <int group>
inline constexpr int kSumBlocks = group > 1 ? 256 : 512;
/// Blocks of a walk that only maps.
inline constexpr int kMapBlocks = 132 * 16;

/// How blocks share a matrix of numbers of type T. A tile is `width` groups of neighbouring channels, up to
/// 128 bytes of a row; a block takes kThreads / width rows of it at a time, in turn with the other `parts` of
/// its tile. All this follows from the shape: so does the order of sums over rows.
struct ChannelTiles {
  std::int64_t rows, channels, tiles;
  int width, parts;
  bool packed;  // addresses allow that a group is read at once

  template <class T, int group>
  static ChannelTiles of(std::int64_t rows, std::int64_t channels, int most_blocks, bool packed) {
    const std::int64_t groups = channels / group, widest = group > 1 ? 128 / sizeof(T) / group : 32;
    const std::int64_t tiles = (groups + widest - 1) / widest, width = (groups + tiles - 1) / tiles;
    const std::int64_t turn = kThreads / width * kSumRows;
    const std::int64_t parts =
        std::clamp<std::int64_t>((rows + turn - 1) / turn, 1, std::max<std::int64_t>(most_blocks / tiles, 1));
    return {rows, channels, tiles, static_cast<int>(width), static_cast<int>(parts), packed};
  }
  unsigned blocks() const { return static_cast<unsigned>(tiles * parts); }
};

/// What a thread has of it: the rows first, first + step, ... of a group of channels.
struct ChannelPlace {
  std::int64_t tile, channel, first, step;
  int part, row;  // row of the block
  bool idle;

  __device__ ChannelPlace(const ChannelTiles& t, int group, std::int64_t block) {
    const int rows = kThreads / t.width, in_tile = static_cast<int>(threadIdx.x) % t.width;
    tile = block % t.tiles;
    part = static_cast<int>(block / t.tiles);
    row = static_cast<int>(threadIdx.x) / t.width;
    channel = (tile * t.width + in_tile) * group;
    first = static_cast<std::int64_t>(part) * rows + row;
    step = static_cast<std::int64_t>(t.parts) * rows;
    idle = row >= rows || channel >= t.channels;
  }
};

/// body(0), ..., body(n - 1), one after the other in the code, so that arrays of n stay in registers.
template <int n, class Body>
__device__ __forceinline__ void unrolled(Body body) {
  if constexpr (n > 0) {
    unrolled<n - 1>(body);
    body(n - 1);
  }
}

template <int group, class T>
__device__ __forceinline__ Pack<T, group> load_group(const T* p, bool packed) {
  if (group > 1 && packed) return load_pack<group>(p);
  Pack<T, group> numbers;
  for (int j = 0; j < group; ++j) numbers.number[j] = p[j];
  return numbers;
}
template <int group, class T>
__device__ __forceinline__ void store_group(T* p, const Pack<T, group>& numbers, bool packed) {
  if (group > 1 && packed) {
    store_pack(p, numbers);
  } else {
    for (int j = 0; j < group; ++j) p[j] = numbers.number[j];
  }
}

/// The same of sums, rounded to T.
template <int group, class T, class N>
__device__ __forceinline__ void store_sums(T* p, const N (&sum)[group], bool packed) {
  Pack<T, group> rounded;
  for (int j = 0; j < group; ++j) rounded.number[j] = static_cast<T>(sum[j]);
  store_group(p, rounded, packed);
}

/// Joins the n numbers of the threads that have one place in a row, of `rows` rows of `width` threads; row 0
/// has then all. For all threads of a block; `shared` holds n kThreads numbers.
template <int n, class Join>
__device__ void join_rows(double* shared, double (&numbers)[n], int width, int rows, Join join) {
  const int t = static_cast<int>(threadIdx.x), row = t / width;
  for (int k = 0; k < n; ++k) shared[k * kThreads + t] = numbers[k];
  __syncthreads();
  for (int left = rows; left > 1;) {
    const int half = (left + 1) / 2;
    if (row < left - half)
      for (int k = 0; k < n; ++k) {
        double& here = shared[k * kThreads + t];
        here = join(here, shared[k * kThreads + t + half * width]);
      }
    __syncthreads();
    left = half;
  }
  for (int k = 0; k < n; ++k) numbers[k] = shared[k * kThreads + t];
}
template <int n>
__device__ void add_rows(double* shared, double (&sums)[n], int width, int rows) {
  join_rows(shared, sums, width, rows, [](double a, double b) { return a + b; });
}

/// Whether this block is the last of `blocks` that ask this. What the others wrote before they asked is then
/// there to be read. The counter, 0 at first, is left 0. For all threads of a block.
__device__ inline bool last_of(unsigned* counter, unsigned blocks) {
  struct Last;
  int* last = shared_array<Last, int, 1>();
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    last[0] = atomicInc(counter, blocks - 1) == blocks - 1 ? 1 : 0;
    __threadfence();
  }
  __syncthreads();
  return last[0] != 0;
}

/// This thread's share of two sums over rows of each of its channels. A few rows at a time add up in the type
/// that the terms are computed in, the rest in f64.
template <class Terms>
__device__ void sum_share(const Terms& terms, const ChannelTiles& tiles, const ChannelPlace& at,
                          double (&sums)[2 * Terms::kWide]) {
  constexpr int n = 2 * Terms::kWide, at_once = kSumRows;
  typename Terms::Channels channels(terms, at, tiles);
  std::int64_t count = 0;
  for (std::int64_t row = at.first; row < tiles.rows; row += at_once * at.step) {
    typename Terms::Row read[at_once] = {};
    unrolled<at_once>([&](int u) {
      if (row + u * at.step < tiles.rows) read[u] = terms.read(row + u * at.step, at.channel, tiles);
    });
    typename Terms::Number few[n] = {};
    unrolled<at_once>([&](int u) {
      if (row + u * at.step >= tiles.rows) return;
      channels.add(read[u], few);
      ++count;
    });
    for (int k = 0; k < n; ++k) sums[k] += static_cast<double>(few[k]);
  }
  channels.adjust(static_cast<double>(count), sums);
}

/// Two sums over the rows for each channel, as `terms` say: terms.done(channel, first, second) gets them.
/// partial: {parts, 2, channels}; counters: one for each tile. Neither is used where there is one part.
template <class Terms>
__global__ void __launch_bounds__(kThreads, 2)
    channel_sums_kernel(Terms terms, ChannelTiles tiles, double* partial, unsigned* counters) {
  constexpr int group = Terms::kWide;
  struct Sums;
  double* shared = shared_array<Sums, double, 2 * group * kThreads>();
  const ChannelPlace at(tiles, group, blockIdx.x);
  double sums[2 * group] = {};
  if (!at.idle && at.first < tiles.rows) sum_share(terms, tiles, at, sums);
  add_rows(shared, sums, tiles.width, kThreads / tiles.width);
  const bool has_totals = at.row == 0 && !at.idle;
  if (tiles.parts == 1) {
    if (has_totals)
      for (int j = 0; j < group; ++j) terms.done(at.channel + j, tiles.rows, sums[j], sums[group + j]);
    return;
  }

  if (has_totals)
    for (int j = 0; j < group; ++j) {
      double* to = partial + 2 * at.part * tiles.channels + at.channel + j;
      to[0] = sums[j];
      to[tiles.channels] = sums[group + j];
    }
  if (!last_of(counters + at.tile, static_cast<unsigned>(tiles.parts))) return;
  const int wide = tiles.width * group, rows = kThreads / wide;
  const int row = static_cast<int>(threadIdx.x) / wide;
  const std::int64_t channel = at.tile * wide + static_cast<int>(threadIdx.x) % wide;
  double totals[2] = {};
  if (row < rows && channel < tiles.channels)
    for (int part = row; part < tiles.parts; part += rows)
      for (int k = 0; k < 2; ++k) totals[k] += partial[(2 * part + k) * tiles.channels + channel];
  add_rows(shared, totals, wide, rows);
  if (row == 0 && channel < tiles.channels) terms.done(channel, tiles.rows, totals[0], totals[1]);
}

/// task.write(channels, row read, ...) for each row and group of channels. The rows come last first: what was
/// summed up last is still in the card's cache.
template <class Task>
__global__ void __launch_bounds__(kThreads) channel_map_kernel(Task task, ChannelTiles tiles) {
  constexpr int at_once = kMapRows<Task::kWide>;
  const ChannelPlace at(tiles, Task::kWide, blockIdx.x);
  if (at.idle || at.first >= tiles.rows) return;
  const typename Task::Channels channels(task, at, tiles);
  const std::int64_t last = tiles.rows - 1;
  for (std::int64_t row = at.first; row < tiles.rows; row += at_once * at.step) {
    typename Task::Row read[at_once] = {};
    unrolled<at_once>([&](int u) {
      if (row + u * at.step < tiles.rows) read[u] = task.read(last - row - u * at.step, at.channel, tiles);
    });
    unrolled<at_once>([&](int u) {
      if (row + u * at.step < tiles.rows)
        task.write(channels, read[u], last - row - u * at.step, at.channel, tiles);
    });
  }
}

}  // namespace basin::cuda
