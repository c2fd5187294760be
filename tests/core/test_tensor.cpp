// Tensor: values, views that share storage, versions, conversions, errors.
#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

TEST_CASE("a tensor holds the values it was made from") {
  const Tensor t = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(t.shape() == Shape{2, 3});
  CHECK(t.elements() == 6);
  CHECK(t.size(-1) == 3);
  CHECK(t.bytes() == 24);
  CHECK(t.data<float>()[5] == 6);
  CHECK(Tensor::from(std::vector<double>{7}).dtype() == Dtype::f64);
  CHECK(Tensor::from(std::vector<std::int64_t>{7, 8}).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{7, 8});
  CHECK(Tensor::from(std::vector<std::uint8_t>{200}).item() == 200);
  CHECK(Tensor::scalar(2.5).item() == 2.5);
  CHECK(Tensor::scalar(2.5).rank() == 0);
  CHECK(values_of(Tensor::full({2, 2}, 3, Dtype::i64)) == Values{3, 3, 3, 3});
  CHECK_THROWS_WITH_AS(Tensor::from(std::vector<float>{1, 2}, {3}),
                       "[tensor] shape {3} wants 3 values, got 2", ArgumentError);
}

TEST_CASE("an undefined tensor has no numbers") {
  const Tensor t;
  CHECK(!t.defined());
  CHECK(t.raw() == nullptr);
  CHECK(t.use_count() == 0);
  CHECK(!t.clone().defined());
  CHECK_THROWS_WITH_AS(t.data<float>(), "[tensor] undefined tensor: it has no numbers", ArgumentError);
  CHECK_THROWS_AS(t.item(), ArgumentError);
}

TEST_CASE("memory is aligned to 64 bytes, also for no element") {
  for (Index n : {0, 1, 3, 17, 1000, 100000}) {
    const Tensor t = Tensor::empty({n});
    CHECK(t.raw() != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(t.raw()) % 64 == 0);
  }
}

TEST_CASE("reshape, slice_rows and view share storage") {
  Tensor t = Tensor::from(std::vector<float>{0, 1, 2, 3, 4, 5}, {3, 2});
  Tensor flat = t.reshape(std::vector<Index>{-1});
  Tensor rows = t.slice_rows(1, 3);
  Tensor one = t.view(3, {1});
  CHECK(flat.shape() == Shape{6});
  CHECK(rows.shape() == Shape{2, 2});
  CHECK(values_of(rows) == Values{2, 3, 4, 5});
  CHECK(t.shares_storage(one));
  one.mutable_data<float>()[0] = 9;
  CHECK(values_of(t) == Values{0, 1, 2, 9, 4, 5});
  CHECK(values_of(rows) == Values{2, 9, 4, 5});
  CHECK(t.slice_rows(3, 3).elements() == 0);
}

