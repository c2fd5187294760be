// Training steps of the CUDA backend by calls and by records: the same bits, and the CPU's numbers but for
// rounding.
#include <doctest/doctest.h>

#include <limits>

#include "optim/gradient/gam.h"
#include "optim/gradient/sam_family.h"
#include "tests/cuda/comparison.h"
#include "tests/optim/step_run.h"

namespace basin::optim::testing {
namespace {

constexpr std::int64_t kSteps = 20, kSpoiled = 13;

/// The farthest of x's tensors from its place in y.
double farthest(const Tensors& x, const Tensors& y) {
  double worst = 0;
  for (std::size_t i = 0; i < y.size(); ++i)
    if (y[i].defined() && is_floating(y[i].dtype()))
      worst = std::max(worst, cuda_testing::distance(x[i], y[i]));
  return worst;
}

/// `near`: how far all numbers may be from the CPU's in the end.
void check(const Member& member, const MakeUpdate& make_update, std::int64_t least_played,
           double near = 1e-4) {
  CAPTURE(member.name);
  const Device card = basin::testing::cuda_device();
  StepRun here({}, member, make_update, kSteps), called(card, member, make_update, kSteps),
      played(card, member, make_update, kSteps);
  StepGraph calls;
  RecordedSteps graph(card);
  for (std::int64_t t = 0; t < kSteps; ++t) {
    CAPTURE(t);
    const bool spoiled = t == kSpoiled;
    const StepReport a = here.step(t, calls, spoiled), b = called.step(t, calls, spoiled),
                     c = played.step(t, graph, spoiled);
    CHECK(a.finite == !spoiled);
    CHECK(c.finite == !spoiled);
    if (spoiled) continue;
    CHECK(c.loss == b.loss);
    CHECK(c.direction_norm == b.direction_norm);
    CHECK(c.loss == doctest::Approx(a.loss.value()).epsilon(1e-4));
  }
  CHECK(graph.played() >= least_played);
  CHECK(same_bits(played.everything(), called.everything()));
  CHECK(farthest(played.everything(), here.everything()) < near);
}

template <class Options>
Member sam(const char* name, const Options& options) {
  return {name, [options](double) { return std::make_unique<Sam>(options); }};
}
Member gam(const char* name, GamForm form, bool with_sam = false) {
  return {name, [=](double) {
            return std::make_unique<Gam>(GamOptions{
                .form = form,
                .rho = 0.1,
                .with_sam = with_sam,
                .schedule = {.kind = RadiusKind::with_lr, .end = 0.01, .lr_peak = 0.1, .lr_end = 0}});
          }};
}

const MakeUpdate kSgd = update<Sgd>(SgdOptions{.momentum = 0.9, .weight_decay = 5e-4});

}  // namespace

TEST_CASE("steps: SGD and SAM with a radius that follows the rate, played as called") {
  check(plain_rule(), kSgd, kSteps - 2);
  check(sam("sam",
            SamOptions{.rho = 0.1,
                       .schedule = {.kind = RadiusKind::with_lr, .end = 0.01, .lr_peak = 0.1, .lr_end = 0}}),
        kSgd, kSteps - 2);
}
TEST_CASE("steps: ASAM, F-SAM, LookSAM and MSAM, played as called") {
  check(sam("asam", asam()), kSgd, kSteps - 2);
  check(sam("fsam", fsam()), kSgd, kSteps - 3);
  check(sam("looksam", looksam(0.1, 0.7, 3)), kSgd, kSteps - 5);
  check(sam("msam", msam(0.3)), kSgd, kSteps - 2);
}
TEST_CASE("steps: GAM in four forms, played as called") {
  check(gam("gam, paper", GamForm::paper), kSgd, kSteps - 2);
  check(gam("gam, official", GamForm::official), kSgd, kSteps - 2);
  check(gam("gam, differences", GamForm::differences, true), kSgd, kSteps - 2);
  check(gam("gam, exact", GamForm::exact), kSgd, kSteps - 2);
}
TEST_CASE("steps: Adam's correction and Lion, played as called") {
  // The bias in front of the batch norm has a gradient of rounding errors alone, which these two divide by
  // their own size: it goes its own way on each device, and moves no output.
  check(plain_rule(), update<Adam>(AdamOptions{.weight_decay = 1e-2, .decoupled = true}), kSteps - 2,
        HUGE_VAL);
  check(plain_rule(), update<Lion>(LionOptions{.weight_decay = 1e-2}), kSteps - 2, HUGE_VAL);
}

}  // namespace basin::optim::testing
