// `basin report`: pages of runs with answers, and what a run's weights say of the test images.
#include <doctest/doctest.h>

#include <cmath>

#include "apps/lab/answer.h"
#include "apps/lab/predictions.h"
#include "apps/report/figure_files.h"
#include "apps/report/page/html.h"
#include "apps/report/page/page.h"
#include "apps/report/page/run_tables.h"
#include "apps/runs/run_config.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "tests/lab/runs.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;

namespace {

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

Predictions predictions() {
  // Confidences 0.6, 0.9, 0.9, 0.55; right, right, wrong, wrong.
  return {
      .probabilities = Tensor::from(std::vector<double>{0.6, 0.4, 0.1, 0.9, 0.1, 0.9, 0.55, 0.45}, {4, 2}),
      .labels = {0, 1, 0, 1}};
}

Figure density(double width) {
  Curve curve{.label = "density", .points = {}};
  for (int i = -10; i <= 10; ++i) curve.points.emplace_back(i, std::exp(-i * i / width));
  return {"density",
          Plot{.title = "Density", .x_label = "eigenvalue", .y_label = "density", .curves = {curve}}};
}

Figure landscape(double scale) {
  Surface s{.title = "Loss", .x_label = "a", .y_label = "b", .z_label = "loss", .x = {-1, 0, 1}};
  s.y = {-1, 0, 1};
  for (const double y : s.y)
    for (const double x : s.x) s.z.push_back(scale * (x * x + y * y));
  s.group = "landscape";
  return {"landscape", s};
}

ReportedRun run_named(const std::string& label, std::uint64_t seed, double accuracy) {
  ReportedRun run{.path = "runs/" + label, .name = label, .label = label};
  run.config = "[data]\nname = \"synthetic\"\n[run]\nseed = " + std::to_string(seed) + "\n";
  for (int e = 1; e <= 3; ++e)
    run.epochs.push_back(
        {.epoch = e, .step = e, .train_loss = 1.0 / e, .test_loss = 1 - accuracy, .test_accuracy = accuracy});
  run.run = Json::Object{{"name", label}, {"seed", seed}, {"sessions", Json::Array{}}};
  const Json last = Json::Object{{"name", "last"},
                                 {"what", "after epoch 3"},
                                 {"models", 1},
                                 {"test_loss", 1 - accuracy},
                                 {"test_accuracy", accuracy}};
  run.result = Json::Object{{"best", Json()},
                            {"parameters", 1000},
                            {"seconds", 2.0},
                            {"weights", Json()},
                            {"variants", Json::Array{last}}};
  return run;
}

}  // namespace

TEST_CASE("calibration by hand: intervals, expected error, Brier's score, confusion") {
  const Calibration c = calibration_of(predictions(), 10);
  REQUIRE(c.bins.size() == 10);
  CHECK(c.bins[5].rows == 2);  // (0.5, 0.6] has its upper end
  CHECK(c.bins[5].correct == 1);
  CHECK(c.bins[8].rows == 2);
  CHECK(c.bins[8].correct == 1);
  // 2/4 |0.5 - 0.575| + 2/4 |0.5 - 0.9|.
  CHECK(c.expected_error == doctest::Approx(0.5 * 0.075 + 0.5 * 0.4));
  CHECK(c.brier == doctest::Approx((2 * 0.16 + 2 * 0.01 + 2 * 0.81 + 2 * 0.3025) / 4));
  CHECK(confusion_of(predictions()) == std::vector<std::int64_t>{1, 1, 1, 1});
  CHECK_THROWS_AS(calibration_of({}, 10), ArgumentError);
  const std::vector<Figure> figures = prediction_figures(predictions(), {"cat", "dog"});
  CHECK(figures.size() == 4);
  CHECK(title_of(figures[1]).find("expected calibration error") != std::string::npos);
  CHECK(std::get<FigureTable>(figures[3].content).rows.size() == 2);
}

