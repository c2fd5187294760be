// What a step that is played sends to the card: its numbers, in one copy. Whatever layers draw is drawn
// there.
#include <doctest/doctest.h>
#include <runtime_double.h>

#include "optim/gradient/gam.h"
#include "optim/gradient/sam.h"
#include "tests/cuda/device.h"
#include "tests/cuda/training.h"
#include "tests/nn/tiny_models.h"

namespace basin::optim::testing {
namespace {

void check_copies(const MakeModel& make, const Member& member) {
  CAPTURE(member.name);
  const Device card = basin::testing::cuda_device();
  Training played(card, Dtype::f32, make, member);
  RecordedSteps graph(card);
  for (std::int64_t t = 0; t < 5; ++t) {
    played.put_batch(0);
    const std::int64_t again = graph.played();
    const std::size_t before = fake::copies_from_host();
    const StepReport report = played.step(t, graph);
    CHECK(report.finite == 1);
    if (graph.played() > again) CHECK(fake::copies_from_host() - before == 1);
  }
  CHECK(graph.played() == 3);
}

}  // namespace

TEST_CASE("double: a played step of networks with dropout or shaken branches sends its numbers alone") {
  for (const TinyModel& family : tiny_models()) {
    CAPTURE(family.name);
    if (family.name != "vgg, batch norm" && family.name != "pyramidnet, shakedrop" &&
        family.name != "shake-shake" && family.name != "vit")
      continue;
    check_copies(family.make, plain_rule());
    check_copies(family.make, {"sam", [](double) { return std::make_unique<Sam>(SamOptions{.rho = 0.05}); }});
    check_copies(family.make, {"gam", [](double) { return std::make_unique<Gam>(GamOptions{.rho = 0.05}); }});
  }
}

}  // namespace basin::optim::testing
