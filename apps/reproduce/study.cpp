#include "apps/reproduce/study.h"

#include <algorithm>

#include "apps/options/bindings.h"
#include "apps/options/sources.h"
#include "apps/options/suggest.h"
#include "core/error.h"

namespace basin::apps {
namespace {

const std::vector<std::string> kScales = {"paper", "small", "tiny"};

/// The element of that id, made where it is missing.
template <class Element>
Element& element(std::vector<std::pair<std::string, Element>>& all, const std::string& id) {
  for (auto& [name, content] : all)
    if (name == id) return content;
  return all.emplace_back(id, Element{}).second;
}

template <class Element>
Element& element(std::vector<Element>& all, const std::string& id, std::string Element::*name) {
  for (Element& one : all)
    if (one.*name == id) return one;
  Element made;
  made.*name = id;
  return all.emplace_back(std::move(made));
}

/// Reads the entries of one file.
class Reader {
 public:
  explicit Reader(Study& study) : study_(study) {}

  void take(const TomlEntry& entry) {
    entry_ = &entry;
    words_.clear();
    for (const std::string_view word : split(entry.path, '.')) words_.emplace_back(word);
    const std::string& first = words_[0];
    if (first == "train" && words_.size() > 1) return add_option(study_.options, 1);
    if (first == "row" && words_.size() > 1) return row(element(study_.rows, words_[1], &StudyRow::id));
    if (first == "start" && words_.size() > 1)
      return start(element(study_.starts, words_[1], &StudyStart::id));
    if (first == "claim" && words_.size() > 1)
      return claim(element(study_.claims, words_[1], &StudyClaim::id));
    if (std::find(kScales.begin(), kScales.end(), first) != kScales.end())
      return scale(element(study_.scales, first, &StudyScale::name));
    if (entry.kind == TomlEntry::Kind::section &&
        (first == "train" || first == "row" || first == "start" || first == "claim"))
      return;
    if (entry.path == "paper_table") return set(study_.paper);
    if (entry.path == "deviation") return set(study_.deviation);
    if (entry.path == "note") return set(study_.note);
    unknown();
  }

 private:
  [[noreturn]] void unknown() const {
    throw UsageError(entry_->place, ": ", quote(entry_->path), " is no part of a study");
  }
  [[noreturn]] void wrong(const char* expected) const {
    throw UsageError(entry_->place, ": ", entry_->path, " is ", name_of(entry_->kind), ", not ", expected);
  }

  void set(std::string& field) const {
    if (entry_->kind != TomlEntry::Kind::text) wrong("a string");
    field = entry_->value;
  }
  double number() const {
    if (entry_->kind != TomlEntry::Kind::real && entry_->kind != TomlEntry::Kind::integer) wrong("a number");
    return std::stod(entry_->value);
  }
  std::int64_t whole() const {
    if (entry_->kind != TomlEntry::Kind::integer) wrong("a whole number");
    return std::stoll(entry_->value);
  }

  /// An option whose path begins at that word.
  void add_option(StudyOptions& options, std::size_t at) const {
    if (entry_->kind == TomlEntry::Kind::section) return;  // its values follow
    TomlEntry option = *entry_;
    option.path = path_from(at);
    options.push_back(std::move(option));
  }
  void add_values(StudyGrid& grid, std::size_t at) const {
    if (entry_->kind == TomlEntry::Kind::section) return;
    if (entry_->kind != TomlEntry::Kind::numbers) wrong("a list of numbers");
    std::vector<std::string> values;
    for (const std::string_view value : split(entry_->value, ',')) values.emplace_back(value);
    grid.emplace_back(path_from(at), std::move(values));
  }
  std::string path_from(std::size_t at) const {
    std::string path;
    for (std::size_t i = at; i < words_.size(); ++i) path += (path.empty() ? "" : ".") + words_[i];
    return path;
  }

