// Operations that move numbers, against index arithmetic; one_hot; matmul.
#include <algorithm>

#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

constexpr Dtype kAllDtypes[] = {Dtype::f32, Dtype::f64, Dtype::i64, Dtype::u8};

/// 0, 1, 2, ... (in u8 modulo 256)
Tensor counting(const Shape& shape, Dtype dtype) {
  Values v(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<double>(dtype == Dtype::u8 ? i % 256 : i);
  return Tensor::from(v, shape).to(dtype);
}

/// The place of flat position `flat` on every axis.
std::vector<Index> place_of(Index flat, const Shape& s) {
  std::vector<Index> at(static_cast<std::size_t>(s.rank()));
  for (int i = s.rank() - 1; i >= 0; --i) {
    at[static_cast<std::size_t>(i)] = flat % s[i];
    flat /= s[i];
  }
  return at;
}

std::size_t flat_of(const std::vector<Index>& at, const Shape& s) {
  Index flat = 0;
  for (int i = 0; i < s.rank(); ++i) flat = flat * s[i] + at[static_cast<std::size_t>(i)];
  return static_cast<std::size_t>(flat);
}

void check_permute(const Shape& shape, const Axes& perm, Dtype dtype) {
  CAPTURE(shape);
  CAPTURE(dtype);
  const Tensor x = counting(shape, dtype), y = permute(x, perm);
  const Values px = values_of(x), py = values_of(y);
  REQUIRE(py.size() == px.size());
  bool equal = true;
  for (Index i = 0; i < y.elements(); ++i) {
    const std::vector<Index> at = place_of(i, y.shape());
    std::vector<Index> from(at.size());
    for (std::size_t k = 0; k < at.size(); ++k) from[static_cast<std::size_t>(perm[k])] = at[k];
    equal = equal && py[static_cast<std::size_t>(i)] == px[flat_of(from, shape)];
  }
  CHECK(equal);
}

TEST_CASE("permute: every order of the axes") {
  for_instruction_sets([] {
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{3, 4}, Shape{70, 33}, Shape{2, 3, 5}, Shape{4, 1, 6},
                               Shape{3, 17, 2, 19}, Shape{2, 1, 3, 1, 4}, Shape{1, 1, 1}}) {
      Axes perm;
      for (int i = 0; i < shape.rank(); ++i) perm.push_back(i);
      do check_permute(shape, perm, Dtype::f32);
      while (std::next_permutation(perm.begin(), perm.end()));
    }
  });
  for (Dtype dtype : kAllDtypes) {
    check_permute({129, 130}, {1, 0}, dtype);
    check_permute({3, 40, 50, 2}, {0, 2, 1, 3}, dtype);
    check_permute({2, 7, 65, 3}, {0, 3, 1, 2}, dtype);
    check_permute({20000, 1}, {1, 0}, dtype);
    check_permute({20001}, {0}, dtype);
  }
  CHECK(permute(Tensor::zeros({0, 3}), {1, 0}).shape() == Shape{3, 0});
  CHECK(permute(Tensor::zeros({2, 3, 4}), {-1, 0, 1}).shape() == Shape{4, 2, 3});
}

TEST_CASE("slice and pad take and put a block") {
  for (Dtype dtype : kAllDtypes) {
    CAPTURE(dtype);
    const Tensor x = counting({4, 5, 6}, dtype);
    const Tensor y = slice(x, {1, 0, 2}, {3, 5, 5});
    CHECK(y.shape() == Shape{2, 5, 3});
    const Values px = values_of(x), py = values_of(y);
    for (Index i = 0; i < y.elements(); ++i) {
      const auto at = place_of(i, y.shape());
      CHECK(py[static_cast<std::size_t>(i)] == px[flat_of({at[0] + 1, at[1], at[2] + 2}, x.shape())]);
    }
    const Tensor back = pad(y, {1, 0, 2}, {1, 0, 1});
    CHECK(back.shape() == x.shape());
    const Values pb = values_of(back);
    for (Index i = 0; i < x.elements(); ++i) {
      const auto at = place_of(i, x.shape());
      const bool inside = at[0] >= 1 && at[0] < 3 && at[2] >= 2 && at[2] < 5;
      CHECK(pb[static_cast<std::size_t>(i)] == (inside ? px[static_cast<std::size_t>(i)] : 0));
    }
  }
  CHECK(!slice(counting({3}, Dtype::f32), {0}, {3}).shares_storage(counting({3}, Dtype::f32)));
  CHECK(slice(Tensor::zeros({3, 2}), {1, 1}, {1, 2}).shape() == Shape{0, 1});
  CHECK(values_of(pad(Tensor::zeros({0}), {1}, {2})) == Values{0, 0, 0});
  CHECK(slice(Tensor::scalar(5), {}, {}).item() == 5);
  CHECK(pad(Tensor::scalar(5), {}, {}).item() == 5);
  const Tensor large = counting({3, 30000}, Dtype::f32);
  CHECK(values_of(slice(large, {1, 1}, {2, 29999}))[29997] == 59998);
}

