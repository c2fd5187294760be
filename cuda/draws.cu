// Numbers that layers draw (kernels/draws.cuh).
#include "core/draws.h"

#include "cuda/backend.h"
#include "cuda/kernels/draws.cuh"
#include "cuda/launch.h"

namespace basin::cuda {

void CudaBackend::draw(const LayerDraws& d, Tensor& out) {
  Tensor keep;
  const AddressThere at{d.at.seed, static_cast<std::uint32_t>(d.stream), number_of(d.at.step, keep, device()),
                        d.at.layer};
  dispatch_floating(out.dtype(), "draw", [&](auto type) {
    using T = decltype(type);
    const auto by = [&](const auto& formula) {
      using Formula = std::decay_t<decltype(formula)>;
      const std::int64_t n = out.elements() / Formula::kRows;
      if constexpr (std::is_same_v<Formula, DropoutMask>)
        launch(mask_kernel<T>, blocks_for(n / 4), kThreads, stream(), at, formula, numbers<T>(out), n);
      else
        launch(factors_kernel<Formula, T>, blocks_for(n), kThreads, stream(), at, formula, numbers<T>(out),
               n);
    };
    std::visit(by, d.formula);
  });
}

}  // namespace basin::cuda
