// Channels that may change places, the assignment problem, and networks put in each other's order.
#include "apps/lab/curve/weight_matching.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "apps/lab/curve/assignment.h"
#include "core/ops.h"
#include "core/random.h"
#include "nn/models/mlp.h"
#include "nn/models/registry.h"
#include "tests/apps/calls.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;

namespace {

std::unique_ptr<nn::Module> model_of(const std::string& name, std::uint64_t seed, Index side = 32) {
  return nn::make_model(
      {.name = name, .height = side, .width = side, .channels = 3, .classes = 7, .seed = seed});
}

/// Numbers that no two channels share, statistics too.
void fill_apart(nn::Module& model, std::uint64_t seed) {
  const Entries all = entries_of(model);
  std::uint64_t number = 0;
  for (const NamedBuffer& b : all.buffers) {
    if (b.kind != BufferKind::statistics) continue;
    Random random(seed, Stream::user, 1, number++);
    auto* x = b.buffer->mutable_data<float>();
    for (Index i = 0; i < b.buffer->elements(); ++i) x[i] = static_cast<float>(random.uniform(0.5, 1.5));
  }
  for (const NamedParameter& p : all.parameters) {
    if (p.role == ParameterRole::weight) continue;
    Random random(seed, Stream::user, 2, number++);
    Tensor value = p.parameter->value();
    auto* x = value.mutable_data<float>();
    for (Index i = 0; i < value.elements(); ++i) x[i] += static_cast<float>(random.uniform(-0.3, 0.3));
  }
}

Permutations drawn(const std::vector<ChannelClass>& classes, std::uint64_t seed) {
  Permutations all;
  for (std::size_t c = 0; c < classes.size(); ++c)
    all.push_back(permutation(classes[c].size, seed, Stream::user, 100 + c));
  return all;
}

void permute_model(nn::Module& model, const std::vector<ChannelClass>& classes, const Permutations& order) {
  const Entries all = entries_of(model);
  for (const NamedParameter& p : all.parameters) {
    Tensor value = p.parameter->value();
    value.copy_from(permuted(classes, order, p.name, value));
  }
  for (const NamedBuffer& b : all.buffers) b.buffer->copy_from(permuted(classes, order, b.name, *b.buffer));
}

std::vector<float> logits(nn::Module& model, Index side = 32) {
  Random random(5, Stream::user);
  Tensor x = Tensor::empty({2, side, side, 3});
  auto* numbers = x.mutable_data<float>();
  for (Index i = 0; i < x.elements(); ++i) numbers[i] = static_cast<float>(random.normal());
  nn::Context ctx = nn::Context::evaluation();
  return model(Variable(x), ctx).value().to_vector<float>();
}

NamedTensors weights_of(nn::Module& model) {
  NamedTensors all;
  for (const NamedParameter& p : entries_of(model).parameters)
    all.push_back({p.name, p.parameter->value().clone()});
  return all;
}

const ChannelClass& class_with(const std::vector<ChannelClass>& all, const std::string& tensor, int axis) {
  for (const ChannelClass& c : all)
    for (const ChannelUse& use : c.uses)
      if (use.tensor == tensor && use.axis == axis) return c;
  throw InternalError("[test] no class with ", tensor);
}

bool has(const ChannelClass& c, const std::string& tensor, int axis) {
  return std::any_of(c.uses.begin(), c.uses.end(),
                     [&](const ChannelUse& use) { return use.tensor == tensor && use.axis == axis; });
}

}  // namespace

TEST_CASE("an assignment is the best of all permutations, and the same one each time") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto n = static_cast<std::int64_t>(1 + seed % 6);
    Random random(seed, Stream::user);
    std::vector<double> gain(static_cast<std::size_t>(n * n));
    for (double& g : gain) g = seed % 2 == 0 ? random.normal() : static_cast<double>(random.below(3));
    const auto worth = [&](const std::vector<std::int64_t>& p) {
      double sum = 0;
      for (std::int64_t i = 0; i < n; ++i)
        sum += gain[static_cast<std::size_t>(i * n + p[static_cast<std::size_t>(i)])];
      return sum;
    };
    std::vector<std::int64_t> p(static_cast<std::size_t>(n));
    std::iota(p.begin(), p.end(), std::int64_t{0});
    double best = worth(p);
    while (std::next_permutation(p.begin(), p.end())) best = std::max(best, worth(p));
    const std::vector<std::int64_t> found = best_assignment(gain, n);
    CHECK(worth(found) == doctest::Approx(best).epsilon(1e-12));
    CHECK(best_assignment(gain, n) == found);
  }
  // A permutation planted among 200 rows.
  const std::int64_t n = 200;
  const std::vector<std::int64_t> planted = permutation(n, 1, Stream::user, 0);
  std::vector<double> gain(static_cast<std::size_t>(n * n));
  Random random(3, Stream::user);
  for (double& g : gain) g = random.uniform();
  for (std::int64_t i = 0; i < n; ++i)
    gain[static_cast<std::size_t>(i * n + planted[static_cast<std::size_t>(i)])] += 2;
  CHECK(best_assignment(gain, n) == planted);
  CHECK(failure([] { best_assignment({1, 2}, 2); }) == "2: [assignment] 2 gains are no square of 2 rows");
}

