// Aligned columns for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace basin::apps {

class Table {
 public:
  struct Column {
    std::string title;
    bool left = false;  // aligned left; numbers are right
    int width = 0;      // at least; for rows that are printed as they come
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Adds a row. Errors: ArgumentError unless it has a cell for each column.
  void add(std::vector<std::string> cells);
  /// Titles, a rule, the rows; columns as wide as their widest cell, two spaces apart, a newline after each
  /// line.
  std::string text(bool unicode) const;

  /// For rows printed one by one in the columns' given widths; no newline at the end.
  std::string titles() const;
  std::string rule(bool unicode) const;
  std::string row(const std::vector<std::string>& cells) const;

 private:
  std::vector<int> widths() const;
  std::string line(const std::vector<std::string>& cells, const std::vector<int>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace basin::apps
