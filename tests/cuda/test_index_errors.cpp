// Indices on the card that point outside: kernels touch nothing there, and the host is told when it waits.
#include <limits>

#include "autograd/ops/ops.h"
#include "tests/cuda/comparison.h"

namespace {

using namespace cuda_testing;

/// Indices on the card; the host has not looked at them.
Tensor indices(const std::vector<Index>& entries, const Shape& shape) {
  return there(Tensor::from(entries, shape));
}

std::string outside(const char* op, Index extent) {
  return text("[", op, "] an index on cuda:0 is outside [0, ", extent,
              "); the same call on the cpu tells its position");
}

/// The next read tells of it, the one after that gives the numbers.
Tensor told(const Tensor& result, const char* op, Index extent) {
  CHECK_THROWS_WITH_AS(here(result), outside(op, extent).c_str(), ArgumentError);
  return here(result);
}

constexpr Index kApart = Index{1} << 40;  // in numbers: no memory of the card is as far away
constexpr Index kFar = std::numeric_limits<Index>::max(), kLow = std::numeric_limits<Index>::min();

TEST_CASE("indices outside: gather gives 0 for them, in one unit and in packs") {
  for (Dtype dtype : kAllDtypes)
    for (Index after : {1, 16}) {
      const Tensor x = counting({2, 3, after}, dtype);
      const Tensor got =
          told(gather(there(x), indices({2, 3, -1, 0, kFar, kLow, kApart}, {7}), 1), "gather", 3);
      const Tensor none = Tensor::zeros({2, 1, after}, dtype), last = slice(x, {0, 2, 0}, {2, 3, after}),
                   first = slice(x, {0, 0, 0}, {2, 1, after});
      CHECK(same_bits(got, concat(Tensors{last, none, none, first, none, none, none}, 1)));
    }
}

TEST_CASE("indices outside: scatter_add leaves them out") {
  for (Dtype dtype : kActivations)
    for (Index after : {1, 16}) {
      const Tensor x = Tensor::full({1, 6, after}, 1, dtype);
      const Tensor got =
          told(scatter_add(there(x), indices({1, 2, -1, 1, 2, kApart}, {6}), 1, 2), "scatter_add", 2);
      CHECK(same_bits(
          got,
          concat(Tensors{Tensor::zeros({1, 1, after}, dtype), Tensor::full({1, 1, after}, 2, dtype)}, 1)));
    }
}

TEST_CASE("indices outside: gather_last and scatter_add_last, row by row") {
  for (Dtype dtype : kActivations) {
    const Tensor x = there(Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}).to(dtype));
    const Tensor index = indices({0, 3, 2, -7, 2, 2}, {2, 3});
    CHECK(same_bits(told(gather_last(x, index), "gather_last", 3),
                    Tensor::from(std::vector<float>{1, 0, 3, 0, 6, 6}, {2, 3}).to(dtype)));
    CHECK(same_bits(told(scatter_add_last(x, index, 3), "scatter_add_last", 3),
                    Tensor::from(std::vector<float>{1, 0, 3, 0, 0, 11}, {2, 3}).to(dtype)));
  }
}

TEST_CASE("indices outside: of nothing each is") {
  const Tensor index = indices({0, 1}, {2});
  CHECK(
      same_bits(told(gather(empty_there({0, 3}, Dtype::f32), index, 0), "gather", 0), Tensor::zeros({2, 3})));
  scatter_add(there(Tensor::zeros({2, 3})), index, 0, 0);
  told(there(Tensor::zeros({1})), "scatter_add", 0);
}

TEST_CASE("indices outside: the label of a loss, told by item(), its gradient and by a step that is played") {
  const Variable logits = Variable::parameter(there(counting({3, 5}, Dtype::f32)));
  CHECK_THROWS_WITH_AS(cross_entropy(logits, indices({0, 5, 4}, {3})).value().to(Device{}).item(),
                       outside("cross_entropy", 5).c_str(), ArgumentError);
  const double right = cross_entropy(logits, indices({0, 1, 4}, {3})).value().to(Device{}).item();
  CHECK(right ==
        doctest::Approx(
            cross_entropy(Variable(here(logits.value())), Tensor::from<Index>({0, 1, 4})).value().item()));
  CHECK_THROWS_WITH_AS(here(one_hot(indices({0, -1, 4}, {3}), 5, Dtype::f32)),
                       outside("scatter_add_last", 5).c_str(), ArgumentError);

  Tensor labels = indices({0, 1, 4}, {3}), loss = there(Tensor::zeros({}));
  const auto work = [&] { loss.copy_from(cross_entropy(logits, labels).value()); };
  const std::unique_ptr<Recording> recording = card().make_recording();
  recording->rehearse(work);
  recording->record(work);
  labels.copy_from(Tensor::from<Index>({0, 50, 4}));
  recording->play();
  CHECK_THROWS_WITH_AS(here(loss), outside("cross_entropy", 5).c_str(), ArgumentError);
  labels.copy_from(Tensor::from<Index>({0, 1, 4}));
  recording->play();
  CHECK(here(loss).item() == right);

  // One that is sent home is told of when the host has waited for it.
  const Tensor far = cross_entropy(logits, indices({0, 5, 4}, {3})).value();
  const std::unique_ptr<Arrival> sent = card().send_home(far.raw(), far.bytes());
  CHECK_THROWS_WITH_AS(sent->wait(), outside("cross_entropy", 5).c_str(), ArgumentError);
}

TEST_CASE("indices outside: no order of threads changes what is left") {
  const Tensor x = there(counting({3, 40, 8}, Dtype::f32)), index = indices({3, 50, 3, -2, 50, 39}, {6});
  every_schedule([&] {
    const Tensor rows = gather(x, index, 1), sums = scatter_add(rows, index, 1, 40);
    CHECK_THROWS_AS(here(sums), ArgumentError);
    return Tensors{rows, sums};
  });
}

}  // namespace
