// Html: a page of sections, tables and figures in one file that needs nothing from outside.
#pragma once

#include <string>
#include <vector>

#include "apps/report/figure.h"

namespace basin::apps {

/// A table with its title as the caption. `words`: all columns are aligned left, not the first alone.
std::string html_table(const FigureTable& table, bool words = false);

std::string html_paragraph(const std::string& text, const std::string& kind = "");
std::string html_preformatted(const std::string& content);
std::string html_details(const std::string& summary, const std::string& body);

/// A figure that is to be shown, and what stands below it.
struct ShownFigure {
  const Figure* figure = nullptr;
  std::string caption{};
};

class Html {
 public:
  explicit Html(const std::string& title) : title_(title) {}

  /// A section with an entry in the table of contents, of all that is added until the next one.
  void section(const std::string& title);
  void add(const std::string& html) { body_ += html; }
  /// Before the first section.
  void lead(const std::string& html) { lead_ += html; }
  /// Figures side by side, surfaces of one group on one scale; each offers its numbers as a CSV file.
  void figures(const std::vector<ShownFigure>& shown);

  /// The same, to be unfolded.
  void fold(const std::string& summary, const std::vector<ShownFigure>& shown);

  /// The whole page.
  std::string text() const;
  /// How many figures are in it.
  int count() const { return figures_; }

 private:
  std::string drawn(const ShownFigure& shown, const std::vector<const Figure*>& all);

  std::string title_, lead_, contents_, body_;
  int sections_ = 0, figures_ = 0;
};

}  // namespace basin::apps
