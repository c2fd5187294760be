// Shaken branches: their draws, what evaluation makes of them, the true gradient, and networks of them.
#include "nn/shake.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/gradients.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/random.h"
#include "nn/summary.h"
#include "tests/nn/tiny_models.h"

using namespace basin;
using Numbers = std::vector<double>;

namespace {

constexpr Index kImages = 6;

Tensor ones(Index images = kImages) { return Tensor::full({images, 2, 1, 3}, 1, Dtype::f64); }

/// Of {N,2,1,3}, where each image's numbers must be equal.
Numbers of_images(const Tensor& t) {
  const Numbers all = t.to_vector<double>();
  Numbers first;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % 6 == 0) first.push_back(all[i]);
    CHECK(all[i] == first.back());
  }
  return first;
}

struct Seen {
  Numbers forward, backward;
};

/// What a layer multiplies ones by, and ones as a cotangent.
Seen factors(nn::ShakeDrop& layer, nn::Context ctx, Index images = kImages) {
  const Variable x = Variable::parameter(ones(images));
  const Variable y = layer(x, ctx);
  return {of_images(y.value()), of_images(gradients(y, {x}, {.cotangent = ones(images)})[0])};
}

nn::Context at(std::uint64_t step, bool true_gradient = false) {
  return {.seed = 7, .step = step, .true_gradient = true_gradient};
}

struct Net {
  std::unique_ptr<nn::Module> model;
  Variables w;
  Tensor x, labels;

  Net(const std::string& name, Dtype dtype) {
    nn::Initializer init(5, dtype), draw(11, dtype);
    for (const TinyModel& family : tiny_models())
      if (family.name == name) model = family.make(init);
    REQUIRE(model != nullptr);
    for (const NamedParameter& p : entries_of(*model).parameters) w.push_back(*p.parameter);
    x = draw.normal({8, kTinySide, kTinySide, 3}, 0, 1);
    labels = Tensor::from<std::int64_t>({0, 1, 2, 3, 0, 1, 2, 3});
  }
  Variable loss(nn::Context ctx) const { return cross_entropy((*model)(x, ctx), labels); }
};

const char* const kFamilies[] = {"pyramidnet, shakedrop", "shake-shake"};

}  // namespace

TEST_CASE("ShakeDrop draws a coin, alpha and beta for each image, as documented") {
  nn::ShakeDrop layer({.keep = 0.6});
  const Seen seen = factors(layer, at(3)), truth = factors(layer, at(3, true));
  Random random(7, Stream::shake, 3, 0);
  int kept = 0;
  for (std::size_t i = 0; i < kImages; ++i) {
    const bool keep = random.uniform() < 0.6;
    const double alpha = random.uniform(-1, 1), beta = random.uniform(0, 1);
    CHECK(seen.forward[i] == (keep ? 1 : alpha));
    CHECK(seen.backward[i] == (keep ? 1 : beta));
    CHECK(truth.forward[i] == seen.forward[i]);
    CHECK(truth.backward[i] == seen.forward[i]);
    kept += keep;
  }
  CHECK(kept > 0);
  CHECK(kept < kImages);
}

TEST_CASE("Shake-Shake mixes two branches by a forward and gradients by b, as documented") {
  const Variable x = Variable::parameter(ones()),
                 y = Variable::parameter(ones() * Tensor::full({}, 3, Dtype::f64));
  Numbers a, b;
  Random random(7, Stream::shake, 2, 0);
  for (Index i = 0; i < kImages; ++i) {
    a.push_back(random.uniform());
    b.push_back(random.uniform());
  }
  for (bool true_gradient : {false, true}) {
    nn::Context ctx = at(2, true_gradient);
    const Variable mixed = nn::shake_shake(x, y, ctx);
    const Tensors g = gradients(mixed, {x, y}, {.cotangent = ones()});
    const Numbers values = of_images(mixed.value()), to_x = of_images(g[0]), to_y = of_images(g[1]);
    for (std::size_t i = 0; i < kImages; ++i) {
      CHECK(values[i] == a[i] + (1 - a[i]) * 3);
      CHECK(to_x[i] == (true_gradient ? a[i] : b[i]));
      CHECK(to_y[i] == 1 - to_x[i]);
    }
  }
  nn::Context eval = nn::Context::evaluation();
  CHECK(of_images(nn::shake_shake(x, y, eval).value()) == Numbers(kImages, 2));
  CHECK_THROWS_WITH_AS(nn::shake_shake(x, Variable(Tensor::zeros({1}, Dtype::f64)), eval),
                       "[shake_shake] branches of shapes {6,2,1,3} and {1}", ArgumentError);
}

