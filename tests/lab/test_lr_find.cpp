// `basin lr-find`: the rates, the smoothing, what it suggests, and that it touches nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/lab/answer.h"
#include "apps/lab/rate_search.h"
#include "tests/lab/interrupting.h"
#include "tests/lab/runs.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;

namespace {

/// A small search; `more` adds to its options or takes the place of some.
Words search_words(const std::string& out, const Words& more = {}) {
  const std::vector<std::pair<std::string, std::string>> usual = {
      {"--data", "synthetic"}, {"--limit", "160"},     {"--model", "mlp"}, {"--steps", "6"},
      {"--lr-min", "0.001"},   {"--batch-size", "64"}, {"--workers", "1"}};
  Words words = {"-o", out};
  for (const auto& [flag, value] : usual)
    if (std::find(more.begin(), more.end(), flag) == more.end()) words.insert(words.end(), {flag, value});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("rates rise by equal factors, from the least to the greatest") {
  const RateSearchConfig c{.low = 1e-4, .high = 1, .steps = 5};
  for (std::int64_t step = 0; step < 5; ++step)
    CHECK(rate_of(c, step) == doctest::Approx(std::pow(10.0, static_cast<double>(step - 4))));
  CHECK(rate_of(c, 0) == 1e-4);
  CHECK(rate_of(c, 4) == 1);
}

TEST_CASE("the running mean has no bias towards its start") {
  for (const double x : smoothed({3, 3, 3, 3}, 0.9)) CHECK(x == doctest::Approx(3).epsilon(1e-14));
  // m = 0.5, then 1.25: over 1 - 0.5 and 1 - 0.25.
  const std::vector<double> two = smoothed({1, 2}, 0.5);
  CHECK(two[0] == doctest::Approx(1));
  CHECK(two[1] == doctest::Approx(1.25 / 0.75));
  CHECK(smoothed({4, 7}, 0) == std::vector<double>{4, 7});
}

TEST_CASE("what is suggested: a tenth of the minimum's rate, and where the loss falls fastest") {
  std::vector<double> rates, losses;
  for (int i = 0; i <= 60; ++i) {  // rates 10^-4 to 10^2; the loss falls as tanh around 10^-1, rises from 10
    const double x = -4 + 0.1 * i;
    rates.push_back(std::pow(10.0, x));
    losses.push_back(2 - std::tanh(2 * (x + 1)) + (x > 1 ? 10 * (x - 1) : 0));
  }
  const auto s = suggestion_of(rates, losses);
  REQUIRE(s.has_value());
  CHECK(s->minimum == doctest::Approx(10));
  CHECK(s->tenth == doctest::Approx(1));
  CHECK(s->steepest == doctest::Approx(0.1));
  CHECK(s->slope < 0);
  losses[55] = std::numeric_limits<double>::infinity();
  CHECK(suggestion_of(rates, losses)->minimum == doctest::Approx(10));
  CHECK_FALSE(suggestion_of({1, 2, 3, 4}, {1, 1.1, 1.2, 1.3}).has_value());
}

TEST_CASE("every gradient rule and update rule can be searched with") {
  const TemporaryDirectory there;
  for (const auto& entry : sharpness_names()) {
    const std::string name = entry.first;
    CAPTURE(name);
    const std::string out = there.path() + "/" + name;
    REQUIRE(run_command("lr-find", search_words(out, {"--sharpness", name})).code == 0);
    CHECK(read_answer(out).result.at("steps").array().size() >= 1);
  }
  for (const auto& entry : optimizer_names()) {
    const std::string name = entry.first;
    CAPTURE(name);
    const std::string out = there.path() + "/of-" + name;
    CHECK(run_command("lr-find", search_words(out, {"--optimizer", name})).code == 0);
  }
}

TEST_CASE("a search ends when the loss diverges, and says so") {
  const TemporaryDirectory there;
  const std::string out = there.path() + "/out";
  const Said said = run_command("lr-find", search_words(out, {"--steps", "40", "--lr-max", "1e6"}));
  REQUIRE(said.code == 0);
  const Json result = read_answer(out).result;
  CHECK(result.at("steps").array().size() < 40);
  CHECK(result.at("end").string() != "the last step");
  CHECK(said.out.find("ended by " + result.at("end").string()) != std::string::npos);
}

TEST_CASE("an interrupted search goes on to the same bytes, with any number of threads") {
  const TemporaryDirectory there;
  const std::string straight = there.path() + "/straight", parts = there.path() + "/parts";
  const Words sam = {"--sharpness", "looksam", "--model", "resnet8"};
  Words one = search_words(straight, sam), two = search_words(parts, sam);
  two.insert(two.end(), {"--threads", "2"});
  REQUIRE(run_command("lr-find", one).code == 0);
  CHECK(interrupted_at("lr-find", "learning rates: ", two) == 143);
  CHECK(kind_of_file(parts + "/state.safetensors") == FileKind::regular);
  REQUIRE(run_command("lr-find", two).code == 0);
  CHECK(content(parts) == content(straight));
}

TEST_CASE("a run's recipe is searched with, and its files stay as they are") {
  const TemporaryDirectory there;
  const std::string run = there.path() + "/run";
  REQUIRE(train(small(run, {"--sharpness", "sam"})).code == 0);
  const std::vector<std::string> before = content(run);
  const Said said = run_command("lr-find", {run, "--steps", "4"});
  REQUIRE(said.code == 0);
  CHECK(said.out.find("resnet8, sgd, sharpness sam") != std::string::npos);
  CHECK(read_answer(run + "/lab/lr-find").result.at("passes").integer() == 8);
  std::vector<std::string> after;
  for (const std::string& name : list_directory(run))
    if (name != "lab") after.push_back(name + " " + sha256_file(run + "/" + name));
  CHECK(after == before);
}

TEST_CASE("what cannot be searched is said before any work") {
  CHECK(parse_failure("lr-find", {"--lr-min", "1", "--lr-max", "0.5"}) ==
        "2: --lr-min 1 is not below --lr-max 0.5");
  CHECK(parse_failure("lr-find", {"--lr", "0.1"}).starts_with("2: "));
  CHECK(parse_failure("lr-find", {small_run(), "--preset", "sam_torch"}) ==
        "2: RUN, --config and --preset exclude each other: give one");
  CHECK(value_of(parsed("lr-find", {"--preset", "sam_torch"}), "sharpness") == "sam");
}
