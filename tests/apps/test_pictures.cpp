// Contours, colours, axes of powers of ten, and the files of figures read back.
#include "apps/report/pictures.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "apps/report/axis.h"
#include "apps/report/contours.h"
#include "apps/report/figure_files.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// 5 x 4 heights z = x^2 + y^2 over [-2, 2] x [-1.5, 1.5].
Surface bowl() {
  Surface s{.title = "bowl", .x_label = "a", .y_label = "b", .z_label = "loss", .x = {-2, -1, 0, 1, 2}};
  s.y = {-1.5, -0.5, 0.5, 1.5};
  for (const double y : s.y)
    for (const double x : s.x) s.z.push_back(x * x + y * y);
  return s;
}

HeightGrid grid_of(const Surface& s) { return {s.x, s.y, s.z}; }

double area(const std::vector<std::vector<PlanePoint>>& polygons) {
  double sum = 0;
  for (const auto& p : polygons)
    for (std::size_t i = 0; i < p.size(); ++i) {
      const auto &a = p[i], &b = p[(i + 1) % p.size()];
      sum += (a.first * b.second - b.first * a.second) / 2;
    }
  return sum;
}

}  // namespace

TEST_CASE("ticks of an axis of powers of ten") {
  CHECK(log_ticks(1, 1000, 7) == std::vector<double>{1, 10, 100, 1000});
  CHECK(log_ticks(1, 10, 7) == std::vector<double>{1, 2, 5, 10});
  CHECK(log_ticks(1e-12, 1, 6) == std::vector<double>{1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1});
  CHECK(log_ticks(2.1, 2.6, 6).size() >= 3);
  CHECK(tick_text(1e-5, {}, true) == "10⁻⁵");
  CHECK(tick_text(2e6, {}, true) == "2·10⁶");
  CHECK(tick_text(0.01, {}, true) == "0.01");
  const Axis axis = axis_over({0.3, 40, -1, 0, kNan}, true, false, 7, 0, 100);
  CHECK(axis.low == doctest::Approx(0.2));
  CHECK(axis.high == 50);
  CHECK(axis.at(std::sqrt(0.2 * 50)) == doctest::Approx(50));
}

TEST_CASE("points at or below 0 leave gaps on an axis of powers of ten") {
  const Plot plot{.log_y = true,
                  .curves = {{.label = "a", .points = {{1, 1}, {2, 10}, {3, 0}, {4, 10}, {5, 100}}}}};
  CHECK(count(svg({plot}), "<polyline") == 2);
  CHECK(count(svg({plot}), "<circle") == 4);
}

TEST_CASE("bounds are bars at few points and a band at many, and a legend takes rows") {
  Plot plot{.curves = {{.label = "a", .points = {{0, 1}, {1, 2}}, .bounds = {{0, 2}, {1, 3}}}}};
  CHECK(count(svg({plot}), "h6M") == 3);
  plot.curves[0].points.clear();
  plot.curves[0].bounds.clear();
  for (int i = 0; i < 40; ++i) {
    plot.curves[0].points.emplace_back(i, i);
    plot.curves[0].bounds.emplace_back(i - 1, i + 1);
  }
  CHECK(count(svg({plot}), "<polygon class=\"fs0\"") == 1);
  CHECK(svg({plot}).find("height=\"340\"") != std::string::npos);
  for (int i = 0; i < 7; ++i) plot.curves.push_back({.label = "another run of that recipe"});
  CHECK(legend_rows(plot.curves, 402) == 4);  // of 8 labels, two in a row
  CHECK(svg({plot}).find("height=\"388\"") != std::string::npos);
}

TEST_CASE("contours of a bowl: closed around the bottom, open where they meet the edge") {
  const HeightGrid grid = grid_of(bowl());
  const auto inner = contour_lines(grid, 0.75);
  REQUIRE(inner.size() == 1);
  CHECK(inner[0].front() == inner[0].back());
  // Between (0, -0.5) of height 0.25 and (1, -0.5) of 1.25 it is half way.
  CHECK(std::count(inner[0].begin(), inner[0].end(), PlanePoint{0.5, -0.5}) >= 1);
  const auto outer = contour_lines(grid, 4);
  CHECK(outer.size() == 2);
  for (const auto& line : outer) CHECK(line.front() != line.back());
  CHECK(contour_lines(grid, 100).empty());
}

