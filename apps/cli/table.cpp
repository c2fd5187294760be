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
  std::string out = titles() + "\n" + rule(unicode) + "\n";
  for (const std::vector<std::string>& cells : rows_) out += row(cells) + "\n";
  return out;
}

Table epoch_table(const EpochColumns& which, bool unicode) {
  std::vector<Table::Column> columns = {{"epoch", false, 5}, {"train_loss", false, 10}};
  if (which.perturbed) columns.push_back({unicode ? "loss(w+ε)" : "loss(w+e)", false, 9});
  columns.push_back({"train_acc", false, 9});
  if (which.validation) columns.push_back({"val_acc", false, 7});
  for (const auto& [title, width] :
       {std::pair{"test_loss", 9}, {"test_acc", 8}, {"lr", 8}, {"|g|", 6}, {"img/s", 6}, {"time", 7}}) {
    columns.push_back({title, false, width});
  }
  return Table(columns);
}

std::vector<std::string> epoch_cells(const EpochRecord& r, const EpochColumns& which) {
  std::vector<std::string> cells = {std::to_string(r.epoch), fixed(r.train_loss, 4)};
  if (which.perturbed) cells.push_back(r.train_loss_perturbed ? fixed(*r.train_loss_perturbed, 4) : "");
  cells.push_back(percent(r.train_accuracy, 2));
  if (which.validation) cells.push_back(r.validation_accuracy ? percent(*r.validation_accuracy, 2) : "");
  cells.insert(cells.end(),
               {fixed(r.test_loss, 4), percent(r.test_accuracy, 2), significant(r.lr, 3),
                significant(r.gradient_norm, 3), fixed(r.images_per_second, 0), duration_text(r.seconds)});
  return cells;
}

}  // namespace basin::apps