TEST_CASE("concat joins along an axis") {
  for (Dtype dtype : kAllDtypes) {
    const Tensor a = counting({2, 3}, dtype), b = counting({2, 1}, dtype), none = counting({2, 0}, dtype);
    CHECK(values_of(concat({a, none, b}, 1)) == Values{0, 1, 2, 0, 3, 4, 5, 1});
    CHECK(values_of(concat({a, a}, 0)) == Values{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5});
    CHECK(concat({a, a}, -2).shape() == Shape{4, 3});
    CHECK(concat({a}, 0).dtype() == dtype);
  }
}

TEST_CASE("gather takes, scatter_add puts back in the order of the index") {
  for (Dtype dtype : kAllDtypes) {
    const Tensor x = counting({2, 4, 3}, dtype), index = Tensor::from(std::vector<Index>{3, 0, 3});
    const Tensor y = gather(x, index, 1);
    CHECK(values_of(y) == Values{9, 10, 11, 0, 1, 2, 9, 10, 11, 21, 22, 23, 12, 13, 14, 21, 22, 23});
    CHECK(y.shape() == Shape{2, 3, 3});
    CHECK(gather(x, Tensor::from(std::vector<Index>{}), 0).shape() == Shape{0, 4, 3});
  }
  for (Dtype dtype : kBothDtypes)
    for (const auto& [before, extent, after] :
         {std::tuple<Index, Index, Index>{1, 5, 1}, {3, 7, 5}, {1, 50, 3000}, {40, 3, 1}}) {
      const Index m = 2 * extent;
      std::vector<Index> at;
      for (Index j = 0; j < m; ++j) at.push_back(j * 7 % extent);
      const Tensor index = Tensor::from(at), x = random({before, extent, after}, dtype, 1),
                   g = random({before, m, after}, dtype, 2);
      // <gather(x), g> = <x, scatter_add(g)>
      CHECK(dot(gather(x, index, 1), g) == doctest::Approx(dot(x, scatter_add(g, index, 1, extent)))
                                               .epsilon(dtype == Dtype::f32 ? 1e-5 : 1e-12));
    }
  // The order of the sum shows in f32: (1e8 - 1e8) + 1 = 1, 1 + 1e8 - 1e8 = 0.
  const Tensor zero = Tensor::from(std::vector<Index>{0, 0, 0});
  CHECK(scatter_add(Tensor::from(std::vector<float>{1e8f, -1e8f, 1}), zero, 0, 1).item() == 1);
  CHECK(scatter_add(Tensor::from(std::vector<float>{1, 1e8f, -1e8f}), zero, 0, 1).item() == 0);
}

TEST_CASE("gather_last and scatter_add_last work row by row") {
  for (Dtype dtype : kBothDtypes) {
    const Tensor x = counting({2, 2, 3}, dtype),
                 index = Tensor::from(std::vector<Index>{2, 2, 0, 1, 1, 1, 0, 2}, {2, 2, 2});
    CHECK(values_of(gather_last(x, index)) == Values{2, 2, 3, 4, 7, 7, 9, 11});
    CHECK(values_of(scatter_add_last(gather_last(x, index), index, 4)) ==
          Values{0, 0, 4, 0, 3, 4, 0, 0, 0, 14, 0, 0, 9, 0, 11, 0});
  }
  const Tensor labels = Tensor::from(std::vector<Index>{1, 0}, {2, 1});
  CHECK(gather_last(counting({2, 3}, Dtype::f32), labels).shape() == Shape{2, 1});
  CHECK(gather_last(Tensor::zeros({0, 3}), Tensor::zeros({0, 1}, Dtype::i64)).shape() == Shape{0, 1});
}

