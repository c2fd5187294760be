#include "apps/evaluation/picture_answers.h"

#include <algorithm>
#include <numeric>

#include "apps/cli/format.h"
#include "apps/options/bindings.h"
#include "core/io/csv.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

/// "" for an unknown one.
std::string label_of(const PictureAnswers& answers, std::int64_t index) {
  const std::int64_t label = answers.labels[at(index)];
  return label < 0 ? "" : answers.classes[at(label)];
}

}  // namespace

std::int64_t PictureAnswers::unreadable() const {
  return std::count_if(errors.begin(), errors.end(), [](const std::string& why) { return !why.empty(); });
}

bool PictureAnswers::any_label() const {
  return std::any_of(labels.begin(), labels.end(), [](std::int64_t label) { return label >= 0; });
}

std::vector<std::pair<std::int64_t, double>> most_probable(const PictureAnswers& answers,
                                                           std::int64_t index) {
  const std::int64_t classes = std::ssize(answers.classes);
  const double* p = answers.probabilities.data<double>() + index * classes;
  std::vector<std::int64_t> order(at(classes));
  std::iota(order.begin(), order.end(), 0);
  const std::int64_t count = std::min(answers.top, classes);
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](std::int64_t a, std::int64_t b) { return p[a] > p[b] || (p[a] == p[b] && a < b); });
  std::vector<std::pair<std::int64_t, double>> first;
  for (std::int64_t k = 0; k < count; ++k) first.emplace_back(order[at(k)], p[order[at(k)]]);
  return first;
}

std::pair<std::int64_t, std::int64_t> counted_right(const PictureAnswers& answers) {
  std::int64_t known = 0, right = 0;
  for (std::int64_t i = 0; i < answers.size(); ++i) {
    if (answers.labels[at(i)] < 0 || !answers.errors[at(i)].empty()) continue;
    ++known;
    right += most_probable(answers, i)[0].first == answers.labels[at(i)];
  }
  return {known, right};
}

Table table_of(const PictureAnswers& answers) {
  constexpr std::size_t kLongestName = 200;
  const bool labels = answers.any_label();
  std::vector<Table::Column> columns = {{.title = "picture", .left = true}};
  if (labels) columns.push_back({.title = "label", .left = true});
  columns.push_back({.title = "%"});
  columns.push_back({.title = "class", .left = true});
  Table table(columns);
  const auto add = [&](const std::string& name, const std::string& label, const std::string& p,
                       const std::string& what) {
    std::vector<std::string> cells = {excerpt(name, kLongestName)};
    if (labels) cells.push_back(label);
    cells.push_back(p);
    cells.push_back(what);
    table.add(std::move(cells));
  };
  for (std::int64_t i = 0; i < answers.size(); ++i) {
    if (!answers.errors[at(i)].empty()) {
      add(answers.names[at(i)], label_of(answers, i), "", "not read");
      continue;
    }
    bool first = true;
    for (const auto& [place, p] : most_probable(answers, i)) {
      add(first ? answers.names[at(i)] : "", first ? label_of(answers, i) : "", percent(p, 2),
          answers.classes[at(place)]);
      first = false;
    }
  }
  return table;
}

std::string csv_of(const PictureAnswers& answers) {
  std::string all = csv_row({"file", "label", "rank", "class", "probability", "error"});
  for (std::int64_t i = 0; i < answers.size(); ++i) {
    const std::string& name = answers.names[at(i)];
    const std::string label = label_of(answers, i), &error = answers.errors[at(i)];
    if (!error.empty()) {
      all += csv_row({name, label, "", "", "", error});
      continue;
    }
    int rank = 0;
    for (const auto& [place, p] : most_probable(answers, i))
      all += csv_row({name, label, std::to_string(++rank), answers.classes[at(place)], print_real(p), ""});
  }
  return all;
}

Json to_json(const PictureAnswers& answers) {
  Json all = Json::Array{};
  for (std::int64_t i = 0; i < answers.size(); ++i) {
    Json entry;
    entry.set("file", answers.names[at(i)]);
    if (answers.labels[at(i)] >= 0) entry.set("label", label_of(answers, i));
    if (!answers.errors[at(i)].empty()) {
      entry.set("error", answers.errors[at(i)]);
    } else {
      Json classes = Json::Array{};
      for (const auto& [place, p] : most_probable(answers, i))
        classes.append(Json::Object{{"class", answers.classes[at(place)]}, {"probability", recorded(p)}});
      entry.set("classes", std::move(classes));
    }
    all.append(std::move(entry));
  }
  return all;
}

}  // namespace basin::apps
