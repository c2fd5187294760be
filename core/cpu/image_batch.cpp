// CpuBackend: batches of images out of pictures of bytes. A task is a row of pixels.
#include "core/images/image_batch.h"

#include "core/cpu/backend.h"
#include "core/functors/image.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

const Index* numbers(const Tensor* box) { return box == nullptr ? nullptr : box->data<Index>(); }

}  // namespace

void CpuBackend::image_batch(const ImageBatch& b, Tensor& out) {
  const Shape& s = out.shape();
  const functors::ImageFormula formula{.pixels = b.pixels.data<std::uint8_t>(),
                                       .table = b.table.data<float>(),
                                       .draws = b.draws.data<Index>(),
                                       .covered = numbers(b.covered),
                                       .partners = numbers(b.partners),
                                       .exchanged = numbers(b.exchanged),
                                       .height = s[1],
                                       .width = s[2],
                                       .channels = s[3],
                                       .reflect = b.reflect};
  const auto lambda = static_cast<float>(b.lambda.value());
  float* images = out.mutable_data<float>();
  parallel_for(s[0] * s[1], [&](std::int64_t row, int) {
    float* number = images + row * s[2] * s[3];
    for (Index x = 0; x < s[2]; ++x)
      for (Index c = 0; c < s[3]; ++c) *number++ = formula(row / s[1], row % s[1], x, c, lambda);
  });
}

}  // namespace basin::cpu
