// CSV and JSON lines: written from one list of fields each, read back strictly, cut at a step.
#include "apps/runs/records.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "apps/options/bindings.h"
#include "apps/weights/finite.h"
#include "core/error.h"
#include "core/io/csv.h"
#include "core/io/files.h"

namespace basin::apps {

namespace {

// The one list of an epoch's fields: visit(name, field) for each, in the order of the columns; those of the
// Hessian where there are such columns, as three optional numbers.
template <class Record, class Visit>
void each_field(Record& r, bool hessian, Visit visit) {
  visit("epoch", r.epoch);
  visit("step", r.step);
  visit("train_loss", r.train_loss);
  visit("train_loss_perturbed", r.train_loss_perturbed);
  visit("train_accuracy", r.train_accuracy);
  visit("test_loss", r.test_loss);
  visit("test_accuracy", r.test_accuracy);
  visit("validation_loss", r.validation_loss);
  visit("validation_accuracy", r.validation_accuracy);
  visit("skipped", r.skipped);
  visit("gradient_norm", r.gradient_norm);
  visit("lr", r.lr);
  if (hessian) {
    std::optional<double> largest, trace, error;
    if (r.hessian) {
      largest = r.hessian->largest;
      trace = r.hessian->trace;
      error = r.hessian->trace_error;
    }
    visit("hessian_max", largest);
    visit("hessian_trace", trace);
    visit("hessian_trace_error", error);
    if constexpr (!std::is_const_v<Record>) {
      r.hessian.reset();
      if (largest && trace && error) r.hessian = EpochCurvature{*largest, *trace, *error};
    }
  }
  visit("seconds", r.seconds);
  visit("images_per_second", r.images_per_second);
  visit("data_wait", r.data_wait);
}

std::string cell(std::int64_t n) { return std::to_string(n); }
std::string cell(double x) { return std::isnan(x) ? "nan" : print_real(x); }  // whatever its sign
std::string cell(const std::optional<double>& x) { return x ? cell(*x) : ""; }

bool read_cell(const std::string& text, std::int64_t& n) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc() && stop == text.data() + text.size();
}

bool read_cell(const std::string& text, double& x) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  return error == std::errc() && stop == text.data() + text.size();
}

bool read_cell(const std::string& text, std::optional<double>& x) {
  if (text.empty()) {
    x.reset();
    return true;
  }
  return read_cell(text, x.emplace());
}

Json json_cell(std::int64_t n) { return n; }
Json json_cell(double x) { return recorded(x); }
Json json_cell(const std::optional<double>& x) { return x ? recorded(*x) : Json(); }

void read_json_cell(const Json& json, std::int64_t& n) { n = json.integer(); }
void read_json_cell(const Json& json, double& x) { x = recorded_number(json); }
void read_json_cell(const Json& json, std::optional<double>& x) {
  x = json.is_null() ? std::optional<double>() : recorded_number(json);
}

std::string row_of(const EpochRecord& record, bool hessian) {
  std::vector<std::string> cells;
  each_field(record, hessian, [&](const char*, const auto& value) { cells.push_back(cell(value)); });
  return csv_row(cells);
}

// The epoch in the first cell of a line; 0 if there is none.
std::int64_t epoch_of(const std::string& line) {
  std::int64_t epoch = 0;
  return read_cell(line.substr(0, line.find(',')), epoch) ? epoch : 0;
}

// Step of a whole line of steps.jsonl; 0 if it is none (zeros after a power cut).
std::int64_t step_of(const std::string& line) {
  try {
    return parse_json(line).at("step").integer();
  } catch (const JsonError&) {
    return 0;
  }
}

}  // namespace

void EpochSums::add(const StepRecord& s) {
  lr = s.lr;
  seconds += s.seconds;
  data_seconds += s.data_seconds;
  if (s.skipped) {
    ++skipped;
    skipped_images += s.images;
    return;
  }
  const auto n = static_cast<double>(s.images);
  steps += 1;
  images += s.images;
  correct += s.correct;
  loss += s.loss * n;
  if (s.loss_perturbed) loss_perturbed += *s.loss_perturbed * n;
  perturbed = perturbed || s.loss_perturbed.has_value();
  gradient_norm += s.gradient_norm;
}

