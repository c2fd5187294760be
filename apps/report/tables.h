// Tables of a run for people: its epochs, and the weights that it reports.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/table.h"
#include "apps/report/figure.h"
#include "apps/runs/records.h"
#include "apps/runs/result.h"

namespace basin::apps {

/// The columns that not every run has.
struct EpochColumns {
  bool perturbed = false;   // the loss at w + e
  bool validation = false;  // accuracy on the validation images
};

/// The table that grows by one row an epoch.
Table epoch_table(const EpochColumns& which, bool unicode);
std::vector<std::string> epoch_cells(const EpochRecord& record, const EpochColumns& which);

/// A figure's table for a terminal: its first `left` columns on the left, numbers on the right.
Table table_of(const FigureTable& figure, std::size_t left = 1);

/// A row for each variant: name, models, test loss, test %, and validation % where there is one.
Table table_of(const std::vector<Variant>& variants);

}  // namespace basin::apps
