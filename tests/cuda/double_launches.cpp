// How many launches a card is asked for, by what the double writes down: each costs a step a microsecond or
// two.
#include <runtime_double.h>

#include "autograd/gradients.h"
#include "autograd/ops/ops.h"
#include "tests/cuda/comparison.h"

using namespace cuda_testing;

namespace {

/// Launches of work() in a record, copies and fills among them.
template <class Work>
std::size_t launches(const Work& work) {
  const std::unique_ptr<Recording> recording = card().make_recording();
  recording->rehearse(work);
  fake::recorded().clear();
  recording->record(work);
  return fake::recorded().total();
}

}  // namespace

TEST_CASE("double: cross-entropy is one launch, with what is counted, and its gradient another") {
  const Variable logits = Variable::parameter(there(random({128, 10}, Dtype::f32)));
  const Tensor labels = there(Tensor::zeros({128}, Dtype::i64));
  CHECK(launches([&] { cross_entropy(logits, labels); }) == 1);
  CHECK(launches([&] { counted_cross_entropy(logits, labels, labels, {.label_smoothing = 0.1}); }) == 1);
  const auto both = [&] { gradients(counted_cross_entropy(logits, labels, labels).loss, {logits}); };
  CHECK(launches(both) == 3);  // and the 1 that the gradient begins with
}

TEST_CASE("double: the statistics of a batch norm and all that follows from them are one launch") {
  const Variable x(there(random({16, 8, 8, 16}, Dtype::f32)));
  const Variable gamma = Variable::parameter(there(Tensor::full({16}, 1)));
  const Variable beta = Variable::parameter(there(Tensor::zeros({16})));
  Tensor mean = there(Tensor::zeros({16})), var = mean.clone(),
         batches = there(Tensor::zeros({}, Dtype::i64));
  const RunningStatistics running{mean, var, batches, 0.1, 1.1};
  CHECK(launches([&] { batch_norm_train(x, gamma, beta, {.running = &running}); }) == 2);
  CHECK(here(batches).item() == 1);
}

TEST_CASE("double: parts are put together by one launch, and numbers computed by one that wait") {
  Tensors parts;
  for (int i = 0; i < 120; ++i) parts.push_back(there(random({5}, Dtype::f32)));
  CHECK(launches([&] { concat(parts, 0); }) == 1);
  const Scalar a(there(Tensor::scalar(2, Dtype::f64))), b(there(Tensor::scalar(3, Dtype::f64)));
  const auto arithmetic = [&] { return select(is_finite(a), sqrt(a * a + b * b), 0) / (a + 1); };
  CHECK(launches([&] {
          NumbersWait numbers;
          const Scalar kept = arithmetic();
          numbers.finish();
        }) == 1);
  CHECK(launches([&] { arithmetic(); }) > 5);
}