  void row(StudyRow& row) const {
    if (words_.size() == 2 && entry_->kind == TomlEntry::Kind::section) return;
    const std::string& key = words_.size() > 2 ? words_[2] : words_[1];
    if (key == "train" && words_.size() > 2) return add_option(row.options, 3);
    if (words_.size() != 3) unknown();
    if (key == "name") return set(row.name);
    if (key == "weights") return set(row.weights);
    if (key == "runs_of") return set(row.runs_of);
    if (key == "against") return set(row.against);
    if (key == "preset") return set(row.preset);
    if (key == "starts_from") return set(row.starts_from);
    if (key == "paper") return static_cast<void>(row.paper = number());
    if (key == "paper_deviation") return static_cast<void>(row.paper_deviation = number());
    unknown();
  }

  void start(StudyStart& start) const {
    if (words_.size() == 2 && entry_->kind == TomlEntry::Kind::section) return;
    const std::string& key = words_.size() > 2 ? words_[2] : words_[1];
    if (key == "train" && words_.size() > 2) return add_option(start.options, 3);
    if (words_.size() != 3) unknown();
    if (key == "preset") return set(start.preset);
    if (key == "seed") return static_cast<void>(start.seed = static_cast<std::uint64_t>(whole()));
    unknown();
  }

  void claim(StudyClaim& claim) const {
    if (words_.size() == 2 && entry_->kind == TomlEntry::Kind::section) return;
    if (words_.size() != 3) unknown();
    if (words_[2] == "better") return set(claim.better);
    if (words_[2] == "than") return set(claim.than);
    if (words_[2] == "margin") return static_cast<void>(claim.margin = number());
    unknown();
  }

  void scale(StudyScale& scale) const {
    if (words_.size() == 1 && entry_->kind == TomlEntry::Kind::section) return;
    const std::string& key = words_.size() > 1 ? words_[1] : words_[0];
    const bool section = words_.size() == 2 && entry_->kind == TomlEntry::Kind::section;
    if (key == "train") return section ? void() : add_option(scale.options, 2);
    if ((key == "row" || key == "start") && words_.size() > 2)
      return add_option(element(scale.of_rows, words_[2]), 3);
    if ((key == "row" || key == "start") && section) return;
    if (key == "search") {
      if (!scale.search) scale.search.emplace();
      return section ? void() : search(*scale.search);
    }
    if (key == "flatness") {
      if (!scale.flatness) scale.flatness.emplace();
      return section ? void() : flatness(*scale.flatness);
    }
    if (words_.size() != 2) unknown();
    if (key == "about") return set(scale.about);
    if (key == "seeds") return static_cast<void>(scale.seeds = whole());
    unknown();
  }

  void flatness(StudyFlatness& flatness) const {
    if (words_.size() != 3) unknown();
    if (words_[2] == "images") return static_cast<void>(flatness.images = whole());
    if (words_[2] == "rho") return static_cast<void>(flatness.rho = number());
    unknown();
  }

  void search(StudySearch& search) const {
    const std::string& key = words_[2];
    if (key == "all") return add_values(search.all, 3);
    if (key == "row" && words_.size() > 3) return add_values(element(search.own, words_[3]), 4);
    if (key == "row" && entry_->kind == TomlEntry::Kind::section) return;
    if (words_.size() != 3) unknown();
    if (key == "validation") return static_cast<void>(search.validation = whole());
    if (key != "seeds") unknown();
    if (entry_->kind != TomlEntry::Kind::numbers) wrong("a list of numbers");
    for (const std::string_view seed : split(entry_->value, ','))
      search.seeds.push_back(std::stoull(std::string(seed)));
  }

