// Permutations, blocks, gather and scatter of the CUDA backend: the CPU's bits.
#include <algorithm>

#include "tests/cuda/comparison.h"

namespace {

using namespace cuda_testing;

struct Permutation {
  Shape shape;
  Axes axes;
};
const Permutation kPermutations[] = {{{5}, {0}},
                                     {{1, 1}, {1, 0}},
                                     {{37, 70}, {1, 0}},
                                     {{64, 32}, {1, 0}},
                                     {{3, 9, 11, 5}, {0, 3, 1, 2}},   // channels first: narrow
                                     {{2, 9, 11, 17}, {0, 3, 1, 2}},  // and wide
                                     {{2, 17, 9, 11}, {0, 2, 3, 1}},  // and back
                                     {{3, 3, 16, 40}, {3, 0, 1, 2}},  // weights for cuDNN
                                     {{2, 5, 4, 16}, {0, 2, 1, 3}},   // heads: runs that are aligned
                                     {{2, 5, 4, 3}, {0, 2, 1, 3}},    // and others
                                     {{9, 1, 10, 2, 8}, {4, 3, 1, 0, 2}},
                                     {{2, 3, 2, 3, 2, 3, 2, 3}, {7, 5, 3, 1, 6, 4, 2, 0}}};

TEST_CASE("permute moves every dtype as the CPU does") {
  for (const Permutation& p : kPermutations)
    for (Dtype dtype : kAllDtypes) {
      CAPTURE(p.shape);
      CAPTURE(dtype);
      const Tensor x = counting(p.shape, dtype), want = permute(x, p.axes);
      CHECK(same_bits(here(permute(there(x), p.axes)), want));
      CHECK(same_bits(here(permute(unaligned(x), p.axes)), want));
    }
}

TEST_CASE("blocks are cut out, put in and joined as on the CPU") {
  for (Dtype dtype : kAllDtypes)
    for (Index channels : {5, 16}) {
      const Tensor x = counting({2, 4, 6, channels}, dtype);
      CHECK(same_bits(here(slice(there(x), {0, 0, 1, 0}, {2, 4, 5, channels})),
                      slice(x, {0, 0, 1, 0}, {2, 4, 5, channels})));
      CHECK(
          same_bits(here(slice(there(x), {1, 0, 0, 2}, {2, 3, 6, 5})), slice(x, {1, 0, 0, 2}, {2, 3, 6, 5})));
      CHECK(same_bits(here(pad(there(x), {0, 1, 2, 0}, {0, 2, 1, 3})), pad(x, {0, 1, 2, 0}, {0, 2, 1, 3})));
      for (int axis : {0, 1, 3})
        CHECK(same_bits(here(concat({there(x), there(x), there(x)}, axis)), concat({x, x, x}, axis)));
    }
}

/// m entries in [0, extent), many of them alike.
Tensor entries(const Shape& shape, Index extent, std::uint32_t seed) {
  const std::vector<float> draws = kernel_testing::numbers<float>(shape.elements(), seed);
  std::vector<Index> index;
  for (float d : draws)
    index.push_back(
        std::clamp<Index>(static_cast<Index>((d + 1) / 2 * static_cast<float>(extent)), 0, extent - 1));
  return Tensor::from(index, shape);
}

TEST_CASE("gather and scatter_add along any axis have the CPU's bits") {
  for (const Shape& shape : {Shape{7}, Shape{1, 1}, Shape{5, 8}, Shape{3, 4, 6}, Shape{2, 3, 5, 16}})
    for (int axis = 0; axis < shape.rank(); ++axis)
      for (Index m : {1, 9, 70})
        for (Dtype dtype : kAllDtypes) {
          CAPTURE(shape);
          CAPTURE(axis);
          CAPTURE(m);
          CAPTURE(dtype);
          const Tensor index = entries({m}, shape[axis], 5);
          const Tensor x = counting(shape, dtype), rows = gather(x, index, axis);
          CHECK(same_bits(here(gather(there(x), there(index), axis)), rows));
          CHECK(same_bits(here(gather(unaligned(x), there(index), axis)), rows));
          if (!is_floating(dtype)) continue;
          const Tensor g = random(rows.shape(), dtype, 6);
          const Tensor sums = scatter_add(g, index, axis, shape[axis]);
          CHECK(same_bits(here(scatter_add(there(g), there(index), axis, shape[axis])), sums));
          CHECK(same_bits(here(scatter_add(unaligned(g), there(index), axis, shape[axis])), sums));
        }
}

TEST_CASE("concatenate puts parts of any size one behind the other, also many of them") {
  for (const Dtype dtype : kAllDtypes)
    for (const Index count : {1, 2, 7, 128, 300}) {
      CAPTURE(dtype);
      CAPTURE(count);
      Tensors parts, wanted;
      Index total = 0;
      for (Index i = 0; i < count; ++i) {
        const Tensor part = counting({(i * 7) % 23}, dtype);
        total += part.elements();
        wanted.push_back(part);
        parts.push_back(there(part));
      }
      Tensor out = Tensor::full({total + 1}, 77, dtype, cuda_device());
      Tensor room = out.view(0, {total});
      concatenate(parts, room);
      CHECK(same_bits(here(room), concat(wanted, 0)));
      CHECK(here(out).to(Dtype::f64).to_vector<double>().back() == 77);
    }
  Tensor large = empty_there({600'000}, Dtype::f32);
  const Tensor half = random({300'000}, Dtype::f32, 5);
  concatenate({there(half), unaligned(half)}, large);
  CHECK(same_bits(here(large), concat({half, half}, 0)));
}

TEST_CASE("assign_if writes where its condition holds, and else leaves every bit") {
  for (const Dtype dtype : kAllDtypes)
    for (const Index n : {1, 5, 64, 1000})
      for (const double condition : {0.0, 1.0}) {
        const Tensor x = counting({n}, dtype);
        for (const Tensor& from : {there(x), unaligned(x)}) {
          Tensor y = Tensor::full({n}, 9, dtype, cuda_device());
          const Tensor before = here(y).clone();
          assign_if(Scalar(there(Tensor::scalar(condition, Dtype::f64))), from, y);
          CHECK(same_bits(here(y), condition != 0 ? x : before));
        }
      }
}

TEST_CASE("gather_last and scatter_add_last have the CPU's bits") {
  for (const Shape& shape : {Shape{1, 10}, Shape{37, 10}, Shape{2, 3, 5}})
    for (Index m : {1, 2, 21})
      for (Dtype dtype : kAllDtypes) {
        Shape picked = shape;
        picked[shape.rank() - 1] = m;
        const Index extent = shape[shape.rank() - 1];
        const Tensor x = counting(shape, dtype), index = entries(picked, extent, 5);
        CHECK(same_bits(here(gather_last(there(x), there(index))), gather_last(x, index)));
        if (!is_floating(dtype)) continue;
        const Tensor g = random(picked, dtype, 6);
        CHECK(same_bits(here(scatter_add_last(there(g), there(index), extent)),
                        scatter_add_last(g, index, extent)));
      }
}

TEST_CASE("sums of bf16 are rounded once") {
  const Tensor g = random({40, 8}, Dtype::bf16, 1), index = entries({40}, 3, 2);
  Tensor sums = Tensor::zeros({3, 8}, Dtype::bf16, cuda_device());
  card().scatter_add(there(g), there(index), 0, sums);
  CHECK(same_bits(here(sums), scatter_add(g.to(Dtype::f32), index, 0, 3).to(Dtype::bf16)));
  const Tensor flat = g.reshape(Shape{8, 40}), columns = entries({8, 40}, 5, 2);
  Tensor rows = Tensor::zeros({8, 5}, Dtype::bf16, cuda_device());
  card().scatter_add_last(there(flat), there(columns), rows);
  CHECK(same_bits(here(rows), scatter_add_last(flat.to(Dtype::f32), columns, 5).to(Dtype::bf16)));
}

TEST_CASE("no order of threads changes what is moved or added up") {
  const Tensor x = there(random({70, 40}, Dtype::f32, 1)), index = there(entries({70}, 6, 2));
  const Tensor columns = there(entries({70, 40}, 6, 3));
  every_schedule([&] {
    return Tensors{permute(x, {1, 0}), gather(x, index, 0), scatter_add(x, index, 0, 6),
                   scatter_add_last(x, columns, 6), concat({x, x}, 1)};
  });
}

}  // namespace