EpochRecord EpochSums::record(std::int64_t epoch, std::int64_t step) const {
  EpochRecord r;
  r.epoch = epoch;
  r.step = step;
  r.lr = lr;
  r.skipped = skipped;
  r.seconds = seconds;
  const auto n = static_cast<double>(images);
  r.train_loss = ratio(loss, n);
  if (perturbed) r.train_loss_perturbed = ratio(loss_perturbed, n);
  r.train_accuracy = ratio(static_cast<double>(correct), n);
  r.gradient_norm = ratio(gradient_norm, static_cast<double>(steps));
  r.images_per_second = ratio(n + static_cast<double>(skipped_images), seconds);
  r.data_wait = ratio(data_seconds, seconds);
  return r;
}

Json to_json(const EpochSums& s) {
  return Json::Object{{"steps", s.steps},
                      {"images", s.images},
                      {"correct", s.correct},
                      {"loss", recorded(s.loss)},
                      {"loss_perturbed", recorded(s.loss_perturbed)},
                      {"perturbed", s.perturbed},
                      {"skipped", s.skipped},
                      {"skipped_images", s.skipped_images},
                      {"gradient_norm", recorded(s.gradient_norm)},
                      {"lr", recorded(s.lr)},
                      {"seconds", recorded(s.seconds)},
                      {"data_seconds", recorded(s.data_seconds)}};
}

EpochSums epoch_sums(const Json& json) {
  EpochSums s;
  s.steps = json.at("steps").integer();
  s.images = json.at("images").integer();
  s.correct = json.at("correct").integer();
  s.loss = recorded_number(json.at("loss"));
  s.loss_perturbed = recorded_number(json.at("loss_perturbed"));
  s.perturbed = json.at("perturbed").boolean();
  s.skipped = json.at("skipped").integer();
  if (const Json* n = json.find("skipped_images")) s.skipped_images = n->integer();  // format 1 may lack it
  s.gradient_norm = recorded_number(json.at("gradient_norm"));
  s.lr = recorded_number(json.at("lr"));
  s.seconds = recorded_number(json.at("seconds"));
  s.data_seconds = recorded_number(json.at("data_seconds"));
  return s;
}

Json to_json(const StepRecord& r) {
  Json json = Json::Object{{"step", r.step},
                           {"epoch", r.epoch},
                           {"images", r.images},
                           {"correct", r.correct},
                           {"loss", recorded(r.loss)}};
  if (r.loss_perturbed) json.set("loss_perturbed", recorded(*r.loss_perturbed));
  json.set("gradient_norm", recorded(r.gradient_norm));
  if (r.perturbed_norm) json.set("gradient_norm_perturbed", recorded(*r.perturbed_norm));
  json.set("cosine", recorded(r.cosine));
  if (r.rho) json.set("rho", recorded(*r.rho));
  if (r.clipped) json.set("clipped", recorded(*r.clipped));
  json.set("passes", r.passes);
  if (r.skipped) json.set("skipped", true);
  json.set("lr", recorded(r.lr));
  json.set("seconds", recorded(r.seconds));
  json.set("data_seconds", recorded(r.data_seconds));
  return json;
}

Json to_json(const EpochRecord& record) {
  Json json = Json::Object{};
  each_field(record, record.hessian.has_value(),
             [&](const char* name, const auto& value) { json.set(name, json_cell(value)); });
  return json;
}

EpochRecord epoch_record(const Json& json) {
  EpochRecord record;
  each_field(record, json.find("hessian_max") != nullptr,
             [&](const char* name, auto& value) { read_json_cell(json.at(name), value); });
  return record;
}

const std::vector<std::string>& metrics_columns(bool hessian) {
  const auto names = [](bool with) {
    std::vector<std::string> all;
    EpochRecord any;
    each_field(any, with, [&](const char* name, const auto&) { all.push_back(name); });
    return all;
  };
  static const std::vector<std::string> usual = names(false), all = names(true);
  return hessian ? all : usual;
}

