// Batch and layer normalisation of the CUDA backend against the CPU's.
#include <cmath>

#include "core/backend.h"
#include "core/ops.h"
#include "tests/cuda/nearness.h"

using namespace cuda_testing;

namespace {

// Groups of channels and single ones, one tile of them and several, one part of the rows and many.
const Shape kShapes[] = {{1, 1},   {2, 3},     {5, 8},     {7, 17},   {3, 11, 5, 16}, {2000, 1},
                         {300, 4}, {4000, 12}, {1200, 19}, {90, 272}, {1500, 64},     {10, 2048}};

/// What a normalisation gets, on the CPU; moved and converted by on().
struct Numbers {
  Tensor x, dy, y, residual;          // of the activations' dtype
  Tensor gamma, beta, mean, inv_std;  // of that it computes in

  Numbers on(Device device, Dtype dtype) const {
    const Dtype wide = compute_dtype(dtype);
    const auto a = [&](const Tensor& t) { return t.to(dtype).to(device); };
    const auto p = [&](const Tensor& t) { return t.to(wide).to(device); };
    return {a(x), a(dy), a(y), a(residual), p(gamma), p(beta), p(mean), p(inv_std)};
  }
};

Numbers draw_numbers(const Shape& shape, Dtype dtype) {
  const Dtype wide = compute_dtype(dtype);
  const Shape c{shape[shape.rank() - 1]};
  return {draw(shape, dtype, 1, 0.5, 2), draw(shape, dtype, 2),      draw(shape, dtype, 3),
          draw(shape, dtype, 4),         draw(c, wide, 5, 1, 0.3),   draw(c, wide, 6),
          draw(c, wide, 7, 0.5, 0.1),    draw(c, wide, 8, 0.7, 0.05)};
}

Tensor like(const Tensor& t) { return Tensor::empty(t.shape(), t.dtype(), t.device()); }

/// {mean, var}
Tensors moments_of(const Tensor& x) {
  const Shape c{x.size(-1)};
  const Dtype wide = compute_dtype(x.dtype());
  Tensors out{Tensor::empty(c, wide, x.device()), Tensor::empty(c, wide, x.device())};
  backend(x.device()).moments(x, out[0], out[1]);
  return out;
}

Tensor batch_norm_of(const Numbers& n, bool relu, bool residual) {
  Tensor y = like(n.x);
  backend(n.x.device())
      .batch_norm({n.x, n.gamma, n.beta, n.mean, n.inv_std, residual ? &n.residual : nullptr, relu}, y);
  return y;
}

struct GradCase {
  bool relu, residual, batch_statistics, in_place;
};

/// {dx, dgamma, dbeta, dresidual}; the last one where it is wanted.
Tensors batch_norm_grad_of(const Numbers& n, const GradCase& c) {
  Tensor dy = n.dy.clone();
  Tensors out{c.in_place ? dy : like(n.x), like(n.gamma), like(n.gamma)};
  if (c.relu && c.residual) out.push_back(like(n.x));
  backend(n.x.device())
      .batch_norm_grad({.x = n.x,
                        .gamma = n.gamma,
                        .beta = n.beta,
                        .mean = n.mean,
                        .inv_std = n.inv_std,
                        .dy = dy,
                        .relu = c.relu,
                        .y = c.relu && c.residual ? &n.y : nullptr,
                        .batch_statistics = c.batch_statistics},
                       out[0], out[1], out[2], out.size() > 3 ? &out[3] : nullptr);
  return out;
}

/// {y, mean, inv_std, dx, dgamma, dbeta}
Tensors layer_norm_of(const Numbers& n) {
  const Shape rows{n.x.elements() / n.gamma.elements()};
  const Tensor stat = Tensor::empty(rows, n.gamma.dtype(), n.x.device());
  Tensors out{like(n.x), like(stat), like(stat), like(n.x), like(n.gamma), like(n.gamma)};
  Backend& on = backend(n.x.device());
  on.layer_norm({n.x, n.gamma, n.beta, 1e-5}, out[0], out[1], out[2]);
  on.layer_norm_grad({n.x, n.gamma, out[1], out[2], n.dy}, out[3], out[4], out[5]);
  return out;
}

}  // namespace

