// A cell's corners are walked around once; where two neighbours are on two sides of the level, the edge
// between them is crossed.
#include "apps/report/contours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace basin::apps {
namespace {

struct Corner {
  double x, y, z;
};

/// (i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1).
std::array<Corner, 4> corners(const HeightGrid& g, std::size_t i, std::size_t j) {
  return {{{g.x[i], g.y[j], g.at(i, j)},
           {g.x[i + 1], g.y[j], g.at(i + 1, j)},
           {g.x[i + 1], g.y[j + 1], g.at(i + 1, j + 1)},
           {g.x[i], g.y[j + 1], g.at(i, j + 1)}}};
}

/// The number of the edge from a cell's corner `side` to the next: the same for the cells on its two sides.
std::size_t edge(const HeightGrid& g, std::size_t i, std::size_t j, std::size_t side) {
  const std::size_t columns = g.x.size();
  const std::size_t across[] = {2 * (j * columns + i), 2 * (j * columns + i + 1) + 1,
                                2 * ((j + 1) * columns + i), 2 * (j * columns + i) + 1};
  return across[side];
}

/// Where the level is between two corners on its two sides; from the lower corner of the pair in the grid, so
/// that both cells of an edge find the same bits.
PlanePoint crossing(Corner a, Corner b, double level) {
  if (b.x < a.x || b.y < a.y) std::swap(a, b);
  const double part = (level - a.z) / (b.z - a.z);
  return {a.x + part * (b.x - a.x), a.y + part * (b.y - a.y)};
}

/// Whether two corners across are above and the two others below.
bool is_saddle(const std::array<Corner, 4>& c, double level) {
  const bool first = c[0].z >= level;
  return first == (c[2].z >= level) && first != (c[1].z >= level) && first != (c[3].z >= level);
}

/// Of a saddle: whether what lies between the two corners above is below.
bool is_parted(const std::array<Corner, 4>& c, double level) {
  return (c[0].z + c[1].z + c[2].z + c[3].z) / 4 < level;
}

/// Segments from edge to edge, and where edges are crossed.
struct Segments {
  std::map<std::size_t, PlanePoint> places{};
  std::vector<std::pair<std::size_t, std::size_t>> pairs{};
};

Segments segments_of(const HeightGrid& g, double level) {
  Segments all;
  for (std::size_t j = 0; j + 1 < g.y.size(); ++j) {
    for (std::size_t i = 0; i + 1 < g.x.size(); ++i) {
      if (!g.has_cell(i, j)) continue;
      const std::array<Corner, 4> c = corners(g, i, j);
      std::vector<std::size_t> crossed;
      for (std::size_t k = 0; k < 4; ++k) {
        const Corner &a = c[k], &b = c[(k + 1) % 4];
        if ((a.z >= level) == (b.z >= level)) continue;
        crossed.push_back(edge(g, i, j, k));
        all.places.emplace(crossed.back(), crossing(a, b, level));
      }
      if (crossed.size() == 2) all.pairs.emplace_back(crossed[0], crossed[1]);
      if (crossed.size() != 4) continue;
      // Around which corners the two lines go: 1 and 3, or 0 and 2.
      const bool odd = (c[0].z >= level) != is_parted(c, level);
      all.pairs.emplace_back(crossed[odd ? 0 : 3], crossed[odd ? 1 : 0]);
      all.pairs.emplace_back(crossed[odd ? 2 : 1], crossed[odd ? 3 : 2]);
    }
  }
  return all;
}

}  // namespace

bool HeightGrid::has_cell(std::size_t i, std::size_t j) const {
  return std::isfinite(at(i, j)) && std::isfinite(at(i + 1, j)) && std::isfinite(at(i, j + 1)) &&
         std::isfinite(at(i + 1, j + 1));
}

std::vector<std::vector<PlanePoint>> contour_lines(const HeightGrid& grid, double level) {
  const Segments segments = segments_of(grid, level);
  std::map<std::size_t, std::vector<std::size_t>> at;  // the segments at an edge: one or two
  for (std::size_t s = 0; s < segments.pairs.size(); ++s) {
    at[segments.pairs[s].first].push_back(s);
    at[segments.pairs[s].second].push_back(s);
  }
  std::vector<bool> used(segments.pairs.size(), false);
  std::vector<std::vector<PlanePoint>> lines;
  const auto follow = [&](std::size_t from) {
    std::vector<PlanePoint> line = {segments.places.at(from)};
    for (bool goes_on = true; goes_on;) {
      goes_on = false;
      for (const std::size_t s : at[from]) {
        if (used[s]) continue;
        used[s] = goes_on = true;
        const auto& [one, other] = segments.pairs[s];
        from = one == from ? other : one;
        line.push_back(segments.places.at(from));
        break;
      }
    }
    if (line.size() > 1) lines.push_back(std::move(line));
  };
  // Those that end somewhere from their ends on; what is left is closed.
  for (const auto& [place, meeting] : at)
    if (meeting.size() == 1) follow(place);
  for (const auto& [place, meeting] : at) follow(place);
  return lines;
}

std::vector<std::vector<PlanePoint>> region_above(const HeightGrid& g, double level) {
  std::vector<std::vector<PlanePoint>> all;
  for (std::size_t j = 0; j + 1 < g.y.size(); ++j) {
    std::size_t begin = 0;  // of a run of cells that are wholly above
    bool running = false;
    const auto end_run = [&](std::size_t end) {
      if (running)
        all.push_back(
            {{g.x[begin], g.y[j]}, {g.x[end], g.y[j]}, {g.x[end], g.y[j + 1]}, {g.x[begin], g.y[j + 1]}});
      running = false;
    };
    for (std::size_t i = 0; i + 1 < g.x.size(); ++i) {
      if (!g.has_cell(i, j)) {
        end_run(i);
        continue;
      }
      const std::array<Corner, 4> c = corners(g, i, j);
      const auto above = std::count_if(c.begin(), c.end(), [&](const Corner& k) { return k.z >= level; });
      if (above == 4) {
        if (!running) begin = i, running = true;
        continue;
      }
      end_run(i);
      if (above == 0) continue;
      const bool parted = is_saddle(c, level) && is_parted(c, level);
      std::vector<PlanePoint> polygon;
      for (std::size_t k = 0; k < 4; ++k) {
        const Corner &a = c[k], &b = c[(k + 1) % 4], &before = c[(k + 3) % 4];
        if (a.z >= level && parted) {
          all.push_back({crossing(before, a, level), {a.x, a.y}, crossing(a, b, level)});
          continue;
        }
        if (a.z >= level) polygon.emplace_back(a.x, a.y);
        if (!parted && (a.z >= level) != (b.z >= level)) polygon.push_back(crossing(a, b, level));
      }
      if (polygon.size() >= 3) all.push_back(polygon);
    }
    end_run(g.x.size() - 1);
  }
  return all;
}

}  // namespace basin::apps
