// Ticks, gaps, escapes and bytes of the plots.
#include "apps/report/pictures.h"

#include "apps/report/axis.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "apps/report/page/page.h"

using namespace basin::apps;

namespace {

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("ticks are round and enclose the data") {
  CHECK(ticks(0, 10, 6) == std::vector<double>{0, 2, 4, 6, 8, 10});
  CHECK(ticks(1, 2, 7, 1) == std::vector<double>{1, 2});
  CHECK(ticks(1, 30, 7) == std::vector<double>{0, 5, 10, 15, 20, 25, 30});
  for (const auto& range :
       {std::pair{0.013, 2.7}, {-3.0, 1e-9}, {1e-300, 2e-300}, {97.2, 97.4}, {-1e9, 1e12}}) {
    const double low = range.first, high = range.second;
    const std::vector<double> marks = ticks(low, high, 6);
    CAPTURE(low);
    CHECK(marks.size() >= 3);
    CHECK(marks.size() <= 9);
    CHECK(marks.front() <= low + 1e-9 * (high - low));
    CHECK(marks.back() >= high - 1e-9 * (high - low));
  }
}

TEST_CASE("an empty plot, a single point, equal values and gaps are drawn") {
  CHECK(count(svg({}), "<svg") == 1);
  CHECK(count(svg({Plot{.title = "empty"}}), "<polyline") == 0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string one = svg({{.curves = {{.label = "a", .points = {{1, 5}}}}}});
  CHECK(count(one, "<circle") == 1);
  const std::string gap =
      svg({{.curves = {{.label = "a", .points = {{1, 5}, {2, 5}, {3, nan}, {4, 5}, {5, 5}}}}}});
  CHECK(count(gap, "<polyline") == 2);
  const std::string none = svg({{.curves = {{.label = "a", .points = {{1, nan}, {2, nan}}}}}});
  CHECK(count(none, "<circle") == 0);
  for (const std::string& drawing : {one, gap, none}) CHECK(drawing.find("nan") == std::string::npos);
}

TEST_CASE("values apart by a rounding error, or as large as doubles get, are drawn and end") {
  constexpr double kMost = std::numeric_limits<double>::max();
  for (const auto& [a, b, circles] : {std::tuple{1e17, std::nextafter(1e17, 2e17), 2},
                                      {1.0, 1 + 3e-16, 2},
                                      {-1e299, 1e299, 2},
                                      {kMost, 1.0, 1},
                                      {kMost, -kMost, 0}}) {
    const std::string drawing = svg({{.curves = {{.label = "a", .points = {{1, a}, {2, b}}}}}});
    CHECK(count(drawing, "<circle") == circles);
    CHECK(drawing.find("nan") == std::string::npos);
    CHECK(drawing.find("inf") == std::string::npos);
  }
}

TEST_CASE("equal plots give equal bytes, labels are escaped") {
  const Plot plot{.title = "a < b & \"c\"",
                  .x_label = "x",
                  .y_label = "y",
                  .curves = {{.label = "1", .points = {{0, 0}, {1, 1}}}}};
  CHECK(svg({plot, plot}) == svg({plot, plot}));
  CHECK(svg({plot}).find("a &lt; b &amp; &quot;c&quot;") != std::string::npos);
  CHECK(svg({plot}).starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture\" role=\"img\""));
  CHECK(svg({plot}).find("width=\"480\" height=\"340\" viewBox=\"0 0 480 340\"") != std::string::npos);
  CHECK(svg({plot, plot}).find("width=\"960\"") != std::string::npos);
  CHECK(escaped_xml("a\x01'b") == "a &#39;b");
}

TEST_CASE("coordinates of a known plot") {
  // x from 0 to 10 on the page from 62 to 464, y from 0 to 1 from 292 up to 52.
  const std::string drawing = svg({{.curves = {{.label = "a", .points = {{0, 0}, {5, 0.5}, {10, 1}}}}}});
  CHECK(drawing.find("<polyline points=\"62,292 263,172 464,52\"") != std::string::npos);
}

TEST_CASE("training plots: a curve at w + e only where there is one") {
  std::vector<EpochRecord> epochs = {{.epoch = 1, .train_loss = 2, .test_accuracy = 0.25}, {.epoch = 2}};
  CHECK(training_plots(epochs)[0].curves.size() == 2);
  CHECK(training_plots(epochs)[1].curves[1].points[0].second == 25);
  epochs[0].train_loss_perturbed = 3;
  CHECK(training_plots(epochs)[0].curves.size() == 3);
}
