// The ladder of one convolution, from the plain loop to the fused kernel: what each rung of docs/kernels.md
// reaches on this machine, and that all give the same numbers. 3x3, stride 1, border of 1; 64 to 64 channels,
// 16x16 pixels, batch 128. Usage: ladder [threads], default 1
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "core/conv_algorithm.h"
#include "core/cpu/conv/conv_plan.h"
#include "core/cpu/conv/peak.h"
#include "core/cpu/conv/plain.h"
#include "core/cpu/simd/instruction_set.h"
#include "core/ops.h"
#include "core/parallel.h"

using namespace basin;

namespace {

Tensor numbers(const Shape& shape, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t bits = (i + 1) * 0x9E3779B97F4A7C15u + seed * 0xD1B54A32D192ED03u;
    values[i] = static_cast<float>((bits ^ bits >> 29) * 0xBF58476D1CE4E5B9u >> 40) * 0x1p-23f - 1;
  }
  return Tensor::from(values, shape);
}

// The second rung. An image is copied into blocks of sixteen channels with the border of zeros around it, so
// that the loop knows neither border nor stride; the sums of one pixel stay together until they are complete.
void packed_conv2d(const ConvGeometry& g, const float* x, const float* w, float* y) {
  const cpu::ConvPlan plan = cpu::forward_plan(g, {});
  const Index row = plan.packed_row(), block = plan.packed_block(g.out_h);
  parallel_for(g.batch, [&](Index n, int) {
    std::vector<float> image(static_cast<std::size_t>(cpu::ceil_div(g.in_c, cpu::kLanes) * block));
    plan.pack(cpu::kernels(), x, n, 0, g.in_c, 0, g.out_h, image.data());
    std::vector<float> sums(static_cast<std::size_t>(g.out_c));
    for (Index pixel = 0; pixel < g.out_h * g.out_w; ++pixel) {
      const float* corner = image.data() + pixel / g.out_w * row + pixel % g.out_w * cpu::kLanes;
      std::fill(sums.begin(), sums.end(), 0.0f);
      for (Index tap = 0; tap < g.kernel_h * g.kernel_w; ++tap) {
        const float* from = corner + tap / g.kernel_w * row + tap % g.kernel_w * cpu::kLanes;
        for (Index c = 0; c < g.in_c; ++c) {
          const float value = from[c / cpu::kLanes * block + c % cpu::kLanes];
          const float* weights = w + (tap * g.in_c + c) * g.out_c;
          for (Index k = 0; k < g.out_c; ++k) sums[static_cast<std::size_t>(k)] += value * weights[k];
        }
      }
      std::copy(sums.begin(), sums.end(), y + (n * g.out_h * g.out_w + pixel) * g.out_c);
    }
  });
}

struct Rung {
  const char* name;
  const Tensor& want;  // what it must give
  std::function<void()> run;
  double seconds = 1e9, error = 0;  // the fastest call; relative L2 error
};

// The rungs in turns, so that whatever else the machine does hits all of them alike.
void measure(std::vector<Rung>& rungs, const Tensor& y) {
  using Clock = std::chrono::steady_clock;
  for (int round = 0; round < 7; ++round)
    for (Rung& rung : rungs) {
      double all = 0;
      while (all < 0.05) {
        const Clock::time_point begin = Clock::now();
        rung.run();
        const double took = std::chrono::duration<double>(Clock::now() - begin).count();
        rung.seconds = std::min(rung.seconds, took);
        all += took;
      }
      rung.error = norm(y - rung.want) / norm(rung.want);
    }
}

}  // namespace

int main(int argc, char** argv) {
  set_thread_count(argc > 1 ? std::atoi(argv[1]) : 1);
  const Tensor x = numbers({128, 16, 16, 64}, 1), w = numbers({3, 3, 64, 64}, 2);
  const ConvGeometry g = conv_geometry(x.shape(), w.shape(), {.pad_h = 1, .pad_w = 1});
  const double flop =
      2.0 * static_cast<double>(g.y_shape().elements() * w.shape()[0] * w.shape()[1] * g.in_c);
  std::printf("3x3, 64 to 64 channels, 16x16 pixels, batch 128: %.2f GF; %d threads, %s, at best %.0f GF/s\n",
              1e-9 * flop, thread_count(), cpu::instruction_set(), 1e-9 * cpu::multiply_add_peak());

  Tensor y = Tensor::zeros(g.y_shape());
  const Tensor want = conv2d(x.to(Dtype::f64), w.to(Dtype::f64), g).to(Dtype::f32);
  const auto by = [&](ConvAlgorithm algorithm) {
    return [&, algorithm] {
      const WithConvAlgorithm with(algorithm);
      backend().conv2d({g}, x, w, y);
    };
  };
  // Between a batch norm with its ReLU and the statistics of the next one, as in a pre-activation network.
  const Tensor gamma = numbers({64}, 3), beta = numbers({64}, 4), mean = numbers({64}, 5);
  const Tensor inv_std = Tensor::full({64}, 1.5);
  const BatchNormForward bn{x, gamma, beta, mean, inv_std, nullptr, true};
  Tensor z = Tensor::zeros(x.shape());
  Moments of_y{Tensor::zeros({64}), Tensor::zeros({64})};
  backend().batch_norm(bn, z);
  const Tensor want_of_z = conv2d(z.to(Dtype::f64), w.to(Dtype::f64), g).to(Dtype::f32);
  const auto apart = [&] {
    const WithConvAlgorithm with(ConvAlgorithm::winograd4);
    backend().batch_norm(bn, z);
    backend().conv2d({g}, z, w, y);
    backend().moments(y, of_y.mean, of_y.var);
  };
  const auto fused = [&] {
    const WithConvAlgorithm with(ConvAlgorithm::winograd4);
    backend().conv2d({.geometry = g, .norm = &bn, .moments = &of_y}, x, w, y);
  };

  const auto plain = [&] { cpu::plain_conv2d(g, x.data<float>(), w.data<float>(), y.mutable_data<float>()); };
  const auto packed = [&] { packed_conv2d(g, x.data<float>(), w.data<float>(), y.mutable_data<float>()); };
  std::vector<Rung> rungs{{"1 plain loop", want, plain},
                          {"2 packed", want, packed},
                          {"3 register tile", want, by(ConvAlgorithm::direct)},
                          {"4 Winograd, F(2x2,3x3)", want, by(ConvAlgorithm::winograd2)},
                          {"4 Winograd, F(4x4,3x3)", want, by(ConvAlgorithm::winograd4)},
                          {"  norm, F(4x4,3x3), moments apart", want_of_z, apart},
                          {"5 the three fused", want_of_z, fused}};
  measure(rungs, y);
  bool right = true;
  for (const Rung& rung : rungs) {
    right = right && rung.error < 1e-5;
    std::printf("%-34s %8.2f ms %8.1f GF/s   off by %.0e\n", rung.name, 1e3 * rung.seconds,
                1e-9 * flop / rung.seconds, rung.error);
  }
  return right ? 0 : 1;
}