TEST_CASE("shaken layers repeat themselves in a repeated pass, and differ between steps and layers") {
  nn::ShakeDrop layer;
  const Seen here = factors(layer, at(3)), again = factors(layer, at(3));
  CHECK(here.forward == again.forward);
  CHECK(here.backward == again.backward);
  CHECK(factors(layer, at(4)).forward != here.forward);
  nn::Context ctx = at(3);
  CHECK(of_images(layer(ones(), ctx).value()) == here.forward);
  CHECK(of_images(layer(ones(), ctx).value()) != here.forward);  // the next layer's
}

TEST_CASE("evaluation multiplies by the mean of ShakeDrop's forward factor, and draws nothing") {
  for (const nn::ShakeDropOptions& o :
       {nn::ShakeDropOptions{.keep = 0.7},
        nn::ShakeDropOptions{.keep = 0.5, .alpha_low = 0, .alpha_high = 0.5}}) {
    nn::ShakeDrop layer(o);
    const double mean = o.keep + (1 - o.keep) * (o.alpha_low + o.alpha_high) / 2;
    nn::Context eval = nn::Context::evaluation(), off = at(1);
    off.dropout = false;
    for (nn::Context* ctx : {&eval, &off}) {
      CHECK(of_images(layer(ones(), *ctx).value()) == Numbers(kImages, mean));
      CHECK(ctx->next_draw().layer == 0);
    }
    // 4000 images: the mean of the draws within four deviations, of which one factor has less than 1.
    double sum = 0;
    for (double f : factors(layer, at(1), 4000).forward) sum += f;
    CHECK(std::abs(sum / 4000 - mean) < 4 / std::sqrt(4000.0));
  }
  CHECK_THROWS_WITH_AS(nn::ShakeDrop({.keep = 1.5}), "[shake_drop] keep is a probability in [0, 1], got 1.5",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(nn::ShakeDrop({.beta_low = 1, .beta_high = 1}),
                       "[shake_drop] alpha and beta need intervals, got [-1, 1] and [1, 1]", ArgumentError);
}

TEST_CASE("ShakeDrop's probability falls linearly to that of PyramidNet's last block") {
  // In eval mode block l of 3 multiplies its branch by 1 - l/6, as the last normalisation's scale and shift
  // can.
  nn::Initializer one(5, Dtype::f64), two(5, Dtype::f64), draw(8, Dtype::f64);
  nn::PyramidNetOptions o{.depth = 8, .alpha = 7, .width = 4};
  nn::PyramidNet plain(o, one);
  o.last_keep = 0.5;
  nn::PyramidNet shaken(o, two);
  for (const NamedParameter& p : entries_of(plain).parameters)
    for (int l = 1; l <= 3; ++l)
      if (p.name.starts_with(text("layer", l, ".0.bn3"))) {
        Tensor values = p.parameter->value();
        values.copy_from(values * Tensor::full({}, 1 - l / 6.0, Dtype::f64));
      }
  const Tensor x = draw.normal({2, 8, 8, 3}, 0, 1);
  nn::Context a = nn::Context::evaluation(), b = nn::Context::evaluation();
  const Numbers expected = plain(x, a).value().to_vector<double>();
  const Numbers got = shaken(x, b).value().to_vector<double>();
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

TEST_CASE("the true gradient is the slope of the drawn loss, the usual one is not, and the losses agree") {
  for (const char* family : kFamilies) {
    CAPTURE(family);
    const Net net(family, Dtype::f64);
    const auto pass = [&](bool true_gradient) {
      return net.loss({.statistics = nn::Statistics::hold, .seed = 3, .true_gradient = true_gradient});
    };
    const Variable usual_loss = pass(false), true_loss = pass(true);
    CHECK(usual_loss.value().item() == true_loss.value().item());
    const Tensors usual = gradients(usual_loss, net.w), truth = gradients(true_loss, net.w);

    nn::Initializer draw(9, Dtype::f64);
    Tensors v;
    for (const Variable& p : net.w) v.push_back(draw.normal(p.shape(), 0, 1));
    const double h = 1e-6;
    const auto moved = [&](double by) {
      for (std::size_t i = 0; i < v.size(); ++i) {
        Tensor values = net.w[i].value();
        axpby(by, v[i], 1, values);
      }
      return pass(false).value().item();
    };
    const double above = moved(h), below = moved(-2 * h), slope = (above - below) / (2 * h);
    double along_true = 0, along_usual = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      along_true += dot(truth[i], v[i]);
      along_usual += dot(usual[i], v[i]);
    }
    CHECK(along_true == doctest::Approx(slope).epsilon(1e-5));
    CHECK(std::abs(along_usual - slope) > 1e-2 * std::abs(slope));
  }
}

TEST_CASE("shaken networks: the same bits for any number of threads, the same answer at every evaluation") {
  for (const char* family : kFamilies) {
    CAPTURE(family);
    const Net net(family, Dtype::f32);
    std::vector<std::vector<float>> one;
    for (int threads : {1, 3}) {
      const WithThreads now(threads);
      const Tensors g = gradients(net.loss({.statistics = nn::Statistics::hold, .seed = 3}), net.w);
      for (std::size_t i = 0; i < g.size(); ++i) {
        if (threads == 1) one.push_back(g[i].to_vector<float>());
        CHECK(g[i].to_vector<float>() == one[i]);
      }
    }
    CHECK(net.loss(nn::Context::evaluation()).value().item() ==
          net.loss({.mode = nn::Mode::eval, .seed = 8, .step = 2}).value().item());
  }
}

TEST_CASE("networks learn a handful of images by heart while they are shaken") {
  for (const char* family : kFamilies) {
    CAPTURE(family);
    const Net net(family, Dtype::f32);
    Tensors velocity;
    for (const Variable& p : net.w) velocity.push_back(Tensor::zeros(p.shape()));
    const auto expected_loss = [&] {  // without draws, normalised by the images' own statistics
      return net.loss({.statistics = nn::Statistics::hold, .dropout = false}).value().item();
    };
    CHECK(expected_loss() > 1);
    for (std::uint64_t step = 0; step < 400; ++step) {
      const Tensors g = gradients(net.loss({.seed = 1, .step = step}), net.w);
      const double lr = 0.05 * (1 - static_cast<double>(step) / 400);
      for (std::size_t i = 0; i < net.w.size(); ++i) {
        Tensor values = net.w[i].value();
        axpby(1, g[i], 0.9, velocity[i]);
        axpby(-lr, velocity[i], 1, values);
      }
    }
    CHECK(expected_loss() < 0.02);
  }
}

TEST_CASE("shaking costs a number for each image and branch") {
  nn::Initializer init(5);
  nn::PyramidNetOptions o{.depth = 14, .alpha = 12, .width = 4};
  nn::PyramidNet plain(o, init);
  o.last_keep = 0.5;
  nn::PyramidNet shaken(o, init);
  const Index six_blocks = 6 * 4;
  CHECK(nn::activation_bytes(shaken, {8, 8, 3}) <= nn::activation_bytes(plain, {8, 8, 3}) + six_blocks);
}
