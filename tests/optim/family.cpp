#include "tests/optim/family.h"

#include <limits>

#include "optim/gradient/gam.h"
#include "optim/gradient/micro_batches.h"
#include "optim/gradient/sam_family.h"

namespace basin::optim::testing {
namespace {

Member sam(const std::string& name, const SamOptions& options) {
  return {name, [options](double scale) {
            SamOptions scaled = options;
            scaled.rho *= scale;
            return std::make_unique<Sam>(scaled);
          }};
}

Member gam(const std::string& name, const GamOptions& options) {
  return {name, [options](double scale) {
            GamOptions scaled = options;
            scaled.rho *= scale;
            return std::make_unique<Gam>(scaled);
          }};
}

}  // namespace

Member plain_rule() {
  return {"plain", [](double) { return std::make_unique<Plain>(); }};
}

std::vector<Member> family() {
  return {plain_rule(),
          sam("sam", {.rho = 0.1}),
          sam("sam, p = 3", {.rho = 0.1, .p = 3}),
          sam("sam, p = infinity", {.rho = 0.01, .p = std::numeric_limits<double>::infinity()}),
          sam("sam, no biases", {.rho = 0.1, .perturbed = Perturbed::no_biases}),
          sam("sam from step 2 on", {.rho = 0.1, .start_step = 2}),
          sam("sam until step 2", {.rho = 0.1, .end_step = 2}),
          sam("asam", asam()),
          sam("asam by segments", {.rho = 0.1, .scaling = Scaling::segments}),
          sam("asam, davda54", asam_davda54(0.5)),
          sam("asam, big_vision", asam_big_vision(0.5)),
          sam("gsam", gsam(0.1)),
          sam("gnp", gnp()),
          sam("fsam", fsam()),
          sam("vasso", vasso()),
          sam("looksam", looksam(0.1, 0.7, 3)),
          sam("interval sam", interval_sam(0.2, 3)),
          sam("msam", msam(0.3)),
          sam("sam-on", sam_on()),
          sam("usam", usam()),
          sam("k-step sam", k_step_sam(0.1, 3)),
          gam("gam, paper", {.form = GamForm::paper}),
          gam("gam, official", {.form = GamForm::official}),
          gam("gam, exact", {.form = GamForm::exact}),
          gam("gam, differences", {.form = GamForm::differences}),
          gam("gam, exact, with sam", {.form = GamForm::exact, .with_sam = true}),
          gam("c-flat", {.form = GamForm::differences, .with_sam = true}),
          gam("gam, scaled", {.scaling = Scaling::weights, .eta = 0.01}),
          gam("gam on every third step", {.every = 3})};
}

std::vector<Member> micro_batched(std::int64_t m, std::int64_t rows) {
  std::vector<Member> members;
  for (const Member& whole : family()) {
    if (whole.name != "sam" && whole.name != "fsam" && whole.name != "vasso" && whole.name != "looksam" &&
        whole.name != "gam, paper")
      continue;
    const auto make = [whole, m, rows](double scale) {
      return std::make_unique<MicroBatches>([&] { return whole.make(scale); }, m, rows);
    };
    members.push_back({whole.name + " in micro-batches", make, static_cast<std::size_t>((rows + m - 1) / m)});
  }
  return members;
}

std::vector<Member> all_rules(std::int64_t m, std::int64_t rows) {
  std::vector<Member> all = family();
  for (Member& part : micro_batched(m, rows)) all.push_back(std::move(part));
  return all;
}

}  // namespace basin::optim::testing
