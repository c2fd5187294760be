// Softmax cross-entropy of the rows of logits {rows, n}, and its gradient.
#pragma once

#include "cuda/kernels/argmax.cuh"
#include "cuda/kernels/block_sum.cuh"
#include "cuda/kernels/channels.cuh"
#include "cuda/kernels/index_check.cuh"

namespace basin::cuda {

/// What rows are compared with: q_k = onto_all + onto_label [k is the row's label]. A label that is outside
/// is told to the host and has no onto_label.
struct TargetRows {
  IndexCheck labels;
  const std::int64_t* label;
  double onto_label, onto_all;

  template <class F>
  void for_each_pointer(F f) const {
    labels.for_each_pointer(f);
    f(label);
  }
};

/// y = log_softmax(x), loss = -1/rows sum over rows of sum_k q_k y_k, and how many rows have their first
/// maximum at `counted` (null: nobody asks). Each block leaves its sum and its count in `part`, {blocks, 2};
/// the last one adds them up.
template <class T, int width>
__global__ void __launch_bounds__(kThreads)
    cross_entropy_kernel(const T* x, TargetRows target, const std::int64_t* counted, std::int64_t rows,
                         std::int64_t n, Compute<T>* y, double* part, unsigned* counter, Compute<T>* loss,
                         double* correct) {
  using N = Compute<T>;
  using Here = Placed<N>;
  struct Scores;
  struct Counts;
  double score = 0, count = 0;  // of this thread's rows
  Rows<width>::each(rows, [&](std::int64_t r, bool counts) {
    const T* row = x + r * n;
    Here top{static_cast<N>(row[0]), 0};
    for (std::int64_t j = Rows<width>::lane(); j < n; j += width) {
      const Here here{static_cast<N>(row[j]), j};
      if (beats(here, top)) top = here;
    }
    top = Rows<width>::joined(top, [](const Here& a, const Here& b) { return beats(a, b) ? a : b; });
    double total = 0;
    for (std::int64_t j = Rows<width>::lane(); j < n; j += width)
      total += static_cast<double>(std::exp(static_cast<N>(row[j]) - top.number));
    const N log_total = static_cast<N>(std::log(Rows<width>::sum(total)));
    const auto log_p = [&](std::int64_t j) { return static_cast<N>(row[j]) - top.number - log_total; };
    double all = 0;
    for (std::int64_t j = Rows<width>::lane(); j < n; j += width) {
      const N here = log_p(j);
      if (counts) y[r * n + j] = here;
      all += static_cast<double>(here);
    }
    if (target.onto_all != 0) all = Rows<width>::sum(all);
    if (!counts || Rows<width>::lane() != 0) return;
    const std::int64_t label = target.label[r];
    if (target.labels.holds(label)) score += target.onto_label * static_cast<double>(log_p(label));
    if (target.onto_all != 0) score += target.onto_all * all;
    if (counted != nullptr && top.place == counted[r]) count += 1;
  });

  score = block_sum<Scores>(score);
  count = block_sum<Counts>(count);
  if (threadIdx.x == 0) {
    part[2 * blockIdx.x] = score;
    part[2 * blockIdx.x + 1] = count;
  }
  if (!last_of(counter, gridDim.x)) return;
  struct AllScores;
  struct AllCounts;
  score = count = 0;
  for (std::int64_t i = threadIdx.x; i < gridDim.x; i += kThreads) {
    score += part[2 * i];
    count += part[2 * i + 1];
  }
  score = block_sum<AllScores>(score);
  count = block_sum<AllCounts>(count);
  if (threadIdx.x != 0) return;
  *loss = static_cast<N>(-score / static_cast<double>(rows));
  if (correct != nullptr) *correct = count;
}

/// dx = (exp(y) - q) dloss / rows, for y = log_softmax(x).
template <class T, int width>
__global__ void __launch_bounds__(kThreads)
    cross_entropy_grad_kernel(const Compute<T>* y, TargetRows target, const Compute<T>* dloss,
                              std::int64_t rows, std::int64_t n, T* dx) {
  using N = Compute<T>;
  const N scale = *dloss * static_cast<N>(1 / static_cast<double>(rows));
  const N onto_all = static_cast<N>(target.onto_all), onto_label = static_cast<N>(target.onto_label);
  const std::int64_t* labels = target.label;
  Rows<width>::each(rows, [=](std::int64_t r, bool counts) {
    if (!counts) return;
    const std::int64_t label = labels[r];
    const N* from = y + r * n;
    T* to = dx + r * n;
    for (std::int64_t j = Rows<width>::lane(); j < n; j += width) {
      const N d = std::exp(from[j]) - onto_all;
      to[j] = static_cast<T>((j == label ? d - onto_label : d) * scale);
    }
  });
}

}  // namespace basin::cuda
