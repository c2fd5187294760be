// A norm and a convolution in one forward() are the two called by themselves: value, gradients, running
// statistics, trace; only the normalised x between them is not kept.
#include <doctest/doctest.h>

#include <cstring>

#include "autograd/gradients.h"
#include "autograd/ops/deferred.h"
#include "core/ops.h"
#include "nn/blocks.h"
#include "nn/summary.h"
#include "nn/trace.h"

using namespace basin;
using nn::Statistics;

namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

/// A collector that keeps what it is given.
struct Collected : nn::StatisticsCollector {
  std::vector<nn::BatchStatistics> all;
  void collect(const nn::BatchStatistics& batch) override { all.push_back(batch); }
};

/// A norm, a convolution, and an x; the same every time.
struct Pair {
  nn::Initializer init;
  nn::BatchNorm2d norm;
  nn::Conv2d conv;
  Variable x;

  struct InOne : nn::Module {
    Pair& pair;
    bool with_relu;
    InOne(Pair& p, bool r) : pair(p), with_relu(r) {}
    void describe(Inventory&) override {}
    const char* kind() const override { return "in one"; }

   protected:
    Variable forward(const Variable& in, nn::Context& ctx) override {
      Variable y = pair.norm(in, ctx);
      if (with_relu) y = relu(y);
      return pair.conv(y, ctx);
    }
  };

  Pair(Dtype dtype, bool bias)
      : init(5, dtype),
        norm(6, init),
        conv({.in = 6, .out = 4, .kernel = 3, .stride = 2, .pad = 1, .groups = 2, .bias = bias}, init),
        x(Variable::parameter(init.normal({3, 5, 6, 6}, 0.5, 2))) {
    // Not the initial ones and zeros, which would hide a number that went to the wrong place.
    for (nn::Module* part : {static_cast<nn::Module*>(&norm), static_cast<nn::Module*>(&conv)})
      for (const NamedParameter& p : entries_of(*part).parameters) {
        Tensor values = p.parameter->value();
        axpby(1, init.normal(values.shape(), 0, 0.5), 1, values);
      }
    const Entries entries = entries_of(norm);
    axpby(1, init.normal({6}, 0, 0.5), 1, *entries.buffers[0].buffer);
  }
  /// conv(norm(x)) in one forward(), where the convolution takes the norm along, or each by itself.
  Variable run(bool together, nn::Context& ctx, bool with_relu) {
    if (together) return InOne(*this, with_relu)(x, ctx);
    const Variable y = norm(x, ctx);
    return conv(with_relu ? relu(y) : y, ctx);
  }

  Variables wrt() {
    Variables all{x};
    for (nn::Module* part : {static_cast<nn::Module*>(&norm), static_cast<nn::Module*>(&conv)})
      for (const NamedParameter& p : entries_of(*part).parameters) all.push_back(*p.parameter);
    return all;
  }
};

struct How {
  const char* name;
  nn::Mode mode;
  Statistics statistics;
};
const How kHows[] = {{"train, update", nn::Mode::train, Statistics::update},
                     {"train, hold", nn::Mode::train, Statistics::hold},
                     {"train, collect", nn::Mode::train, Statistics::collect},
                     {"train, running", nn::Mode::train, Statistics::running},
                     {"eval", nn::Mode::eval, Statistics::update}};

template <class Body>
void for_all(Body body) {
  for (Dtype dtype : {Dtype::f32, Dtype::f64})
    for (bool bias : {false, true})
      for (bool relu : {false, true})
        for (const How& how : kHows) {
          CAPTURE(how.name);
          CAPTURE(bias);
          CAPTURE(relu);
          body(dtype, bias, relu, how);
        }
}

/// The block that PreactBlock is, with every value formed where it is computed.
class Composed : public nn::Module {
 public:
  Composed(Index channels, nn::Initializer& init)
      : bn1_(channels, init),
        conv1_(same(channels), init),
        bn2_(channels, init),
        conv2_(same(channels), init) {}
  void describe(Inventory& it) override {
    it.child("bn1", bn1_);
    it.child("conv1", conv1_);
    it.child("bn2", bn2_);
    it.child("conv2", conv2_);
  }
  const char* kind() const override { return "composed"; }

 protected:
  Variable forward(const Variable& x, nn::Context& ctx) override {
    const Variable y = formed(conv1_(formed(relu(bn1_(x, ctx))), ctx));
    return formed(conv2_(formed(relu(bn2_(y, ctx))), ctx)) + x;
  }

 private:
  static nn::Conv2dOptions same(Index channels) {
    return {.in = channels, .out = channels, .kernel = 3, .pad = 1, .scheme = nn::Scheme::kaiming_out};
  }
  nn::BatchNorm2d bn1_;
  nn::Conv2d conv1_;
  nn::BatchNorm2d bn2_;
  nn::Conv2d conv2_;
};

}  // namespace