TEST_CASE("one_hot") {
  const Tensor labels = Tensor::from(std::vector<Index>{2, 0});
  CHECK(values_of(one_hot(labels, 3, Dtype::f32)) == Values{0, 0, 1, 1, 0, 0});
  CHECK(one_hot(labels, 3, Dtype::f64).dtype() == Dtype::f64);
  CHECK(one_hot(labels.reshape(Shape{2, 1}), 5, Dtype::f32).shape() == Shape{2, 1, 5});
  CHECK(one_hot(Tensor::zeros({0}, Dtype::i64), 5, Dtype::f32).shape() == Shape{0, 5});
}

void check_matmul(const Shape& as, const Shape& bs, bool ta, bool tb, Dtype dtype) {
  CAPTURE(as);
  CAPTURE(bs);
  CAPTURE(ta);
  CAPTURE(tb);
  const Tensor a = random(as, dtype, 1), b = random(bs, dtype, 2), y = matmul(a, b, ta, tb);
  const Index ar = a.size(-2), ac = a.size(-1), br = b.size(-2), bc = b.size(-1);
  const Index m = ta ? ac : ar, k = ta ? ar : ac, n = tb ? br : bc;
  const Index batch =
      std::max(a.rank() > 2 ? a.elements() / (ar * ac) : 1, b.rank() > 2 ? b.elements() / (br * bc) : 1);
  REQUIRE(y.elements() == batch * m * n);
  const Values pa = values_of(a), pb = values_of(b);
  Values want(static_cast<std::size_t>(y.elements()));
  for (Index s = 0; s < batch; ++s)
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < n; ++j)
        for (Index p = 0; p < k; ++p)
          want[static_cast<std::size_t>((s * m + i) * n + j)] +=
              pa[static_cast<std::size_t>((a.rank() > 2 ? s * ar * ac : 0) +
                                          (ta ? p * ac + i : i * ac + p))] *
              pb[static_cast<std::size_t>((b.rank() > 2 ? s * br * bc : 0) + (tb ? j * bc + p : p * bc + j))];
  CHECK(largest_error(y, want, 1) < (dtype == Dtype::f32 ? 3e-6 : 1e-13));
}

TEST_CASE("matmul with transposes and batches") {
  for (Dtype dtype : kBothDtypes)
    for (bool ta : {false, true})
      for (bool tb : {false, true}) {
        const auto flip = [](Shape s, bool t) {
          if (t) std::swap(s[s.rank() - 2], s[s.rank() - 1]);
          return s;
        };
        for (const auto& [as, bs] : {std::pair<Shape, Shape>{{1, 1}, {1, 1}},
                                     {{3, 4}, {4, 5}},
                                     {{2, 3, 4}, {4, 5}},
                                     {{3, 4}, {2, 4, 5}},
                                     {{2, 3, 4, 5}, {2, 3, 5, 7}},
                                     {{17, 33}, {33, 9}},
                                     {{5, 1, 7}, {5, 7, 1}}})
          check_matmul(flip(as, ta), flip(bs, tb), ta, tb, dtype);
      }
  CHECK(matmul(Tensor::zeros({2, 3, 4}), Tensor::zeros({4, 5})).shape() == Shape{2, 3, 5});
  CHECK(values_of(matmul(Tensor::zeros({2, 0}), Tensor::zeros({0, 2}))) == Values{0, 0, 0, 0});
  CHECK(matmul(Tensor::zeros({0, 3}), Tensor::zeros({3, 2})).shape() == Shape{0, 2});
}

TEST_CASE("bits of moves and sums by index do not depend on threads") {
  const Tensor x = random({90, 33, 40}, Dtype::f32, 1);
  std::vector<Index> at, rows;
  for (Index j = 0; j < 90; ++j) at.push_back(j * 31 % 20);
  for (Index j = 0; j < x.elements(); ++j) rows.push_back(j * 7 % 11);
  const Tensor index = Tensor::from(at), last = Tensor::from(rows, x.shape());
  check_threads([&] {
    return Tensors{permute(x, {2, 0, 1}), permute(x, {1, 0, 2}),        slice(x, {1, 2, 3}, {89, 31, 39}),
                   gather(x, index, 0),   scatter_add(x, index, 0, 20), scatter_add_last(x, last, 11),
                   gather_last(x, last)};
  });
}

}  // namespace
