#include "apps/evaluation/mistakes.h"

#include "apps/cli/format.h"

namespace basin::apps {

Table table_of(const Calibration& calibration) {
  Table table({{.title = "confidence", .left = true},
               {.title = "images"},
               {.title = "mean confidence %"},
               {.title = "accuracy %"}});
  for (const ConfidenceBin& bin : calibration.bins) {
    if (bin.rows == 0) continue;
    table.add({fixed(bin.low, 3) + " to " + fixed(bin.high, 3), grouped(bin.rows),
               percent(bin.confidence(), 2), percent(bin.accuracy(), 2)});
  }
  return table;
}

Json to_json(const Calibration& calibration) {
  Json bins = Json::Array{};
  for (const ConfidenceBin& bin : calibration.bins) {
    Json entry;
    entry.set("low", bin.low).set("high", bin.high).set("images", bin.rows);
    entry.set("confidence", recorded(bin.confidence())).set("accuracy", recorded(bin.accuracy()));
    bins.append(std::move(entry));
  }
  Json whole;
  whole.set("expected_error", recorded(calibration.expected_error)).set("brier", recorded(calibration.brier));
  return whole.set("bins", std::move(bins));
}

Table confusion_table(const std::vector<std::int64_t>& counts, const std::vector<std::string>& names) {
  std::vector<Table::Column> columns = {{.title = "label", .left = true}};
  for (const std::string& name : names) columns.push_back({.title = name});
  Table table(columns);
  for (std::size_t label = 0; label < names.size(); ++label) {
    std::vector<std::string> row = {names[label]};
    for (std::size_t k = 0; k < names.size(); ++k) row.push_back(grouped(counts[label * names.size() + k]));
    table.add(std::move(row));
  }
  return table;
}

Table mistakes_table(const std::vector<std::int64_t>& counts, const std::vector<std::string>& names,
                     std::size_t most) {
  const std::size_t classes = names.size();
  Table table({{.title = "label", .left = true}, {.title = "predicted", .left = true}, {.title = "images"}});
  for (const std::size_t i : frequent_mistakes(counts, classes, most))
    table.add({names[i / classes], names[i % classes], grouped(counts[i])});
  return table;
}

Json confusion_json(const std::vector<std::int64_t>& counts, const std::vector<std::string>& names) {
  Json classes = Json::Array{}, rows = Json::Array{};
  for (std::size_t label = 0; label < names.size(); ++label) {
    classes.append(names[label]);
    Json row = Json::Array{};
    for (std::size_t k = 0; k < names.size(); ++k) row.append(counts[label * names.size() + k]);
    rows.append(std::move(row));
  }
  Json whole;
  return whole.set("classes", std::move(classes)).set("counts", std::move(rows));
}

}  // namespace basin::apps