TEST_CASE("channels that go together: VGG's, a residual sum's, option A's, a flattened image's") {
  const auto resnet = model_of("resnet8", 1);
  const std::vector<ChannelClass> classes = channel_symmetries(*resnet, {32, 32, 3});
  // Of the first stage: the stem and both convolutions' sums; their norms and statistics along with them.
  const ChannelClass& first = class_with(classes, "conv1.weight", 3);
  CHECK(first.size == 16);
  for (const char* tensor :
       {"bn1.weight", "bn1.running_var", "layer1.0.bn2.bias", "layer1.0.bn2.running_mean"})
    CHECK(has(first, tensor, 0));
  CHECK(has(first, "layer1.0.conv1.weight", 2));
  CHECK(has(first, "layer1.0.conv2.weight", 3));
  CHECK_FALSE(has(first, "layer1.0.conv1.weight", 3));
  // Option A passes 16 of 32 channels on, those in the middle; the others are a class of their own.
  CHECK(has(first, "layer2.0.conv2.weight", 3));
  const ChannelClass& inner = class_with(classes, "layer2.0.conv1.weight", 3);
  CHECK(inner.size == 32);
  CHECK(inner.uses.size() == 6);
  CHECK(std::count_if(classes.begin(), classes.end(), [](const ChannelClass& c) {
          return c.size == 16 && has(c, "layer2.0.conv2.weight", 3);
        }) == 2);
  CHECK(std::none_of(classes.begin(), classes.end(), [](const ChannelClass& c) {
    return has(c, "fc.weight", 0) || has(c, "conv1.weight", 2);  // logits and colours stay
  }));

  const auto lenet = model_of("lenet5", 1);
  const ChannelClass second = class_with(channel_symmetries(*lenet, {32, 32, 3}), "conv2.weight", 3);
  CHECK(second.size == 16);
  const auto fc1 = std::find_if(second.uses.begin(), second.uses.end(),
                                [](const ChannelUse& use) { return use.tensor == "fc1.weight"; });
  REQUIRE(fc1 != second.uses.end());
  CHECK(fc1->axis == 1);
  CHECK(fc1->places.size() == 25);
  CHECK(fc1->places[1][2] == 18);
}

TEST_CASE("a network computes the same function with its channels permuted") {
  for (const std::string name : {"mlp", "lenet5", "vgg16-bn", "resnet8", "resnet18", "preresnet20",
                                 "pyramidnet-110-48", "densenet-bc-40-12", "shake-shake-26-2x32d"}) {
    CAPTURE(name);
    const auto model = model_of(name, 3);
    fill_apart(*model, 4);
    const std::vector<ChannelClass> classes = channel_symmetries(*model, {32, 32, 3});
    const std::vector<float> before = logits(*model);
    const NamedTensors weights = weights_of(*model);
    permute_model(*model, classes, drawn(classes, 9));
    const NamedTensors now = weights_of(*model);
    for (std::size_t i = 0; i < now.size(); ++i) {
      CAPTURE(now[i].name);
      const bool stays = now[i].name == nn::head_of(*model) + ".bias";
      CHECK((now[i].tensor.to_vector<float>() == weights[i].tensor.to_vector<float>()) == stays);
    }
    const std::vector<float> after = logits(*model);
    double scale = 0;
    for (const float x : before) scale = std::max(scale, std::abs(static_cast<double>(x)));
    for (std::size_t i = 0; i < before.size(); ++i) CHECK(std::abs(after[i] - before[i]) < 2e-5 * scale);
  }
}

TEST_CASE("weight matching finds the permutation of a network that was permuted") {
  for (const std::string name : {"mlp", "resnet8"}) {
    CAPTURE(name);
    const auto model = model_of(name, 1, 16), other = model_of(name, 1, 16);
    fill_apart(*model, 4);
    fill_apart(*other, 4);
    const std::vector<ChannelClass> classes = channel_symmetries(*model, {16, 16, 3});
    permute_model(*other, classes, drawn(classes, 2));
    const NamedTensors a = weights_of(*model), b = weights_of(*other);
    const MatchingReport report = match_weights(classes, a, b, 0);
    CHECK(report.after > report.before);
    permute_model(*other, classes, report.permutations);
    const NamedTensors back = weights_of(*other);
    for (std::size_t i = 0; i < a.size(); ++i)
      CHECK(back[i].tensor.to_vector<float>() == a[i].tensor.to_vector<float>());
    double square = 0;
    for (const NamedTensor& t : a) square += static_cast<double>(dot(t.tensor, t.tensor));
    CHECK(report.after == doctest::Approx(square).epsilon(1e-6));
  }
}

TEST_CASE("weight matching never makes two networks less alike, and ends") {
  const auto one = model_of("resnet8", 1), two = model_of("resnet8", 2);
  const std::vector<ChannelClass> classes = channel_symmetries(*one, {32, 32, 3});
  const MatchingReport report = match_weights(classes, weights_of(*one), weights_of(*two), 0);
  CHECK(report.after > report.before);
  CHECK(report.rounds >= 2);
  CHECK(match_weights(classes, weights_of(*one), weights_of(*two), 0).permutations == report.permutations);
}

TEST_CASE("a model whose channels cannot be followed is named by the op that stops it") {
  for (const nn::ModelInfo& info : nn::models()) {
    if (info.name.find("vit") == std::string::npos) continue;
    const auto vit = model_of(info.name, 1);
    const std::string words = failure([&] { channel_symmetries(*vit, {32, 32, 3}); });
    CHECK(words.starts_with("2: --align: the channels of this model cannot be matched: 'reshape' of "));
    CHECK(words.ends_with(" cuts the channels apart, as attention's heads"));
    break;
  }
}
