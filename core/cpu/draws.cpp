// CpuBackend: numbers that layers draw, one after the other.
#include "core/draws.h"

#include <array>

#include "core/cpu/backend.h"

namespace basin::cpu {

void CpuBackend::draw(const LayerDraws& d, Tensor& out) {
  Random random(d.at.seed, d.stream, static_cast<std::uint64_t>(d.at.step.value()), d.at.layer);
  dispatch_floating(out.dtype(), "draw", [&]<class T>(T) {
    T* numbers = out.mutable_data<T>();
    const auto by = [&]<class Formula>(Formula formula) {
      constexpr int rows = Formula::kRows;
      const Index n = out.elements() / rows;
      std::array<T, rows> of_one;
      for (Index i = 0; i < n; ++i) {
        formula(random, of_one.data());
        for (int row = 0; row < rows; ++row) numbers[row * n + i] = of_one[static_cast<std::size_t>(row)];
      }
    };
    std::visit(by, d.formula);
  });
}

}  // namespace basin::cpu
