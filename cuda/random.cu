// Draws on the card (kernels/random.cuh).
#include "cuda/random.h"

#include "cuda/dispatch.h"
#include "cuda/kernels/random.cuh"
#include "cuda/launch.h"

namespace basin::cuda {
namespace {

RandomAddress address(const CudaBackend& card, const DrawsAt& at, Tensor& keep) {
  return {at.seed, static_cast<std::uint32_t>(at.stream), number_of(at.epoch, keep, card.device()), at.index};
}

}  // namespace

void draw_uniform(CudaBackend& card, const DrawsAt& at, Tensor& out) {
  const std::int64_t n = out.elements();
  Tensor keep;
  launch(uniform_kernel<double>, blocks_for(n / 2), kThreads, card.stream(), address(card, at, keep),
         numbers<double>(out), n);
}

void draw_mask(CudaBackend& card, const DrawsAt& at, double p, Tensor& out) {
  const std::int64_t n = out.elements();
  Tensor keep;
  const auto threshold = static_cast<std::uint64_t>(p * 4294967296.0);
  dispatch_activations(out.dtype(), "dropout", [&](auto type) {
    using T = decltype(type);
    launch(mask_kernel<T>, blocks_for(n / 4), kThreads, card.stream(), address(card, at, keep), threshold,
           static_cast<T>(1 / (1 - p)), numbers<T>(out), n);
  });
}

}  // namespace basin::cuda
