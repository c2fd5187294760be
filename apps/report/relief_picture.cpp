// Surfaces from the side: painted from the back to the front.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/report/axis.h"
#include "apps/report/pictures.h"

namespace basin::apps {
namespace {

constexpr double kWidth = 480, kHeight = 400;
constexpr double kPixels = 140;         // half a side of the floor
constexpr double kTall = 0.8;           // the highest height, in these
constexpr double kTilt = 0.5;           // the sine of the angle at which it is seen
constexpr std::size_t kMostCells = 60;  // along a side; of a finer grid every second point, ...
constexpr double kPi = 3.14159265358979323846;

struct Point {
  double x, y, z;  // the floor is [-1, 1] x [-1, 1]
};

class Relief {
 public:
  Relief(const Surface& surface, const HeightScale& scale, double turn)
      : s_(surface), scale_(scale), cos_(std::cos(turn * kPi / 180)), sin_(std::sin(turn * kPi / 180)) {
    i_ = taken(s_.x.size());
    j_ = taken(s_.y.size());
  }

  std::string text() const {
    Svg page(kWidth, kHeight, s_.title + ", from the side");
    page.title(kWidth / 2, 18, s_.title, kWidth - 24);
    draw_floor(page);
    draw_cells(page);
    draw_labels(page);
    return page.text();
  }

 private:
  /// Every first, second, ... of the places along a side, the last among them.
  static std::vector<std::size_t> taken(std::size_t count) {
    const std::size_t stride = (count - 1 + kMostCells - 1) / kMostCells;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < count - 1; i += stride) places.push_back(i);
    places.push_back(count - 1);
    return places;
  }

  Point at(std::size_t i, std::size_t j) const {
    const auto along = [](const std::vector<double>& v, std::size_t k) {
      return 2 * (v[k] - v.front()) / (v.back() - v.front()) - 1;
    };
    return {along(s_.x, i), along(s_.y, j), scale_.part(s_.z[j * s_.x.size() + i])};
  }
  double right(const Point& p) const { return p.x * cos_ - p.y * sin_; }
  double back(const Point& p) const { return p.x * sin_ + p.y * cos_; }
  std::pair<double, double> seen(const Point& p) const {
    return {kWidth / 2 + 12 + kPixels * right(p),
            kHeight * 0.68 - kPixels * (back(p) * kTilt + p.z * kTall * std::sqrt(1 - kTilt * kTilt))};
  }

  void draw_floor(Svg& page) const {
    const Point corner[] = {{-1, -1, 0}, {1, -1, 0}, {1, 1, 0}, {-1, 1, 0}};
    for (int k = 0; k < 4; ++k) {
      const auto [x1, y1] = seen(corner[k]);
      const auto [x2, y2] = seen(corner[(k + 1) % 4]);
      page.line(x1, y1, x2, y2, "grid");
    }
  }

  void draw_cells(Svg& page) const {
    struct Cell {
      Point corner[4];
      double depth;
    };
    std::vector<Cell> cells;
    for (std::size_t b = 0; b + 1 < j_.size(); ++b) {
      for (std::size_t a = 0; a + 1 < i_.size(); ++a) {
        Cell cell{{at(i_[a], j_[b]), at(i_[a + 1], j_[b]), at(i_[a + 1], j_[b + 1]), at(i_[a], j_[b + 1])},
                  0};
        double sum = 0;
        for (const Point& p : cell.corner) sum += p.z, cell.depth += back(p);
        if (std::isfinite(sum)) cells.push_back(cell);
      }
    }
    std::stable_sort(cells.begin(), cells.end(),
                     [](const Cell& a, const Cell& b) { return a.depth > b.depth; });
    for (const Cell& cell : cells) {
      double mean = 0;
      std::vector<std::pair<double, double>> outline;
      for (const Point& p : cell.corner) {
        mean += p.z / 4;
        outline.push_back(seen(p));
      }
      const std::string colour = hex(viridis(mean), light_on(cell.corner));
      page.add("<polygon points=\"" + coordinates(outline, 1) + "\" fill=\"" + colour + "\" stroke=\"" +
               colour + "\" stroke-width=\"0.8\"/>");
    }
  }

  /// Lambert's law for a lamp at the upper left, on the cell's diagonals, with some light from everywhere.
  static double light_on(const Point (&c)[4]) {
    const Point a{c[2].x - c[0].x, c[2].y - c[0].y, (c[2].z - c[0].z) * kTall},
        b{c[3].x - c[1].x, c[3].y - c[1].y, (c[3].z - c[1].z) * kTall};
    const double nx = a.y * b.z - a.z * b.y, ny = a.z * b.x - a.x * b.z, nz = a.x * b.y - a.y * b.x;
    const double length = std::sqrt(nx * nx + ny * ny + nz * nz);
    const double lit = length > 0 ? (-0.45 * nx - 0.25 * ny + 0.857 * nz) / length : 1;
    return 0.62 + 0.45 * std::max(0.0, lit);
  }

  void draw_labels(Svg& page) const {
    // Each beside the one of its two edges that is nearer.
    const auto label = [&](const Point& p, const std::string& words) {
      const auto [x, y] = seen(p);
      page.words(x, y + 10, right(p) > 0 ? "start" : "end", shortened(words, 24));
    };
    label({0, cos_ > 0 ? -1.12 : 1.12, 0}, s_.x_label);
    label({sin_ > 0 ? -1.12 : 1.12, 0, 0}, s_.y_label);
    // The axis of heights stands at the corner that is farthest to the left.
    Point corner{-1, -1, 0};
    for (const Point& p : {Point{-1, 1, 0}, Point{1, -1, 0}, Point{1, 1, 0}})
      if (right(p) < right(corner)) corner = p;
    const auto [x, foot] = seen(corner);
    const double top = seen({corner.x, corner.y, 1}).second;
    page.line(x, foot, x, top, "axis");
    for (const double mark : scale_.marks()) {
      const double y = foot + scale_.part(mark) * (top - foot);
      page.line(x - 4, y, x, y, "axis");
      page.words(x - 6, y + 4, "end", tick_text(mark, scale_.marks(), scale_.log));
    }
    page.words(x, top - 8, "middle", shortened(s_.z_label, 24));
  }

  const Surface& s_;
  const HeightScale& scale_;
  double cos_, sin_;
  std::vector<std::size_t> i_, j_;
};

}  // namespace

std::string relief_svg(const Surface& surface, const HeightScale& scale, double turn) {
  if (surface.x.size() < 2 || surface.y.size() < 2) return Svg(kWidth, 60, surface.title).text();
  return Relief(surface, scale, turn).text();
}

}  // namespace basin::apps
