#include "apps/report/epoch_table.h"

#include <utility>

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
               {fixed(r.test_loss, 4), percent(r.test_accuracy, 2), significant(r.lr, 3),
                significant(r.gradient_norm, 3), fixed(r.images_per_second, 0), duration_text(r.seconds)});
  return cells;
}

}  // namespace basin::apps
