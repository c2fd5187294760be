#include "apps/report/tables.h"

#include <limits>

#include "apps/cli/format.h"

namespace basin::apps {

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
               {r.test_loss ? fixed(*r.test_loss, 4) : "",
                r.test_accuracy ? percent(*r.test_accuracy, 2) : "", significant(r.lr, 3),
                significant(r.gradient_norm, 3), fixed(r.images_per_second, 0), duration_text(r.seconds)});
  return cells;
}

Table table_of(const FigureTable& figure, std::size_t left) {
  std::vector<Table::Column> columns;
  for (const std::string& title : figure.columns)
    columns.push_back({.title = title, .left = columns.size() < left});
  Table table(columns);
  for (const auto& row : figure.rows) table.add(row);
  return table;
}

Table table_of(const std::vector<Variant>& variants) {
  const bool validated = !variants.empty() && variants[0].validation_accuracy.has_value();
  std::vector<Table::Column> columns = {
      {.title = "weights", .left = true}, {.title = "models"}, {.title = "test loss"}, {.title = "test %"}};
  if (validated) columns.push_back({.title = "val %"});
  Table table(columns);
  for (const Variant& v : variants) {
    std::vector<std::string> cells = {v.name, std::to_string(v.models), fixed(v.test_loss, 4),
                                      percent(v.test_accuracy, 2)};
    if (validated)
      cells.push_back(percent(v.validation_accuracy.value_or(std::numeric_limits<double>::quiet_NaN()), 2));
    table.add(cells);
  }
  return table;
}

}  // namespace basin::apps
