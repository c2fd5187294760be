// Results that wait for their reader: when they are formed, by whom, and as in what circumstances.
#include <array>
#include <thread>

#include "autograd/recording.h"
#include "tests/autograd/deferred_net.h"
#include "tests/autograd/leaks.h"

using namespace deferred_net;

TEST_CASE("deferred: shape, type and being tracked are known without running anything") {
  const Net n;
  const DeferralScope scope;
  const auto before = Storage::live_bytes();
  const Variable c = n.conv(n.x);
  CHECK(c.defined());
  CHECK(c.shape() == kX);
  CHECK(c.size(-1) == 16);
  CHECK(c.rank() == 4);
  CHECK(c.dtype() == Dtype::f32);
  CHECK(c.tracked());
  CHECK(Storage::live_bytes() == before);
  CHECK_FALSE(c.detach().tracked());
  CHECK(Storage::live_bytes() > before);
}

TEST_CASE("deferred: what nobody reads costs nothing and leaves nothing") {
  const Net n;
  const NoLeaks none;
  const auto nodes = Node::live_count();
  DeferralScope scope;
  const auto before = Storage::live_bytes();
  {
    const Variable unread = n.conv(n.x);
    const Variable also = n.conv(relu(n.norm_given(n.x)));
  }
  scope.finish();
  CHECK(Storage::live_bytes() == before);
  CHECK(Node::live_count() == nodes);
}

TEST_CASE("deferred: what is still held at the end of the scope is formed there") {
  const Net n;
  Variable z, y;
  {
    DeferralScope scope;
    z = relu(n.norm(n.x));
    y = n.conv(z);
    scope.finish();
    n.x.value();
  }
  const auto before = Storage::live_bytes();
  CHECK(same_bits(z.value(), relu(n.norm(n.x)).value()));
  CHECK(same_bits(y.value(), n.conv(z).value()));
  CHECK(Storage::live_bytes() == before);
  // The history stays what it was: z is there for itself, should anyone read it.
  CHECK(op_of(y) == "batch_norm_conv2d_train");
  CHECK(op_of(z) == "batch_norm_train");
  CHECK(op_of(y) == "batch_norm_conv2d_train");
}

TEST_CASE("deferred: an exception leaves the scope, and what was held can still be read") {
  const Net n;
  Variable c;
  try {
    DeferralScope scope;
    c = n.conv(n.x);
    n.conv(Tensor::zeros({1, 8, 8, 5}));  // not 16 channels: found at the call
    FAIL("no error");
  } catch (const ArgumentError&) {
  }
  CHECK(same_bits(c.value(), n.conv(n.x).value()));
  CHECK_FALSE(n.conv(n.x).deferred());
}

TEST_CASE("deferred: recorded or not as at the call, whoever reads") {
  const Net n;
  DeferralScope scope;
  Variable constant, history;
  {
    const NoRecording off;
    constant = n.conv(n.x);
    CHECK_FALSE(constant.tracked());
  }
  CHECK_FALSE(constant.tracked());
  CHECK(constant.node() == nullptr);
  history = n.conv(n.x);
  {
    const NoRecording off;
    history.value();
  }
  REQUIRE(history.tracked());
  CHECK(op_of(history) == "conv2d");
  scope.finish();
}

TEST_CASE("deferred: the history has the order of the calls, not of the readings") {
  const Net n;
  DeferralScope scope;
  const Variable first = n.conv(n.x), second = n.conv2(n.x), third = relu(n.norm_given(n.x));
  const Variable between = n.x * 2.0;
  third.value();
  second.value();
  first.value();
  CHECK(first.node()->sequence() < second.node()->sequence());
  CHECK(second.node()->sequence() < third.node()->sequence());
  CHECK(third.node()->sequence() < between.node()->sequence());
  // A sum of three cotangents has one order: their bits do not depend on who was read when.
  const auto total = [&n](bool early) {
    DeferralScope inner;
    const Variable a = n.conv(n.x), b = n.conv2(n.x), c = n.conv(n.x * 0.5);
    if (early) c.value();
    const Variable y = a + b + c;
    inner.finish();
    return gradients_of(n, y);
  };
  const Tensors one = total(false), two = total(true);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], two[i]));
}

