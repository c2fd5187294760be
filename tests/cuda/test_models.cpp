// Training on the card: networks and rules of the papers, 20 steps played from records. They have the bits of
// steps made by calls and, to rounding, the CPU's weights.
//
// In f64, for a ReLU turns a difference in the last bit into another gradient once an input passes 0 between
// the two: in f32, 20 steps of a small network meet such an input now and then (of 10 rules on ResNet-20
// three did, and ended 1e-5 to 4e-3 apart), in f64 they do not. The steps of the network without a kink, ViT
// with GELU, are compared in f32 too.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/ops.h"
#include "core/random.h"
#include "nn/models/pyramidnet.h"
#include "nn/models/resnet.h"
#include "nn/models/vit.h"
#include "nn/models/wide_resnet.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam_family.h"
#include "optim/gradient/step_graph.h"
#include "optim/schedule/schedule.h"
#include "optim/update/update_rule.h"
#include "tests/cuda/comparison.h"
#include "tests/optim/family.h"

namespace basin::optim::testing {
namespace {

using cuda_testing::distance;

constexpr std::int64_t kSteps = 20;
constexpr Index kSide = 8, kRows = 4, kClasses = 4;

using MakeModel = std::function<std::unique_ptr<nn::Module>(nn::Initializer&)>;

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

/// A run of images that are drawn by their step, with a rate that falls by a cosine.
class Training {
 public:
  Training(Device device, Dtype dtype, const MakeModel& make, const Member& member)
      : net_(made(device, dtype, make)),
        w_(ParameterVector::of(*net_, device)),
        x_(Tensor::zeros({kRows, kSide, kSide, 3}, dtype, device)),
        y_(Tensor::zeros({kRows}, Dtype::i64, device)),
        update_(w_, {.momentum = 0.9, .weight_decay = 5e-4}),
        rule_(member.make(1)) {}

  StepReport step(std::int64_t t, StepGraph& graph) {
    Random random(11, Stream::user, static_cast<std::uint64_t>(t));
    Tensor x = Tensor::empty(x_.shape()), y = Tensor::empty(y_.shape(), Dtype::i64);
    for (Index i = 0; i < x.elements(); ++i) x.mutable_data<float>()[i] = static_cast<float>(random.normal());
    for (Index i = 0; i < kRows; ++i)
      y.mutable_data<std::int64_t>()[i] = static_cast<std::int64_t>(random.below(kClasses));
    x_.copy_from(x.to(x_.dtype()));
    y_.copy_from(y);
    const StepInfo now{.step = t, .lr = rate_.lr(t), .rows = kRows, .momentum = update_.momentum()};
    StepReport report = graph.run(rule_->sequence(now), now, [&](const StepInfo& info) {
      const Objective loss = [&](const Request& request) {
        const bool first = request.pass == Pass::first;
        nn::Context ctx{.statistics = first ? nn::Statistics::update : nn::Statistics::hold,
                        .step = static_cast<std::uint64_t>(t),
                        .host = info.numbers};
        return evaluate(cross_entropy((*net_)(x_, ctx), y_), w_, {.norm_gradient = request.norm_gradient});
      };
      Direction d = rule_->direction(loss, w_, info);
      d.report.finite = update_.apply(w_, d.vector, info, d.report.direction_norm, d.report.finite);
      return d.report;
    });
    report.bring_here();
    return report;
  }

  Tensor weights() const { return w_.values().to(Device{}); }
  /// All running means and variances, one after the other.
  Tensor statistics() {
    Tensors all;
    for (const NamedBuffer& b : entries_of(*net_).buffers)
      if (is_floating(b.buffer->dtype())) all.push_back(b.buffer->to(Device{}));
    return all.empty() ? Tensor::full({1}, 1, Dtype::f64) : concat(all, 0);
  }

 private:
  static std::unique_ptr<nn::Module> made(Device device, Dtype dtype, const MakeModel& make) {
    nn::Initializer init(3, dtype, device);
    return make(init);
  }

  std::unique_ptr<nn::Module> net_;
  ParameterVector w_;
  Tensor x_, y_;
  Sgd update_;
  std::unique_ptr<GradientRule> rule_;
  Schedule rate_{{.kind = ScheduleKind::cosine, .lr = 0.02, .total_steps = kSteps}};
};

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

// Minutes each: docs/results/cuda_steps.md. One rule alone: -sc=fsam.
TEST_CASE("the whole matrix: ViT-tiny" * doctest::skip()) { check_each("ViT-tiny", kVit); }
TEST_CASE("the whole matrix: WRN-16-2" * doctest::skip()) { check_each("WRN-16-2", kWideResNet); }
TEST_CASE("the whole matrix: ResNet-20" * doctest::skip()) { check_each("ResNet-20", kResNet20); }
TEST_CASE("the whole matrix: PyramidNet-110" * doctest::skip()) {
  check_each("PyramidNet-110", kPyramidNet110);
}

}  // namespace basin::optim::testing
