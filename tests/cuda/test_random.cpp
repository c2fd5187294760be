// Random numbers that are drawn on the card: those of core/random.h.
#include "cuda/random.h"

#include "tests/cuda/comparison.h"

namespace {

using namespace cuda_testing;
using cuda::DrawsAt;

cuda::CudaBackend& cuda_card() { return dynamic_cast<cuda::CudaBackend&>(card()); }
Scalar number_there(double value) { return Scalar(Tensor::full({}, value, Dtype::f64, cuda_device())); }

constexpr std::uint64_t kSeed = 0x123456789abcdef0, kIndex = 0x00aabbccddeeff11;

TEST_CASE("uniform numbers of the card are those of the host, whichever knows the epoch") {
  for (Index n : {1, 2, 7, 2063})
    for (std::uint64_t epoch : {0U, 5U, 4294967295U}) {
      Random random(kSeed, Stream::shake, epoch, kIndex);
      std::vector<double> want(static_cast<std::size_t>(n));
      for (double& u : want) u = random.uniform();
      Tensor known = empty_there({n}, Dtype::f64), away = known.clone();
      cuda::draw_uniform(cuda_card(), {kSeed, Stream::shake, epoch, kIndex}, known);
      cuda::draw_uniform(cuda_card(),
                         {kSeed, Stream::shake, number_there(static_cast<double>(epoch)), kIndex}, away);
      CHECK(same_bits(here(known), Tensor::from(want)));
      CHECK(same_bits(here(away), Tensor::from(want)));
    }
}

TEST_CASE("a mask of the card drops what the host drops") {
  for (Dtype dtype : kActivations)
    for (Index n : {1, 4, 6, 2063})
      for (double p : {0.0, 0.3, 0.999}) {
        Random random(kSeed, Stream::dropout, 7, 3);
        std::vector<double> want(static_cast<std::size_t>(n));
        for (double& m : want) m = random.bits() < p * 4294967296.0 ? 0 : 1 / (1 - p);
        Tensor mask = empty_there({n}, dtype), apart = unaligned(Tensor::zeros({n}, dtype));
        cuda::draw_mask(cuda_card(), {kSeed, Stream::dropout, 7, 3}, p, mask);
        cuda::draw_mask(cuda_card(), {kSeed, Stream::dropout, number_there(7), 3}, p, apart);
        CHECK(same_bits(here(mask), Tensor::from(want).to(dtype)));
        CHECK(same_bits(here(apart), Tensor::from(want).to(dtype)));
      }
  every_schedule([] {
    Tensor mask = empty_there({5000}, Dtype::f32);
    cuda::draw_mask(cuda_card(), {kSeed, Stream::dropout, 7, 3}, 0.5, mask);
    return Tensors{mask};
  });
}

}  // namespace