TEST_CASE("deferred: by the algorithm of the convolution that was set at the call") {
  const Net n;
  const Tensor direct = n.conv(n.x).value();
  DeferralScope scope;
  Variable waiting = n.conv(n.x);
  {
    const WithConvAlgorithm with(ConvAlgorithm::winograd4);
    CHECK(same_bits(waiting.value(), direct));
    CHECK(conv_algorithm() == ConvAlgorithm::winograd4);
    waiting = n.conv(n.x);
  }
  CHECK_FALSE(same_bits(waiting.value(), direct));
  CHECK(conv_algorithm() == ConvAlgorithm::direct);
}

TEST_CASE("deferred: an operand that was written to meanwhile is an error, never another number") {
  const Net n;
  const DeferralScope scope;
  const Variable c = n.conv(n.x), joined = n.conv2(relu(n.norm_given(n.other)));
  Tensor(n.w.value()).fill(1);
  CHECK_THROWS_WITH_AS(
      c.value(),
      "[conv2d] an operand {3,3,16,16} was written to between the call and the first reading "
      "of the result",
      ArgumentError);
  Tensor(n.beta.value()).fill(1);
  CHECK_THROWS_WITH_AS(joined.value(), doctest::Contains("[batch_norm_eval] an operand {16} was written to"),
                       ArgumentError);
}

TEST_CASE("deferred: differentiated twice") {
  for (const Body body :
       {Body([](const Net& n) { return relu(n.norm2(n.conv2(relu(n.norm(n.conv(n.x))))) + n.x); }),
        Body([](const Net& n) {
          const Variable z = relu(n.norm(n.x));
          return n.norm2(n.conv(z)) + n.conv2(z);
        })}) {
    const Net n(Dtype::f64);
    std::array<Tensors, 2> second;
    for (bool waits : {false, true}) {
      const Variable y = run(n, body, waits);
      const Variables first = differentiable_gradients(mean(square(y)), n.all());
      Variables along;
      for (std::size_t i = 0; i < first.size(); ++i)
        along.push_back(random(first[i].shape(), Dtype::f64, static_cast<std::uint32_t>(30 + i)));
      second[waits] = gradients(dot(first, along), n.all());
    }
    for (std::size_t i = 0; i < second[0].size(); ++i) {
      CAPTURE(i);
      Tensor difference = second[1][i].clone();
      axpby(-1, second[0][i], 1, difference);
      CHECK(norm(difference) <= 1e-10 * (norm(second[0][i]) + 1e-9));
    }
  }
}

TEST_CASE("deferred: read on another thread, and on two at once") {
  const Net n;
  const Tensor want = n.conv(relu(n.norm(n.x))).value();
  for (int threads : {1, 2}) {
    DeferralScope scope;
    Variable y = n.conv(relu(n.norm(n.x)));
    std::vector<Tensor> seen(static_cast<std::size_t>(threads));
    std::vector<std::thread> readers;
    for (Tensor& t : seen) readers.emplace_back([&t, y] { t = y.value(); });
    for (std::thread& t : readers) t.join();
    for (const Tensor& t : seen) {
      CHECK(same_bits(t, want));
      CHECK(t.shares_storage(y.value()));
    }
    REQUIRE(y.tracked());
    CHECK(op_of(y) == "batch_norm_conv2d_train");
    scope.finish();
    CHECK_FALSE(n.conv(n.x).deferred() == nullptr);
  }
  CHECK(n.conv(n.x).deferred() == nullptr);
}

TEST_CASE("deferred: a batch without images") {
  const Net n;
  const DeferralScope scope;
  const Variable none = Tensor::zeros({0, 8, 8, 16});
  CHECK(n.conv(none).value().shape() == Shape{0, 8, 8, 16});
  CHECK(n.conv(relu(n.norm_given(none))).value().shape() == Shape{0, 8, 8, 16});
  CHECK_THROWS_WITH_AS(n.norm(n.conv(none)), doctest::Contains("no rows to take the mean of"), ArgumentError);
}
