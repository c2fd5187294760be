// Training on the card: networks and rules of the papers, 20 steps played from records. They have the bits of
// steps made by calls and, to rounding, the CPU's weights.
//
// In f64, for a ReLU turns a difference in the last bit into another gradient once an input passes 0 between
// the two: in f32, 20 steps of a small network meet such an input now and then (of 10 rules on ResNet-20
// three did, and ended 1e-5 to 4e-3 apart), in f64 they do not. The steps of the network without a kink, ViT
// with GELU, are compared in f32 too.
#include <algorithm>
#include <cmath>

#include "nn/models/pyramidnet.h"
#include "nn/models/resnet.h"
#include "nn/models/vit.h"
#include "nn/models/wide_resnet.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam_family.h"
#include "tests/cuda/comparison.h"
#include "tests/cuda/training.h"
#include "tests/nn/tiny_models.h"

namespace basin::optim::testing {
namespace {

using cuda_testing::distance;

template <class Model, class Options>
MakeModel model(Options options) {
  options.classes = kClasses;
  return [options](nn::Initializer& init) { return std::make_unique<Model>(options, init); };
}

const MakeModel kResNet20 = [](nn::Initializer& init) {
  return std::make_unique<nn::CifarResNet>(20, 3, kClasses, nn::Shortcut::a, init);
};
const MakeModel kPyramidNet110 =
    model<nn::PyramidNet>(nn::PyramidNetOptions{.depth = 110, .alpha = 13, .width = 4});
const MakeModel kWideResNet =
    model<nn::WideResNet>(nn::WideResNetOptions{.depth = 16, .widen = 2, .width = 4});
const MakeModel kVit = model<nn::Vit>(nn::VitOptions{
    .height = kSide, .width = kSide, .patch = 4, .dim = 12, .layers = 2, .heads = 3, .mlp = 24});

template <class Rule, class Options>
Member rule(const char* name, const Options& options) {
  return {name, [options](double) { return std::make_unique<Rule>(options); }};
}

const RadiusSchedule kWithLr{.kind = RadiusKind::with_lr, .end = 0.01, .lr_peak = 0.02, .lr_end = 0};

std::vector<Member> rules() {
  const auto gam = [](const char* name, GamForm form) {
    return rule<Gam>(name, GamOptions{.form = form, .rho = 0.05, .schedule = kWithLr});
  };
  return {plain_rule(),
          rule<Sam>("sam", SamOptions{.rho = 0.05, .schedule = kWithLr}),
          rule<Sam>("asam", asam(0.5)),
          rule<Sam>("fsam", fsam(0.05)),
          rule<Sam>("looksam", looksam(0.05, 0.7, 3)),
          rule<Sam>("msam", msam(0.3)),
          gam("gam, paper", GamForm::paper),
          gam("gam, official", GamForm::official),
          gam("gam, differences", GamForm::differences),
          gam("gam, exact", GamForm::exact)};
}

void check(const char* name, Dtype dtype, const MakeModel& make, const Member& member) {
  CAPTURE(std::string(name));
  CAPTURE(member.name);
  const Device card = basin::testing::cuda_device();
  Training here({}, dtype, make, member), called(card, dtype, make, member),
      played(card, dtype, make, member);
  StepGraph calls;
  RecordedSteps graph(card);
  double loss_gap = 0;
  for (std::int64_t t = 0; t < kSteps; ++t) {
    CAPTURE(t);
    for (Training* run : {&here, &called, &played}) run->put_batch(t);
    const StepReport a = here.step(t, calls), b = called.step(t, calls), c = played.step(t, graph);
    CHECK(c.finite == 1);
    CHECK(c.loss == b.loss);
    loss_gap = std::max(loss_gap, std::abs(c.loss.value() / a.loss.value() - 1));
  }
  CHECK(graph.played() >= kSteps - 10);
  const Tensor w = played.weights();
  CHECK(w.to_vector<double>() == called.weights().to_vector<double>());
  const double gap = distance(w, here.weights());
  const double rounding = dtype == Dtype::f64 ? 1e-11 : 1e-5;
  CHECK(gap < rounding);
  CHECK(distance(played.statistics(), here.statistics()) < 10 * rounding);
  MESSAGE(std::string(name) << " in " << std::string(name_of(dtype)) << ", " << member.name
                            << ": weights differ by " << gap << " of their norm, losses by " << loss_gap);
}

void check_all(const char* name, const MakeModel& make, Dtype dtype = Dtype::f64) {
  for (const Member& member : rules()) check(name, dtype, make, member);
}

void check_some(const char* name, const MakeModel& make, const std::vector<std::string>& names) {
  for (const Member& member : rules())
    if (std::find(names.begin(), names.end(), member.name) != names.end())
      check(name, Dtype::f64, make, member);
}

void check_each(const char* name, const MakeModel& make) {
  for (const Member& member : rules()) {
    SUBCASE(member.name.c_str()) { check(name, Dtype::f64, make, member); }
  }
}

}  // namespace

TEST_CASE("training: ViT by all rules, and the convolutional networks by some, are the CPU's") {
  check_all("ViT", kVit);
  check_all("ViT", kVit, Dtype::f32);
  check_some("WRN-16-2", kWideResNet, {"sam", "looksam", "gam, exact"});
  check_some("ResNet-20", kResNet20, {"plain"});
}

TEST_CASE("training: networks that draw, dropout and shaken branches, are the CPU's") {
  for (const TinyModel& family : tiny_models())
    if (family.name == "vgg, batch norm" || family.name == "pyramidnet, shakedrop" ||
        family.name == "shake-shake")
      check_some(family.name.c_str(), family.make, {"plain", "sam", "gam, paper"});
}

// Minutes each: docs/results/cuda_steps.md. One rule alone: -sc=fsam.
TEST_CASE("the whole matrix: ViT-tiny" * doctest::skip()) { check_each("ViT-tiny", kVit); }
TEST_CASE("the whole matrix: WRN-16-2" * doctest::skip()) { check_each("WRN-16-2", kWideResNet); }
TEST_CASE("the whole matrix: ResNet-20" * doctest::skip()) { check_each("ResNet-20", kResNet20); }
TEST_CASE("the whole matrix: PyramidNet-110" * doctest::skip()) {
  check_each("PyramidNet-110", kPyramidNet110);
}

}  // namespace basin::optim::testing