  Study& study_;
  const TomlEntry* entry_ = nullptr;
  std::vector<std::string> words_{};
};

bool has_row(const Study& study, const std::string& id) {
  return std::any_of(study.rows.begin(), study.rows.end(), [&](const StudyRow& row) { return row.id == id; });
}
bool has_start(const Study& study, const std::string& id) {
  return std::any_of(study.starts.begin(), study.starts.end(),
                     [&](const StudyStart& start) { return start.id == id; });
}

void expect_row(const Study& study, const std::string& id, const std::string& what) {
  if (!has_row(study, id))
    throw UsageError(study.name, ": ", what, " is about a row ", quote(id), ", which is not there");
}

void check_starts(const Study& study) {
  for (const StudyStart& start : study.starts)
    if (has_row(study, start.id))
      throw UsageError(study.name, ": ", start.id, " is both a row and a start: name one otherwise");
  for (const StudyRow& row : study.rows)
    if (!row.starts_from.empty() && !has_start(study, row.starts_from))
      throw UsageError(study.name, ": row.", row.id, ".starts_from is about a start ", quote(row.starts_from),
                       ", which is not there");
}

void check(const Study& study) {
  if (study.rows.empty() || study.scales.empty())
    throw UsageError(study.name, ": a study needs rows, and a scale to run them on");
  for (const StudyRow& row : study.rows) {
    if (!row.against.empty()) expect_row(study, row.against, "row." + row.id + ".against");
    if (row.runs_of.empty()) continue;
    expect_row(study, row.runs_of, "row." + row.id + ".runs_of");
    if (!study.row(row.runs_of).runs_of.empty() || !row.options.empty() || !row.preset.empty() ||
        !row.starts_from.empty())
      throw UsageError(study.name, ": row.", row.id,
                       " has the runs of another row: no options of its own, and that "
                       "row has runs");
  }
  check_starts(study);
  for (const StudyClaim& claim : study.claims) {
    expect_row(study, claim.better, "claim." + claim.id);
    expect_row(study, claim.than, "claim." + claim.id);
  }
  for (const StudyScale& scale : study.scales) {
    for (const auto& part : scale.of_rows)
      if (!has_start(study, part.first)) expect_row(study, part.first, scale.name + ".row");
    if (scale.seeds < 1 || scale.seeds > kMostSeeds)
      throw UsageError(study.name, ": ", scale.name, ".seeds is not from 1 to ", kMostSeeds);
    if (scale.flatness && (scale.flatness->images < 1 || scale.flatness->rho <= 0))
      throw UsageError(study.name, ": ", scale.name, ".flatness needs images, and a radius rho above 0");
    if (!scale.search) continue;
    for (const auto& part : scale.search->own) expect_row(study, part.first, scale.name + ".search.row");
    if (scale.search->seeds.empty() || scale.search->validation < 1)
      throw UsageError(study.name, ": ", scale.name, ".search needs seeds and validation images");
    for (const std::uint64_t seed : scale.search->seeds)
      if (seed < static_cast<std::uint64_t>(kFirstSeed + kMostSeeds))
        throw UsageError(study.name, ": ", scale.name, ".search has the seed ", seed, ": those below ",
                         kFirstSeed + kMostSeeds, " are for the runs that count");
  }
}

std::string last_word(const std::string& path) { return path.substr(path.rfind('.') + 1); }

/// What is trained: a row or a start.
struct Trained {
  std::string words;  // "row sam"
  const std::string &id, &preset;
  const StudyOptions& options;
};

TrainConfig config_of(const Study& study, const Trained& trained, const StudyScale& scale,
                      const StudyChoice& last, std::uint64_t seed) {
  TrainConfig config;
  OptionTable table = train_options(config);
  const std::string place = study.name + ".toml, " + trained.words;
  const std::vector<std::string> presets = preset_names();
  if (!trained.preset.empty() && std::find(presets.begin(), presets.end(), trained.preset) == presets.end())
    throw UsageError(place, ": unknown preset ", quote(trained.preset),
                     did_you_mean(trained.preset, presets));
  SourceConfig sources;
  sources.preset = trained.preset;
  take_sources(table, sources);
  take_toml(table, study.options, Source::preset);
  take_toml(table, trained.options, Source::preset);
  take_toml(table, scale.options, Source::file);
  for (const auto& [id, options] : scale.of_rows)
    if (id == trained.id) take_toml(table, options, Source::file);
  const auto assign = [&](Option* option, const std::string& path, const std::string& value) {
    if (!option) throw UsageError(place, ": there is no option ", path);
    table.assign(*option, value, Source::flag, place + ": " + path);
  };
  for (const auto& [path, value] : last) assign(table.by_path(path), path, value);
  assign(table.by_path("run.seed"), "run.seed", std::to_string(seed));
  assign(table.by_flag("threads"), "device.threads", "1");
  assign(table.by_flag("workers"), "data.workers", "0");
  assign(table.by_flag("keep"), "run.keep", "1");
  table.settle();
  try {
    validate(config);
  } catch (const UsageError& error) {
    throw UsageError(place, ", scale ", scale.name, ": ", error.what());
  }
  return config;
}

}  // namespace

const StudyRow& Study::row(const std::string& id) const {
  for (const StudyRow& row : rows)
    if (row.id == id) return row;
  throw InternalError("[study] ", name, " has no row ", id);
}

const StudyStart& Study::start(const std::string& id) const {
  for (const StudyStart& start : starts)
    if (start.id == id) return start;
  throw InternalError("[study] ", name, " has no start ", id);
}

std::vector<StudyRow> Study::trained() const {
  std::vector<StudyRow> own;
  for (const StudyRow& row : rows)
    if (row.runs_of.empty()) own.push_back(row);
  return own;
}

const StudyScale& Study::scale(const std::string& wanted) const {
  std::vector<std::string> names;
  for (const StudyScale& scale : scales) {
    if (scale.name == wanted) return scale;
    names.push_back(scale.name);
  }
  throw UsageError("the experiment ", name, " has no --scale ", quote(wanted), "; it has ", one_of(names));
}

Study study_of(const Preset& file) {
  Study study{.name = file.name, .help = file.help, .source = file.toml};
  Reader reader(study);
  for (const TomlEntry& entry : parse_toml(file.toml, file.name + ".toml")) reader.take(entry);
  for (StudyRow& row : study.rows)
    if (row.name.empty()) row.name = row.id;
  check(study);
  return study;
}

const std::vector<Study>& studies() {
  static const std::vector<Study> all = [] {
    std::vector<Study> read;
    for (const Preset& file : study_files()) read.push_back(study_of(file));
    return read;
  }();
  return all;
}

const Study& study_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Study& study : studies()) {
    if (study.name == name) return study;
    names.push_back(study.name);
  }
  throw UsageError("unknown experiment ", quote(name), "; `basin reproduce --list` shows them",
                   did_you_mean(name, names));
}