TEST_CASE("moments are those of the numbers, to two roundings of f32") {
  for (const Dtype dtype : kActivations)
    for (const Shape& shape : kShapes) {
      CAPTURE(shape);
      CAPTURE(dtype);
      const Tensor x = draw(shape, dtype, 21, 3, 2);
      const Tensors got = moments_of(there(x)), exact = moments_of(x.to(Dtype::f64));
      for (std::size_t i : {0U, 1U})
        check_near(got[i], exact[i], compute_dtype(dtype), dtype == Dtype::f64 ? 30 : 2, 0.01);
    }
}

TEST_CASE("batch_statistics: 1/sqrt(var + eps), and running statistics that move along") {
  for (const Dtype dtype : kActivations)
    for (const Shape& shape : kShapes)
      for (const double share : {0.1, 1.0}) {
        CAPTURE(shape);
        CAPTURE(dtype);
        const Dtype wide = compute_dtype(dtype);
        const Shape c{shape[shape.rank() - 1]};
        const Tensor x = there(draw(shape, dtype, 1, 0.5, 2));
        Tensor mean = empty_there(c, wide), var = like(mean), inv_std = like(mean);
        const Tensor before = share == 1 ? Tensor::full(c, NAN, wide) : draw(c, wide, 9, 2, 0.1);
        Tensor running_mean = there(before), running_var = there(before),
               batches = there(Tensor::from(std::vector<Index>{41}));
        const RunningStatistics running{running_mean, running_var, batches, share, 1.25};
        CHECK(card().batch_statistics(x, {mean, var, inv_std, 1e-5, &running}));
        const Tensors wanted = moments_of(x);
        CHECK(same_bits(here(mean), here(wanted[0])));
        CHECK(same_bits(here(var), here(wanted[1])));
        check_near(inv_std, unary(UnaryOp::rsqrt, unary(UnaryOp::add_scalar, here(var), 1e-5)), wide, 4);
        Tensor moved_mean = before.clone(), moved_var = before.clone();
        axpby(share, here(mean), 1 - share, moved_mean);
        axpby(share * 1.25, here(var), 1 - share, moved_var);
        check_near(running_mean, moved_mean, wide, 2);
        check_near(running_var, moved_var, wide, 2);
        CHECK(here(batches).item() == 42);
      }
}

TEST_CASE("moments far from zero, and beside an outlier, keep their digits") {
  for (const Index channels : {5, 8}) {
    const Tensor far = draw({3000, channels}, Dtype::f32, 4, 1000, 0.01);
    Tensor outlier = draw({3000, channels}, Dtype::f32, 5, 0.1, 1);  // deviation 91 with it
    for (Index c = 0; c < channels; ++c) outlier.mutable_data<float>()[c] = 5000;
    for (const Tensor& x : {far, outlier}) {
      const Tensors got = moments_of(there(x)), exact = moments_of(x.to(Dtype::f64));
      check_near(got[0], exact[0], Dtype::f32, 1.01, std::sqrt(exact[1].to_vector<double>()[0]));
      check_near(got[1], exact[1], Dtype::f32, 20);
    }
  }
}

TEST_CASE("batch_norm has the CPU's bits, but in f64, where a CPU may round a product before it adds") {
  for (const Dtype dtype : kActivations)
    for (const Shape& shape : kShapes)
      for (const bool relu : {false, true})
        for (const bool residual : {false, true}) {
          CAPTURE(shape);
          CAPTURE(dtype);
          CAPTURE(relu);
          CAPTURE(residual);
          const Numbers n = draw_numbers(shape, dtype);
          const Tensor wanted = batch_norm_of(n.on(Device{}, compute_dtype(dtype)), relu, residual);
          const Tensor got = batch_norm_of(n.on(cuda_device(), dtype), relu, residual);
          if (dtype == Dtype::f64)
            check_near(got, wanted, dtype, 4, 2);
          else
            check_equal(got, wanted.to(dtype));
        }
}

