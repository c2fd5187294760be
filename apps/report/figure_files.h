// The files of figures: pictures for people, numbers for other programs.
#pragma once

#include <string>
#include <vector>

#include "apps/report/figure.h"

namespace basin::apps {

/// Writes the files of each figure into the directory: NAME.svg (of a plot, a surface) and NAME.csv. Equal
/// figures give equal bytes. Errors: OutputError.
void write_figure_files(const std::string& directory, const std::vector<Figure>& figures);

/// The numbers as CSV. A plot has columns curve, x, y; a surface x, y, z, a row a point, x running first.
std::string csv_of(const Figure& figure);

}  // namespace basin::apps