TEST_CASE("a page of four runs has every figure, one scale for a group, means over seeds, and differences") {
  std::vector<ReportedRun> runs = {run_named("sgd-1", 1, 0.5), run_named("sgd-2", 2, 0.7),
                                   run_named("sam", 1, 0.8), run_named("gam", 1, 0.9)};
  runs[2].config += "[sharpness]\nname = \"sam\"\n";
  runs[3].config += "[sharpness]\nname = \"gam\"\n";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto scale = static_cast<double>(i + 1);
    runs[i].answers = {{"hessian", "hessian", {"mean cross-entropy"}, {density(scale)}},
                       {"landscape", "landscape", {"mean cross-entropy"}, {landscape(scale)}}};
  }
  const ReportPage page = page_of(runs);
  CHECK(count(page.html, "<figure id") == page.figures);
  // Four curves of learning over epochs, four densities and all of them together, four landscapes.
  CHECK(page.figures == 4 + 5 + 4);
  CHECK(count(page.html, "data-figure=\"density\"") == 4);
  CHECK(count(page.html, "data-figure=\"density-together\"") == 1);
  CHECK(count(page.html, "data-high=\"8.0\"") == 4);
  CHECK(count(page.html, "download=\"landscape.csv\"") == 4);
  CHECK(page.html.find("<td>sgd-1, sgd-2</td><td>2</td><td>last</td><td>0.4000 ± 0.1414</td>"
                       "<td>60.00 ± 14.14</td>") != std::string::npos);
  CHECK(count(page.html, "±") == 2);
  CHECK(page.html.find("<td>sharpness.name</td><td>–</td><td>–</td><td>sam</td><td>gam</td>") !=
        std::string::npos);
  CHECK(page.html.find("<td>data.name</td>") == std::string::npos);
  CHECK(count(page.html, "<p class=\"said\">mean cross-entropy</p>") == 2);
  for (const char* part : {"http", "<link rel=\"stylesheet", "src="})
    CHECK(page.html.find(part) == std::string::npos);  // nothing is fetched
  CHECK(page_of(runs).html == page.html);
}

TEST_CASE("a run that has not ended has a page of what is there") {
  ReportedRun run = run_named("young", 1, 0.5);
  run.result = {};
  const std::string page = page_of({run}).html;
  CHECK(page.find("accuracy after epoch 3 <strong>50.00 %</strong>") != std::string::npos);
  CHECK(page.find("none yet: the run has not ended") != std::string::npos);
  CHECK(page.find("<td>epoch 3</td>") != std::string::npos);
}

TEST_CASE("smoothing is a mean that keeps straight lines in the middle, and passes over gaps") {
  Curve line;
  for (int i = 0; i < 50; ++i) line.points.emplace_back(i, 2.0 * i);
  line.points[25].second = std::nan("");
  const Curve smooth = smoothed(line, 1.5);
  CHECK(smooth.points[10].second == doctest::Approx(20));
  CHECK(smooth.points[25].second == doctest::Approx(50));
  CHECK(smooth.points[40].first == 40);
}

TEST_CASE("curves over other axes are not laid over each other") {
  Plot a{
      .title = "t", .x_label = "x", .curves = {{.label = "u"}, {.label = "v", .points = {}, .dashed = true}}};
  Plot b = a;
  const Plot both = overlaid({{"one", &a}, {"two", &b}});
  REQUIRE(both.curves.size() == 4);
  CHECK(both.curves[3].label == "two: v");
  CHECK(both.curves[3].colour == 1);
  b.log_x = true;
  CHECK(overlaid({{"one", &a}, {"two", &b}}).curves.empty());
}

TEST_CASE("Markdown and HTML of a table escape what would be read otherwise") {
  const FigureTable table{.title = "", .columns = {"a", "b"}, .rows = {{"x|y", "<1>"}}};
  CHECK(markdown_table(table) == "| a | b |\n| --- | ---: |\n| x\\|y | <1> |\n");
  CHECK(html_table(table).find("<td>x|y</td><td>&lt;1&gt;</td>") != std::string::npos);
}

TEST_CASE("basin report asks the weights once, and says what it wrote") {
  const TemporaryDirectory there;
  const std::string page = there / "page.html";
  const Said first = run_command("report", {small_run(), "-o", page, "--json"});
  CHECK(first.code == 0);
  const Json told = parse_json(first.out);
  CHECK(told.at("page").string() == page);
  const std::string html = read_file(page);
  CHECK(told.at("figures").integer() == count(html, "<figure id"));
  CHECK(html.find("data-figure=\"confusion\"") != std::string::npos);
  CHECK(html.find("expected calibration error") != std::string::npos);
  CHECK(html.find("data-figure=\"step-loss\"") != std::string::npos);

  const std::string answer = read_file(small_run() + "/lab/predictions/answer.json");
  const Json result = parse_json(answer).at("result");
  const Json known = parse_json(read_file(small_run() + "/result.json"));
  CHECK(result.at("accuracy").number() == known.at("test_accuracy").number());
  const Said second = run_command("report", {small_run(), "-o", page});
  CHECK(read_file(page) == html);
  CHECK(second.err.empty());

  run_command("report", {small_run(), "-o", page, "--no-predictions"});
  CHECK(read_file(page).find("confusion") == std::string::npos);
}

TEST_CASE("basin report without a run, or of a directory that is none, says so") {
  CHECK(parse_failure("report", {}) == "2: nothing to report: name the directory of a RUN, or several");
  const TemporaryDirectory empty;
  CHECK(failure([&] { run_command("report", {empty.path()}); }).starts_with("3: [read] "));
}
