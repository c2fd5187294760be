// A word by which kernels tell the host what went wrong in them.
#pragma once

#include <cuda_runtime_api.h>

#include <atomic>

#include "cuda/runtime/check.h"

namespace basin::cuda {

/// One word in pinned memory of the host, which kernels of every card can write to: no copy brings it. It is
/// 0 until a kernel writes to it; the host sees what was written by work that it has waited for.
class ErrorWord {
 public:
  ErrorWord() {
    void* place = nullptr;
    check(cudaHostAlloc(&place, sizeof *word_, cudaHostAllocPortable | cudaHostAllocMapped), "cudaHostAlloc");
    word_ = static_cast<unsigned long long*>(place);
    *word_ = 0;
  }
  ~ErrorWord() { static_cast<void>(cudaFreeHost(word_)); }
  ErrorWord(const ErrorWord&) = delete;
  ErrorWord& operator=(const ErrorWord&) = delete;

  unsigned long long* place() const { return word_; }
  /// What was written since the last call, 0 if nothing was.
  unsigned long long take() const {
    std::atomic_ref<unsigned long long> word(*word_);
    return word.load(std::memory_order_relaxed) == 0 ? 0 : word.exchange(0);
  }

 private:
  unsigned long long* word_ = nullptr;
};

}  // namespace basin::cuda