TEST_CASE("views that leave their tensor are refused") {
  const Tensor t = Tensor::zeros({3, 2});
  CHECK_THROWS_WITH_AS(t.reshape(Shape{4}), "[reshape] {3,2} has 6 elements, {4} has 4", ArgumentError);
  CHECK_THROWS_WITH_AS(t.reshape(std::vector<Index>{-1, 4}),
                       "[reshape] {3,2} does not divide into rows of 4 elements", ArgumentError);
  CHECK_THROWS_WITH_AS(t.reshape(std::vector<Index>{-1, -1}), "[reshape] only one extent may be -1",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(t.slice_rows(1, 4), "[slice_rows] rows [1,4) of shape {3,2}", ArgumentError);
  CHECK_THROWS_WITH_AS(t.slice_rows(2, 1), "[slice_rows] rows [2,1) of shape {3,2}", ArgumentError);
  CHECK_THROWS_WITH_AS(t.view(5, {2}), "[view] {2} at element 5 leaves a tensor of 6 elements",
                       ArgumentError);
  CHECK_THROWS_AS(t.view(-1, {1}), ArgumentError);
  CHECK_THROWS_WITH_AS(t.data<double>(), "[tensor] holds f32, was read as f64", ArgumentError);
  CHECK_THROWS_WITH_AS(t.item(), "[item] expects one element, shape is {3,2}", ArgumentError);
}

TEST_CASE("every mutable access raises the version of the storage") {
  Tensor t = Tensor::zeros({4});
  const Tensor view = t.slice_rows(0, 2);
  const auto before = view.version();
  t.mutable_data<float>();
  CHECK(view.version() > before);
  const auto after = view.version();
  static_cast<void>(view.data<float>());
  static_cast<void>(t.to_vector<float>());
  CHECK(t.version() == after);
  t.fill(1);
  CHECK(t.version() > after);
}

TEST_CASE("clone and copy_from copy, to converts") {
  Tensor t = Tensor::from(std::vector<float>{1.5f, -2.5f});
  Tensor copy = t.clone();
  CHECK(!copy.shares_storage(t));
  copy.fill(0);
  CHECK(values_of(t) == Values{1.5, -2.5});
  copy.copy_from(t);
  CHECK(values_of(copy) == Values{1.5, -2.5});
  CHECK(t.to(Dtype::f32).shares_storage(t));
  CHECK(t.to(Dtype::f64).dtype() == Dtype::f64);
  CHECK_THROWS_WITH_AS(copy.copy_from(Tensor::zeros({3})), "[copy_from] {3} f32 into {2} f32", ArgumentError);
}

TEST_CASE("conversions between dtypes") {
  const Tensor t = Tensor::from(Values{-1.9, 0.5, 255.9, 300, 1e300, -1e300, NAN, INFINITY});
  CHECK(t.to(Dtype::i64).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{-1, 0, 255, 300, INT64_MAX, INT64_MIN, 0, INT64_MAX});
  CHECK(t.to(Dtype::u8).to_vector<std::uint8_t>() ==
        std::vector<std::uint8_t>{0, 0, 255, 255, 255, 0, 0, 255});
  CHECK(std::isinf(t.to(Dtype::f32).data<float>()[4]));
  CHECK(Tensor::from(std::vector<std::int64_t>{-5, 256, 7}).to(Dtype::u8).to_vector<std::uint8_t>() ==
        std::vector<std::uint8_t>{0, 255, 7});
  const double edge = std::ldexp(1.0, 63);
  CHECK(Tensor::from(Values{edge, -edge, std::nextafter(edge, 0)}).to(Dtype::i64).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{INT64_MAX, INT64_MIN,
                                  (std::int64_t{1} << 62) - 512 + (std::int64_t{1} << 62) - 512});
  for (Dtype from : {Dtype::f32, Dtype::f64, Dtype::i64, Dtype::u8})
    for (Dtype to : {Dtype::f32, Dtype::f64, Dtype::i64, Dtype::u8})
      CHECK(values_of(Tensor::full({33}, 7, from).to(to)) == Values(33, 7));
}

TEST_CASE("a tensor too large for the machine is a memory error") {
  CHECK_THROWS_AS(Tensor::empty({Index{1} << 44}), MemoryError);
  CHECK_THROWS_AS(Tensor::empty({Index{1} << 62}, Dtype::f64), MemoryError);
  CHECK_THROWS_AS(Tensor::empty({Index{1} << 40, Index{1} << 40}), ArgumentError);
  CHECK_THROWS_AS(Tensor::empty({-1}), ArgumentError);
}

TEST_CASE("storages are counted") {
  const auto before = Storage::live_count();
  {
    const Tensor a = Tensor::zeros({4}), b = a.reshape(Shape{2, 2}), c = a.clone();
    CHECK(Storage::live_count() == before + 2);
    CHECK(a.use_count() == 2);
  }
  CHECK(Storage::live_count() == before);
}

}  // namespace
