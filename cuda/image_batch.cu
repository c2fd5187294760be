// Batches of images (kernels/image_batch.cuh).
#include "core/images/image_batch.h"

#include "cuda/backend.h"
#include "cuda/kernels/image_batch.cuh"
#include "cuda/launch.h"

namespace basin::cuda {
namespace {

const std::int64_t* box(const Tensor* t) { return t == nullptr ? nullptr : numbers<std::int64_t>(*t); }

}  // namespace

void CudaBackend::image_batch(const ImageBatch& b, Tensor& out) {
  const Shape& s = out.shape();
  const functors::ImageFormula formula{.pixels = numbers<std::uint8_t>(b.pixels),
                                       .table = numbers<float>(b.table),
                                       .draws = numbers<std::int64_t>(b.draws),
                                       .covered = box(b.covered),
                                       .partners = box(b.partners),
                                       .exchanged = box(b.exchanged),
                                       .height = s[1],
                                       .width = s[2],
                                       .channels = s[3],
                                       .reflect = b.reflect};
  Tensor keep;
  const Number lambda = number_of(b.lambda, keep, device());
  const std::int64_t of_block = std::int64_t{kThreads} * kNumbersOfImage;
  const std::int64_t pieces = (s[1] * s[2] * s[3] + of_block - 1) / of_block;
  const auto kernel = s[3] == 1   ? image_batch_kernel<1>
                      : s[3] == 3 ? image_batch_kernel<3>
                                  : image_batch_kernel<0>;
  launch(kernel, static_cast<unsigned>(s[0] * pieces), kThreads, stream(), formula, lambda, pieces,
         numbers<float>(out));
}

}  // namespace basin::cuda