TEST_CASE("batch_norm_grad has the CPU's numbers") {
  const GradCase cases[] = {{false, false, true, false}, {true, false, true, true},
                            {true, true, true, false},   {true, false, false, false},
                            {false, false, false, true}, {true, true, true, true}};
  for (const Dtype dtype : kActivations)
    for (const Shape& shape : kShapes)
      for (const GradCase& c : cases) {
        CAPTURE(shape);
        CAPTURE(dtype);
        CAPTURE(c.relu);
        CAPTURE(c.residual);
        CAPTURE(c.batch_statistics);
        const Numbers n = draw_numbers(shape, dtype);
        const double root = std::sqrt(static_cast<double>(n.x.elements() / n.gamma.elements()));
        const Tensors wanted = batch_norm_grad_of(n.on(Device{}, compute_dtype(dtype)), c);
        const Tensors got = batch_norm_grad_of(n.on(cuda_device(), dtype), c);
        check_near(got[0], wanted[0], dtype, dtype == Dtype::bf16 ? 1.01 : 8,
                   dtype == Dtype::bf16 ? 1e-3 : 4);
        for (std::size_t i : {1U, 2U}) check_near(got[i], wanted[i], compute_dtype(dtype), 12, 2 * root);
        if (got.size() > 3) check_equal(got[3], wanted[3]);
      }
}

TEST_CASE("layer_norm and its gradient have the CPU's numbers") {
  for (const Dtype dtype : kActivations)
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 5}, Shape{70, 8}, Shape{2, 9, 192}, Shape{3, 515},
                               Shape{2, 4100}, Shape{2000, 12}}) {
      CAPTURE(shape);
      CAPTURE(dtype);
      const Numbers n = draw_numbers(shape, dtype);
      const double root = std::sqrt(static_cast<double>(n.x.elements() / n.gamma.elements()));
      const Tensors wanted = layer_norm_of(n.on(Device{}, compute_dtype(dtype)));
      const Tensors got = layer_norm_of(n.on(cuda_device(), dtype));
      const bool bf16 = dtype == Dtype::bf16;
      check_near(got[0], wanted[0], dtype, bf16 ? 1.01 : 4, bf16 ? 1e-3 : 4);
      for (std::size_t i : {1U, 2U}) check_near(got[i], wanted[i], compute_dtype(dtype), 4, 1);
      check_near(got[3], wanted[3], dtype, bf16 ? 1.01 : 12, bf16 ? 1e-3 : 1);
      for (std::size_t i : {4U, 5U}) check_near(got[i], wanted[i], compute_dtype(dtype), 8, 2 * root);
    }
}

TEST_CASE("normalisations do not depend on the order of threads and blocks") {
  for (const Shape& shape : {Shape{700, 16}, Shape{600, 33}, Shape{3, 1100}})
    every_schedule([&] {
      const Numbers n = draw_numbers(shape, Dtype::f32).on(cuda_device(), Dtype::f32);
      Tensors results = moments_of(n.x);
      for (const Tensor& t : batch_norm_grad_of(n, {true, true, true, false})) results.push_back(t);
      for (const Tensor& t : layer_norm_of(n)) results.push_back(t);
      results.push_back(batch_norm_of(n, true, true));
      return results;
    });
}

TEST_CASE("normalisations take views that packs cannot read") {
  const Tensor flat = there(draw({1 + 50 * 8}, Dtype::f32, 9));
  const Tensor x = flat.view(1, {50, 8});
  const Tensors got = moments_of(x), wanted = moments_of(x.clone());
  for (std::size_t i : {0U, 1U}) check_equal(got[i], wanted[i].to(Device{}));
}

TEST_CASE("the moments of nothing are refused, its gradient is 0") {
  const Tensor none = empty_there({0, 3}, Dtype::f32);
  CHECK_THROWS_WITH_AS(moments_of(none), doctest::Contains("[moments] no numbers to average"), ArgumentError);
  const Numbers n = draw_numbers({0, 3}, Dtype::f32).on(cuda_device(), Dtype::f32);
  const Tensors of_batch = batch_norm_grad_of(n, {true, false, true, false}), of_rows = layer_norm_of(n);
  for (const Tensor& t : {of_batch[1], of_batch[2], of_rows[4], of_rows[5]})
    CHECK(t.to(Device{}).to_vector<float>() == std::vector<float>{0, 0, 0});
}