std::vector<StudyChoice> choices_of(const StudySearch& search, const std::string& row) {
  StudyGrid grid = search.all;
  for (const auto& [id, own] : search.own)
    if (id == row) grid.insert(grid.end(), own.begin(), own.end());
  std::vector<StudyChoice> all = {{}};
  for (const auto& [path, values] : grid) {
    std::vector<StudyChoice> longer;
    for (const StudyChoice& choice : all) {
      for (const std::string& value : values) {
        longer.push_back(choice);
        longer.back().emplace_back(path, value);
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::string in_words(const StudyChoice& choice) {
  std::string words;
  for (const auto& [path, value] : choice)
    words += (words.empty() ? "" : ", ") + last_word(path) + " " + value;
  return words;
}

TrainConfig study_config(const Study& study, const StudyRow& row, const StudyScale& scale,
                         const StudyChoice& choice, std::uint64_t seed, std::int64_t validation) {
  StudyChoice last = choice;
  if (validation > 0) last.emplace_back("data.validation", std::to_string(validation));
  if (!row.starts_from.empty())
    last.emplace_back("model.init", start_weights(start_name(study.start(row.starts_from), seed)));
  return config_of(study, {"row " + row.id, row.id, row.preset, row.options}, scale, last, seed);
}

TrainConfig study_config(const Study& study, const StudyStart& start, const StudyScale& scale,
                         std::uint64_t seed) {
  return config_of(study, {"start " + start.id, start.id, start.preset, start.options}, scale, {}, seed);
}

std::string start_name(const StudyStart& start, std::uint64_t seed) {
  return text(start.id, "-seed", start.seed.value_or(seed));
}

std::string start_weights(const std::string& start_name) {
  return "starts/" + start_name + "/final.safetensors";
}

}  // namespace basin::apps