namespace {

// The cells of a row as a record; the name of the first that is no number, null if there is none.
const char* read_row(const std::vector<std::string>& cells, bool hessian, EpochRecord& record) {
  const char* bad = nullptr;
  std::size_t column = 0;
  each_field(record, hessian, [&](const char* name, auto& value) {
    if (!read_cell(cells[column++], value) && !bad) bad = name;
  });
  return bad;
}

}  // namespace

std::vector<EpochRecord> read_metrics(const std::string& path) {
  const std::vector<std::vector<std::string>> rows = parse_csv(read_file(path));
  const bool hessian = !rows.empty() && rows[0] == metrics_columns(true);
  if (rows.empty() || (!hessian && rows[0] != metrics_columns()))
    throw DataError("[metrics] ", path, ": not the columns of a run");
  std::vector<EpochRecord> records;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EpochRecord record;
    if (const char* bad = read_row(rows[i], hessian, record))
      throw DataError("[metrics] ", path, ": row ", i + 1, ": ", bad, " is no number");
    records.push_back(record);
  }
  return records;
}

std::vector<EpochRecord> readable_metrics(const std::string& path, std::int64_t epochs) {
  std::vector<EpochRecord> records;
  std::string content;
  try {
    content = read_file(path);
  } catch (const DataError&) {
    return records;
  }
  bool ours = false, hessian = false;
  for (std::size_t at = 0, end; (end = content.find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string line = content.substr(at, end + 1 - at);
    hessian = hessian || line == csv_row(metrics_columns(true));
    ours = ours || hessian || line == csv_row(metrics_columns());
    const std::int64_t epoch = epoch_of(line), before = records.empty() ? 0 : records.back().epoch;
    if (!ours || epoch <= before || epoch > epochs) continue;
    try {
      const auto rows = parse_csv(line);
      EpochRecord record;
      if (rows[0].size() == metrics_columns(hessian).size() && !read_row(rows[0], hessian, record))
        records.push_back(record);
    } catch (const DataError&) {  // a quote that no run wrote
    }
  }
  return records;
}

Records::Records(const std::string& directory, std::int64_t step, const std::vector<EpochRecord>& epochs,
                 bool hessian)
    : hessian_(hessian), metrics_(directory + "/metrics.csv"), steps_(directory + "/steps.jsonl") {
  std::vector<std::string> rows = {csv_row(metrics_columns(hessian))};
  for (const EpochRecord& record : epochs) rows.push_back(row_of(record, hessian));
  const auto found = [&](const RecordFile& file, std::int64_t lost, std::int64_t foreign, const char* what,
                         const char* how) {
    if (lost == 0 && foreign == 0) return;
    std::string line = file.path() + ":";
    if (foreign > 0) line += text(" ", foreign, " lines that are no records of this run are removed");
    if (lost > 0) line += text(foreign > 0 ? ";" : "", " ", lost, " ", what, " lost", how);
    findings_.push_back(line);
  };

  std::size_t have = 0;
  std::int64_t foreign = 0;
  metrics_.keep_lines([&](const std::string& line) {
    if (have < rows.size() && line + "\n" == rows[have]) return ++have > 0;
    if (epoch_of(line) <= std::ssize(epochs)) ++foreign;  // else it is after the checkpoint
    return false;
  });
  const auto lost = std::ssize(rows) - std::max<std::int64_t>(1, static_cast<std::int64_t>(have));
  for (; have < rows.size(); ++have) metrics_.append(rows[have]);
  if (metrics_.error().empty())
    found(metrics_, lost, foreign, "rows were", ", and written again from the checkpoint");

  std::int64_t last = 0, records = 0;
  foreign = 0;
  steps_.keep_lines([&](const std::string& line) {
    const std::int64_t at = step_of(line);
    if (at <= 0) ++foreign;
    if (at <= last || at > step) return false;
    last = at;
    return ++records > 0;
  });
  if (steps_.error().empty())
    found(steps_, step - records, foreign, "records of steps before the checkpoint are", "");
}

void Records::write(const StepRecord& record) { steps_.append(to_json(record).compact() + "\n"); }

void Records::write(const EpochRecord& record) { metrics_.append(row_of(record, hessian_)); }

void Records::sync() {
  metrics_.sync();
  steps_.sync();
}

}  // namespace basin::apps
