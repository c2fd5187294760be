// The files of figures: pictures for people, numbers for other programs.
#pragma once

#include <string>
#include <vector>

#include "apps/report/figure.h"

namespace basin::apps {

/// A picture of a figure: what its file's name has behind the figure's, and its bytes.
struct Picture {
  std::string suffix{};  // "", "-relief"
  std::string svg{};
};

/// The pictures of a figure: one of a plot or a matrix, none of a table, of a surface one from above and one
/// from the side, on the scale that its group has among these figures.
std::vector<Picture> pictures_of(const Figure& figure, const std::vector<const Figure*>& among);

/// Writes the files of each figure into the directory: NAME.csv, its pictures as NAME.svg (and
/// NAME-relief.svg of a surface), of a table NAME.md, and of a surface NAME.npy, f64 {rows of y, columns of
/// x}, and NAME.vtp for ParaView. Equal figures give equal bytes. Errors: OutputError.
void write_figure_files(const std::string& directory, const std::vector<Figure>& figures);

/// The numbers as CSV. A plot has columns curve, x, y, and low and high where a curve has bounds; a surface
/// x, y, z, a row a point, x running first; a matrix a row a name.
std::string csv_of(const Figure& figure);

/// A table in Markdown.
std::string markdown_table(const FigureTable& table);

}  // namespace basin::apps
