// `basin eval` beyond the tally: calibration, confusion, several weights in one table.
#include <doctest/doctest.h>

#include <cmath>

#include "apps/evaluation/mistakes.h"
#include "apps/weights/weights.h"
#include "core/io/json.h"
#include "tests/apps/colours.h"
#include "tests/apps/evaluating.h"
#include "tests/core/contains.h"

using namespace basin;
using namespace basin::apps;
using test::Colours, test::evaluate, test::failure, test::Said, test::Words;
using test::contains;

namespace {

/// Four images of two classes: sure and right, sure and wrong, unsure and right, unsure and wrong.
Predictions four() {
  return {.probabilities = Tensor::from(std::vector<double>{0.9, 0.1, 0.9, 0.1, 0.4, 0.6, 0.4, 0.6}, {4, 2}),
          .labels = {0, 1, 1, 0}};
}

}  // namespace

TEST_CASE("mistakes: a worked calibration and confusion as tables and JSON") {
  const Calibration calibration = calibration_of(four(), 10);
  // 2/4 |0.5 - 0.9| + 2/4 |0.5 - 0.6|; ((0.01 + 0.01) + (0.81 + 0.81) + (0.16 + 0.16) + (0.36 + 0.36)) / 4.
  CHECK(std::abs(calibration.expected_error - 0.25) < 1e-15);
  CHECK(std::abs(calibration.brier - 0.67) < 1e-15);
  CHECK(table_of(calibration).text(false) ==
        "confidence      images  mean confidence %  accuracy %\n"
        "--------------  ------  -----------------  ----------\n"
        "0.500 to 0.600       2              60.00       50.00\n"
        "0.800 to 0.900       2              90.00       50.00\n");
  const Json j = parse_json(to_json(calibration).compact());
  CHECK(j.at("bins").array().size() == 10);
  CHECK(j.at("bins").array()[0].at("accuracy").string() == "nan");
  CHECK(j.at("bins").array()[5].at("images").integer() == 2);

  const std::vector<std::int64_t> counts = confusion_of(four());
  CHECK(counts == std::vector<std::int64_t>{1, 1, 1, 1});
  CHECK(confusion_table(counts, {"cat", "dog"}).text(false) ==
        "label  cat  dog\n"
        "-----  ---  ---\n"
        "cat      1    1\n"
        "dog      1    1\n");
  CHECK(mistakes_table({5, 1, 0, 2, 5, 9, 0, 1, 5}, {"a", "b", "c"}, 3).text(false) ==
        "label  predicted  images\n"
        "-----  ---------  ------\n"
        "b      c               9\n"
        "b      a               2\n"
        "a      b               1\n");
  CHECK(confusion_json(counts, {"cat", "dog"}).at("counts").array()[1].array()[0].integer() == 1);
}

TEST_CASE("eval: what else is shown changes no figure, and several weights are rows of one table") {
  const Colours colours;
  REQUIRE(test::train(Colours::recipe(colours.dir / "swa", colours.data,
                                      {"--average", "swa", "--average-start", "0.25"}))
              .code == 0);
  const std::string run = colours.dir / "swa";
  const Json plain = parse_json(evaluate({"--run", run, "--json"}).out);
  const Said shown = evaluate({"--run", run, "--calibration", "--confusion"});
  CHECK(contains(shown.out, "expected calibration error"));
  CHECK(contains(shown.out, "label  a  b  c"));
  const Json whole = parse_json(evaluate({"--run", run, "--calibration", "--confusion", "--json"}).out);
  for (const char* figure : {"loss", "accuracy", "top5"}) CHECK(whole.at(figure) == plain.at(figure));
  CHECK(whole.at("confusion").at("classes").array()[2].string() == "c");
  std::int64_t images = 0;
  for (const Json& bin : whole.at("calibration").at("bins").array()) images += bin.at("images").integer();
  CHECK(images == 12);

  const Said table = evaluate({"--run", run, "--weights", "last,swa," + colours.file()});
  CHECK(contains(table.out, "top-1 %"));
  const Json rows =
      parse_json(evaluate({"--run", run, "--weights", "last,swa," + colours.file(), "--json"}).out)
          .at("rows");
  REQUIRE(rows.array().size() == 3);
  CHECK(rows.array()[0].at("loss") == plain.at("loss"));
  CHECK(rows.array()[1].at("weights").string() == run + "/final-swa.safetensors");
  const Json alone = parse_json(evaluate({"--run", run, "--weights", "swa", "--json"}).out);
  CHECK(rows.array()[1].at("loss") == alone.at("loss"));
  CHECK(rows.array()[1].at("loss") != plain.at("loss"));
  CHECK(rows.array()[2].at("name").string() == colours.file());
  CHECK(contains(failure([&] { evaluate({"--run", run, "--weights", "last,,swa"}); }), "names nothing"));
  CHECK(failure([&] { evaluate({"--run", run, "--weights", "last,ema"}); }).starts_with("4: [eval] "));
}

TEST_CASE("eval: an ensemble's calibration is that of its members together") {
  const Colours colours;
  REQUIRE(test::train(Colours::recipe(colours.dir / "votes", colours.data,
                                      {"--ensemble", "snapshot", "--cycles", "2"}))
              .code == 0);
  const Json said = parse_json(
      evaluate({"--ensemble", colours.dir / "votes", "--calibration", "--confusion", "--json"}).out);
  double right = 0;
  const auto& counts = said.at("confusion").at("counts").array();
  for (std::size_t k = 0; k < 3; ++k) right += static_cast<double>(counts[k].array()[k].integer());
  CHECK(right / 12 == said.at("accuracy").number());
}