TEST_CASE("what is above a level and what is below make the whole, holes apart") {
  HeightGrid grid = grid_of(bowl());
  constexpr double kAll = -std::numeric_limits<double>::infinity();
  CHECK(area(region_above(grid, kAll)) == doctest::Approx(12));
  HeightGrid turned = grid;
  for (double& z : turned.z) z = -z;
  for (const double level : {0.3, 1.0, 1.7, 3.1, 5.9})
    CHECK(area(region_above(grid, level)) + area(region_above(turned, -level)) ==
          doctest::Approx(12).epsilon(1e-12));
  grid.z[0] = kNan;  // one corner of one cell
  CHECK(area(region_above(grid, kAll)) == doctest::Approx(11));
}

TEST_CASE("a saddle's cell is joined or parted by its mean") {
  const HeightGrid joined{{0, 1}, {0, 1}, {1, 0, 0, 1.2}}, parted{{0, 1}, {0, 1}, {1, 0, 0, 0.8}};
  CHECK(region_above(joined, 0.5).size() == 1);
  CHECK(region_above(parted, 0.5).size() == 2);
  CHECK(contour_lines(joined, 0.5).size() == 2);
  // Joined: the lines go around the two low corners; parted: around the two high ones.
  const auto around = contour_lines(parted, 0.5);
  for (const auto& line : around) {
    REQUIRE(line.size() == 2);
    const double x = (line[0].first + line[1].first) / 2, y = (line[0].second + line[1].second) / 2;
    CHECK((x < 0.5) == (y < 0.5));
  }
}

TEST_CASE("surfaces of a group have one scale") {
  Surface low = bowl(), high = bowl();
  low.group = high.group = "runs";
  for (double& z : high.z) z *= 10;
  const Figure a{"a", low}, b{"b", high};
  CHECK(scale_in({&a, &b}, low).high == doctest::Approx(62.5));
  CHECK(scale_in({&a}, low).high == doctest::Approx(6.25));
  low.log_z = high.log_z = true;
  CHECK(scale_of({&low, &high}).log);
  CHECK(scale_of({&low, &high}).part(std::sqrt(0.25 * 62.5)) == doctest::Approx(0.5));
  CHECK(std::isnan(scale_of({&low}).part(0)));
}

TEST_CASE("shapes of a small relief and a small contour by hand") {
  Surface s{.title = "t", .x_label = "x", .y_label = "y", .z_label = "z", .x = {0, 1}, .y = {0, 1}};
  s.z = {0, 0, 1, 1};
  const std::string above = contour_svg(s, scale_of({&s}));
  // The band from half the height on: the upper half of the square from (62, 356) to (382, 36).
  CHECK(above.find("<path d=\"M382 196L382 36L62 36L62 196z\" fill=\"#22958b\"/>") != std::string::npos);
  CHECK(count(above, "stroke-opacity=\"0.65\"") >= 4);
  CHECK(above == contour_svg(s, scale_of({&s})));
  const std::string side = relief_svg(s, scale_of({&s}), 0);
  // Seen from the front: the near edge at height 0, the far edge at height 1.
  CHECK(side.find("<polygon points=\"112,342 392,342 392,105 112,105\"") != std::string::npos);
  for (const std::string& picture : {above, side}) {
    CHECK(picture.find("nan") == std::string::npos);
    CHECK(count(picture, "<svg") == 1);
    CHECK(picture.ends_with("</svg>\n"));
  }
}

TEST_CASE("golden bytes of a small plot") {
  const Plot plot{.title = "t",
                  .x_label = "x",
                  .y_label = "y",
                  .log_y = true,
                  .curves = {{.label = "a & b", .points = {{0, 1}, {1, 100}}, .dashed = true}}};
  CHECK(svg({plot}) == read_file(BASIN_SOURCE_DIR "/tests/apps/small_plot.svg"));
}