TEST_CASE("a norm then a convolution: the value's bits, the statistics and the gradients of the two") {
  for_all([](Dtype dtype, bool bias, bool relu, const How& how) {
    Pair one(dtype, bias), two(dtype, bias);
    Collected of_one, of_two;
    nn::Context ctx{.mode = how.mode, .statistics = how.statistics, .collector = &of_one}, other = ctx;
    other.collector = &of_two;
    const Variable y = one.run(true, ctx, relu), expected = two.run(false, other, relu);
    CHECK(same_bits(y.value(), expected.value()));

    const Entries a = entries_of(one.norm), b = entries_of(two.norm);
    REQUIRE(a.buffers.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(same_bits(*a.buffers[i].buffer, *b.buffers[i].buffer));
    const bool collects = how.statistics == Statistics::collect;
    REQUIRE(of_one.all.size() == (collects ? 1 : 0));
    REQUIRE(of_two.all.size() == of_one.all.size());
    if (collects) {
      CHECK(of_one.all[0].running_mean == a.buffers[0].buffer);
      CHECK(same_bits(of_one.all[0].mean, of_two.all[0].mean));
      CHECK(same_bits(of_one.all[0].var, of_two.all[0].var));
      CHECK(of_one.all[0].values == of_two.all[0].values);
    }

    const Tensor dy = one.init.normal(y.shape(), 0, 1);
    const Tensors got = gradients(y, one.wrt(), {.cotangent = dy});
    const Tensors want = gradients(expected, two.wrt(), {.cotangent = dy});
    for (std::size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      const double scale = norm(want[i]);
      Tensor difference = got[i].clone();
      axpby(-1, want[i], 1, difference);
      CHECK(norm(difference) <= (dtype == Dtype::f32 ? 1e-5 : 1e-13) * scale);
    }
  });
}

TEST_CASE("a norm then a convolution: update moves the running statistics, the others leave them") {
  for (const How& how : kHows) {
    CAPTURE(how.name);
    Pair pair(Dtype::f64, false);
    const Entries entries = entries_of(pair.norm);
    const Tensor before = entries.buffers[0].buffer->clone();
    Collected collected;
    nn::Context ctx{.mode = how.mode, .statistics = how.statistics, .collector = &collected};
    pair.run(true, ctx, true);
    const bool moves = how.mode == nn::Mode::train && how.statistics == Statistics::update;
    CHECK(same_bits(*entries.buffers[0].buffer, before) == !moves);
    CHECK(entries.buffers[2].buffer->item() == (moves ? 1 : 0));
  }
}

TEST_CASE("a norm then a convolution: the lines of a trace are those of the two") {
  for_all([](Dtype dtype, bool bias, bool relu, const How& how) {
    Pair pair(dtype, bias);
    Collected collected;
    nn::Trace together, apart;
    for (nn::Trace* trace : {&together, &apart}) {
      nn::Context ctx{
          .mode = how.mode, .statistics = how.statistics, .collector = &collected, .trace = trace};
      pair.run(trace == &together, ctx, relu);
    }
    REQUIRE(together.entries().size() == 3);  // and the module that they are in
    REQUIRE(apart.entries().size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(together.entries()[i].module == apart.entries()[i].module);
      CHECK(together.entries()[i].in == apart.entries()[i].in);
      CHECK(together.entries()[i].out == apart.entries()[i].out);
    }
  });
}

TEST_CASE("a norm then a convolution: missing statistics and collectors are named as ever") {
  Pair pair(Dtype::f32, false);
  nn::Context no_collector{.statistics = Statistics::collect};
  CHECK_THROWS_WITH_AS(pair.run(true, no_collector, true),
                       "[batch_norm] Statistics::collect needs a collector in the Context", ArgumentError);
  const Entries entries = entries_of(pair.norm);
  *entries.buffers[0].buffer = Tensor();
  for (const nn::Context& ctx : {nn::Context{.statistics = Statistics::running}, nn::Context::evaluation()}) {
    nn::Context pass = ctx;
    CHECK_THROWS_WITH_AS(pair.run(true, pass, true), doctest::Contains("running statistics"), ArgumentError);
  }
}

TEST_CASE("a pre-activation block keeps neither of its normalised inputs") {
  constexpr Index channels = 16, side = 8;
  nn::Initializer init(3), again(3);
  nn::PreactBlock block({.in = channels, .width = channels}, init);
  Composed composed(channels, again);
  const Tensor x = init.normal({2, side, side, channels}, 0, 1);
  nn::Context ctx{.statistics = Statistics::hold}, other = ctx;
  // The same numbers, but for the rounding of moments that were formed beside a convolution.
  const auto one = block(x, ctx).value().to_vector<double>(),
             two = composed(x, other).value().to_vector<double>();
  REQUIRE(one.size() == two.size());
  for (std::size_t i = 0; i < one.size(); ++i) REQUIRE(one[i] == doctest::Approx(two[i]).epsilon(1e-4));

  const Index normalised = 4 * side * side * channels;
  const Shape sample{side, side, channels};
  CHECK(nn::activation_bytes(block, sample) == nn::activation_bytes(composed, sample) - 2 * normalised);
}
