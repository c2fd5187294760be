// Cells are padded by columns of the terminal, not bytes.
#include "apps/cli/table.h"

#include <algorithm>

#include "apps/cli/format.h"
#include "core/error.h"

namespace basin::apps {

void Table::add(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) {
    throw ArgumentError("[table] a row of ", cells.size(), " cells for ", columns_.size(), " columns");
  }
  rows_.push_back(std::move(cells));
}

std::vector<int> Table::widths() const {
  std::vector<int> all;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    int width = std::max(columns_[i].width, columns(columns_[i].title));
    for (const std::vector<std::string>& row : rows_) width = std::max(width, columns(row[i]));
    all.push_back(width);
  }
  return all;
}

std::string Table::line(const std::vector<std::string>& cells, const std::vector<int>& widths) const {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += "  ";
    out += columns_[i].left ? padded_right(cells[i], widths[i]) : padded_left(cells[i], widths[i]);
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::string Table::titles() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.title);
  return line(names, widths());
}

std::string Table::rule(bool unicode) const {
  std::vector<std::string> rules;
  for (const int width : widths()) {
    std::string& rule = rules.emplace_back();
    for (int i = 0; i < width; ++i) rule += unicode ? "─" : "-";
  }
  return line(rules, widths());
}

std::string Table::row(const std::vector<std::string>& cells) const { return line(cells, widths()); }

std::string Table::text(bool unicode) const {
  const std::vector<int> all = widths();  // once: a table may have a hundred thousand rows
  std::string out = titles() + "\n" + rule(unicode) + "\n";
  for (const std::vector<std::string>& cells : rows_) out += line(cells, all) + "\n";
  return out;
}

}  // namespace basin::apps