TEST_CASE("surfaces that are flat, all holes, or a line are drawn without numbers that are none") {
  Surface s = bowl();
  for (double& z : s.z) z = 3;
  for (const double fill : {3.0, kNan}) {
    for (double& z : s.z) z = fill;
    for (const std::string& picture : {contour_svg(s, scale_of({&s})), relief_svg(s, scale_of({&s}))}) {
      CHECK(picture.find("nan") == std::string::npos);
      CHECK(picture.find("inf") == std::string::npos);
    }
  }
  const Surface line{.x = {1}, .y = {0, 1}, .z = {1, 2}};
  CHECK(count(contour_svg(line, scale_of({&line})), "</svg>") == 1);
  CHECK(count(relief_svg(line, scale_of({&line})), "</svg>") == 1);
}

TEST_CASE("the files of a surface: npy by its numbers, vtp with its cells, both pictures") {
  const TemporaryDirectory there;
  Surface s = bowl();
  s.z[0] = kNan;
  s.log_z = true;
  write_figure_files(there.path(), {{"bowl", s}});
  CHECK(list_directory(there.path()) ==
        std::vector<std::string>{"bowl-relief.svg", "bowl.csv", "bowl.npy", "bowl.svg", "bowl.vtp"});
  const std::string npy = read_file(there / "bowl.npy");
  CHECK(npy.find("{'descr': '<f8', 'fortran_order': False, 'shape': (4, 5), }") == 10);
  REQUIRE(npy.size() == 128 + 8 * 20);
  std::vector<double> back(20);
  std::memcpy(back.data(), npy.data() + 128, 160);
  CHECK(std::isnan(back[0]));
  for (std::size_t i = 1; i < 20; ++i) CHECK(back[i] == s.z[i]);
  const std::string vtp = read_file(there / "bowl.vtp");
  CHECK(vtp.find("NumberOfPoints=\"20\"") != std::string::npos);
  CHECK(vtp.find("NumberOfPolys=\"11\"") != std::string::npos);
  // (-1, -1.5) is of height 3.25: at log(3.35), the height itself among the data.
  CHECK(vtp.find("-1.0 -1.5 1.20896034583") != std::string::npos);
  CHECK(vtp.find("\n3.25\n") != std::string::npos);
  for (const char* tag : {"VTKFile", "PolyData", "Piece", "Points", "Polys", "DataArray", "PointData"})
    CHECK(count(vtp, std::string("<") + tag + " ") + count(vtp, std::string("<") + tag + ">") ==
          count(vtp, std::string("</") + tag + ">"));
}

TEST_CASE("a matrix is drawn, stored, and read back with its counts") {
  const TemporaryDirectory there;
  const CountMatrix m{.title = "confusion",
                      .row_label = "label",
                      .column_label = "predicted",
                      .names = {"cat", "<dog>"},
                      .counts = {7, 1, 0, 8}};
  write_figure_files(there.path(), {{"confusion", m}});
  CHECK(read_file(there / "confusion.csv") == "label \\ predicted,cat,<dog>\ncat,7,1\n<dog>,0,8\n");
  const std::string picture = read_file(there / "confusion.svg");
  CHECK(picture.find("cat as &lt;dog&gt;: 1") != std::string::npos);
  const Figure figure{"confusion", m};
  CHECK(to_json(figure_of(to_json(figure))) == to_json(figure));
}

TEST_CASE("curves keep bounds, colour and faintness, and those without are as they were") {
  const Figure bare{"a", Plot{.curves = {{.label = "a", .points = {{1, 2}}}}}};
  CHECK(to_json(bare).at("curves").array().at(0).find("low") == nullptr);
  const Figure full{
      "a",
      Plot{.curves = {
               {.label = "a", .points = {{1, 2}}, .bounds = {{1.5, kNan}}, .colour = 3, .faint = true}}}};
  CHECK(to_json(figure_of(to_json(full))) == to_json(full));
  CHECK(csv_of(full) == "curve,,,low,high\na,1.0,2.0,1.5,nan\n");
}
