#include "apps/report/vtp.h"

#include <algorithm>
#include <cmath>

#include "apps/options/bindings.h"
#include "apps/report/contours.h"
#include "apps/report/svg.h"
#include "core/error.h"

namespace basin::apps {
namespace {

double height_of(const Surface& s, double z) {
  if (!std::isfinite(z)) return 0;
  return s.log_z ? std::log(std::max(0.0, std::min(z, 10.0)) + 0.1) : z;
}

std::string array(const std::string& type, const std::string& name, int components,
                  const std::string& numbers) {
  return text("<DataArray type=\"", type, "\" Name=\"", escaped_xml(name), "\" NumberOfComponents=\"",
              components, "\" format=\"ascii\">\n", numbers, "</DataArray>\n");
}

}  // namespace

std::string vtp_of(const Surface& s) {
  const HeightGrid grid{s.x, s.y, s.z};
  std::string points, heights, corners, ends;
  for (std::size_t j = 0; j < s.y.size(); ++j) {
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      const double z = grid.at(i, j);
      points += print_real(s.x[i]) + " " + print_real(s.y[j]) + " " + print_real(height_of(s, z)) + "\n";
      heights += (std::isfinite(z) ? print_real(z) : "nan") + "\n";
    }
  }
  std::size_t cells = 0;
  const std::size_t columns = s.x.size();
  for (std::size_t j = 0; j + 1 < s.y.size(); ++j) {
    for (std::size_t i = 0; i + 1 < columns; ++i) {
      if (!grid.has_cell(i, j)) continue;
      const std::size_t first = j * columns + i;
      corners += text(first, " ", first + 1, " ", first + columns + 1, " ", first + columns, "\n");
      ends += text(4 * ++cells, "\n");
    }
  }
  const std::string name = s.z_label.empty() ? "height" : s.z_label;
  return text(
      "<?xml version=\"1.0\"?>\n<VTKFile type=\"PolyData\" version=\"0.1\" byte_order=\"LittleEndian\">\n"
      "<PolyData>\n<Piece NumberOfPoints=\"",
      s.z.size(), "\" NumberOfVerts=\"0\" NumberOfLines=\"0\" NumberOfStrips=\"0\" NumberOfPolys=\"", cells,
      "\">\n<PointData Scalars=\"", escaped_xml(name), "\">\n", array("Float64", name, 1, heights),
      "</PointData>\n<Points>\n", array("Float64", "Points", 3, points), "</Points>\n<Polys>\n",
      array("Int64", "connectivity", 1, corners), array("Int64", "offsets", 1, ends),
      "</Polys>\n</Piece>\n</PolyData>\n</VTKFile>\n");
}

}  // namespace basin::apps
