// The order of the sources, once for every subcommand.
#include "apps/cli/cli.h"

#include <algorithm>
#include <filesystem>

#include "apps/bench/bench.h"
#include "apps/cli/help.h"
#include "apps/cli/presets.h"
#include "apps/cli/suggest.h"
#include "apps/cli/toml_file.h"
#include "apps/cli/variables.h"
#include "apps/commands/commands.h"
#include "apps/config/option_tables.h"
#include "apps/runs/export_format.h"
#include "apps/runs/recipe.h"
#include "core/error.h"
#include "data/sets/pictures.h"

namespace basin::apps {

namespace {

std::string place_of(const TomlEntry& entry, Source source) {
  return source == Source::preset ? "preset " + entry.place : entry.place;
}

[[noreturn]] void unknown_key(const OptionTable& table, const TomlEntry& entry, const std::string& place) {
  std::vector<std::string> paths, sections;
  for (const Option& option : table.options()) {
    if (option.key.empty()) continue;
    paths.push_back(option.path());
    sections.push_back(option.group);
    // A key without its section, or a flag's spelling, is meant for the option of that name.
    const std::string last = entry.path.substr(entry.path.rfind('.') + 1);
    if (last == option.flag || last == option.key) {
      throw UsageError(place, ": unknown key ", quote(entry.path), "; did you mean ", option.path(), "?");
    }
  }
  const bool section = entry.kind == TomlEntry::Kind::section;
  throw UsageError(place, section ? ": unknown section " : ": unknown key ", quote(entry.path),
                   did_you_mean(entry.path, section ? sections : paths));
}

bool fits(ValueKind wanted, TomlEntry::Kind given) {
  using Given = TomlEntry::Kind;
  switch (wanted) {
    case ValueKind::flag:
      return given == Given::flag;
    case ValueKind::integer:
      return given == Given::integer;
    case ValueKind::real:
      return given == Given::real || given == Given::integer;
    case ValueKind::text:
      return given == Given::text;
    case ValueKind::numbers:
      break;
  }
  return given == Given::numbers;
}

void apply_toml(OptionTable& table, const std::vector<TomlEntry>& entries, Source source) {
  for (const TomlEntry& entry : entries) {
    const std::string place = place_of(entry, source);
    const bool is_section = entry.kind == TomlEntry::Kind::section;
    const bool group = std::any_of(table.options().begin(), table.options().end(), [&](const Option& option) {
      return !option.key.empty() && option.group == entry.path;
    });
    if (group && is_section) continue;
    if (group) throw UsageError(place, ": ", entry.path, " is ", name_of(entry.kind), ", not a section");
    Option* option = table.by_path(entry.path);
    if (!option) unknown_key(table, entry, place);
    if (!fits(option->binding.kind, entry.kind)) {
      throw UsageError(place, ": ", entry.path, " is ", name_of(entry.kind), ", not ",
                       option->binding.allowed);
    }
    table.assign(*option, entry.value, source, place);
  }
}

void apply_flags(OptionTable& table, const GivenFlags& given) {
  for (const auto& [flag, value] : given)
    table.assign(*table.by_flag(flag), value, Source::flag, "--" + flag);
}

std::vector<std::string> origins_of(const OptionTable& table) {
  std::vector<std::string> lines;
  for (const Option& option : table.options()) {
    if (option.source == Source::standard || option.key.empty()) continue;
    lines.push_back(option.path() + " = " + option.binding.print() + " (" + option.where + ")");
  }
  return lines;
}

void apply_preset(OptionTable& table, const std::string& name) {
  for (const Preset& preset : presets()) {
    if (preset.name == name) apply_toml(table, parse_toml(preset.toml, name), Source::preset);
  }
}

// What a run fixed stays as it is; anything else would not be that run.
void refuse_changes(OptionTable& table, const TrainConfig& saved, const std::string& directory) {
  TrainConfig copy = saved;
  FrameConfig frame;
  OptionTable before = train_options(copy, frame);
  for (const Option& option : table.options()) {
    if (option.role != Role::recipe || option.source != Source::flag) continue;
    const std::string was = before.by_flag(option.flag)->binding.print(), is = option.binding.print();
    if (was != is) {
      throw UsageError("--", option.flag, " ", quote(is), " is not what the run in ", directory,
                       " was started with (", quote(was),
                       "); a resumed run keeps its numbers, start a new one for others");
    }
  }
}

/// The options that a subcommand shares with training, as the run in `directory` has them.
void take_from_run(OptionTable& table, const std::string& directory) {
  TrainConfig saved = read_run_config(directory);
  FrameConfig unused;
  OptionTable of_training = train_options(saved, unused);
  for (const Option& trained : of_training.options()) {
    Option* option =
        trained.key.empty() || !of_training.applies(trained) ? nullptr : table.by_path(trained.path());
    if (option) table.assign(*option, trained.binding.print(), Source::file, directory + "/config.toml");
  }
}

template <class Config>
void finish(OptionTable& table, const Environment& environment, Call<Config>& call) {
  if (call.config.output.quiet && call.config.output.verbose)
    throw UsageError("--quiet and --verbose exclude each other");
  call.origins = origins_of(table);
  for (std::string& warning : environment_warnings(environment)) call.warnings.push_back(std::move(warning));
}

template <class Config>
bool asks_for_help(const GivenFlags& given, const OptionTable& table, const std::string& command,
                   Call<Config>& call) {
  if (std::none_of(given.begin(), given.end(), [](const auto& flag) { return flag.first == "help"; }))
    return false;
  call.print = command_help(command, table, help_width());
  return true;
}

/// A subcommand whose options come from defaults, variables (of options with a TOML key) and flags alone.
/// `use` takes the positional arguments, empty where there is none, and checks what no single option can.
template <class Config, class Use>
Call<Config> parse_alone(const std::string& command, OptionTable (*options)(Config&, FrameConfig&),
                         const std::vector<std::string>& arguments, std::size_t most_positionals,
                         const Environment& environment, Use use) {
  Call<Config> call;
  FrameConfig frame;
  OptionTable table = options(call.config, frame);
  std::vector<std::string> positionals;
  const GivenFlags given = split_arguments(table, arguments, most_positionals, positionals);
  if (asks_for_help(given, table, command, call)) return call;
  apply_environment(table, environment);
  apply_flags(table, given);
  positionals.resize(most_positionals);
  use(call.config, table, positionals);
  table.settle();
  finish(table, environment, call);
  return call;
}

}  // namespace

namespace {

TrainConfig config_of(const std::vector<TomlEntry>& entries) {
  TrainConfig config;
  FrameConfig frame;
  OptionTable table = train_options(config, frame);
  apply_toml(table, entries, Source::file);
  table.settle(/*of_run=*/true);
  validate(config);
  return config;
}

}  // namespace

TrainConfig read_run_config(const std::string& directory) { return config_of(run_entries(directory)); }

TrainConfig read_recipe(const std::string& toml, const std::string& name) {
  try {
    return config_of(parse_toml(toml, name));
  } catch (const UsageError& e) {
    throw CheckpointError("[recipe] of another version of basin: ", e.what());
  }
}

Call<TrainConfig> parse_train(const std::vector<std::string>& arguments, const Environment& environment) {
  Call<TrainConfig> call;
  FrameConfig frame;
  OptionTable table = train_options(call.config, frame);
  std::vector<std::string> positionals;
  const GivenFlags given = split_arguments(table, arguments, 0, positionals);
  if (asks_for_help(given, table, "train", call)) return call;

  apply_flags(table, given);  // first of all for --config, --preset and --resume, and to check every flag
  RunConfig& run = call.config.run;
  run.resume = table.by_flag("resume")->source == Source::flag;
  if (run.resume) {
    for (const char* flag : {"config", "preset", "run", "force"}) {
      if (table.by_flag(flag)->source == Source::flag) {
        throw UsageError("--", flag,
                         " and --resume exclude each other: the run goes on in its directory as configured");
      }
    }
    run.dir = frame.resume;
    apply_toml(table, run_entries(frame.resume), Source::file);
  } else {
    if (!frame.preset.empty()) apply_preset(table, frame.preset);
    if (!frame.config.empty()) apply_toml(table, read_toml(frame.config), Source::file);
  }
  if (run.resume)
    apply_environment_to_run(table, environment, frame.resume, call.warnings);
  else
    apply_environment(table, environment);
  apply_flags(table, given);
  if (run.resume) refuse_changes(table, read_run_config(frame.resume), frame.resume);
  table.settle(run.resume);
  validate(call.config);
  if (frame.print_config && call.config.output.json)
    throw UsageError("--print-config prints TOML, and --json asks for JSON: give one");
  if (frame.print_config) call.print = table.toml();
  finish(table, environment, call);
  return call;
}

Call<EvalConfig> parse_eval(const std::vector<std::string>& arguments, const Environment& environment) {
  Call<EvalConfig> call;
  FrameConfig frame;
  OptionTable table = eval_options(call.config, frame);
  std::vector<std::string> positionals;
  const GivenFlags given = split_arguments(table, arguments, 0, positionals);
  if (asks_for_help(given, table, "eval", call)) return call;

  apply_flags(table, given);
  EvalConfig& config = call.config;
  const int given_sources = !config.run.empty() + !config.weights.empty() + !config.ensemble.empty();
  if (given_sources != 1) {
    throw UsageError(given_sources == 0
                         ? "nothing to evaluate: give --run DIR, --ensemble DIR, or --weights FILE "
                           "with --model and --data"
                         : "--run, --ensemble and --weights exclude each other");
  }
  // The configuration of the run, or of the run that the members belong to.
  std::string run = config.run;
  if (!config.ensemble.empty()) {
    std::filesystem::path directory(config.ensemble);
    if (!directory.has_filename()) directory = directory.parent_path();
    run =
        directory.filename() == "members" ? (directory / "..").lexically_normal().string() : config.ensemble;
  }
  const bool of_run = !run.empty();
  if (of_run) {
    take_from_run(table, run);
    apply_environment_to_run(table, environment, run, call.warnings);
  } else {
    apply_environment(table, environment);
  }
  apply_flags(table, given);
  if (!of_run) {
    for (const char* flag : {"model", "data"}) {
      if (table.by_flag(flag)->source == Source::standard)
        throw UsageError("--weights needs --", flag, " NAME too");
    }
  }
  table.settle();
  finish(table, environment, call);
  return call;
}

Call<ExportConfig> parse_export(const std::vector<std::string>& arguments, const Environment& environment) {
  Call<ExportConfig> call;
  FrameConfig frame;
  OptionTable table = export_options(call.config, frame);
  std::vector<std::string> positionals;
  const GivenFlags given = split_arguments(table, arguments, 0, positionals);
  if (asks_for_help(given, table, "export", call)) return call;

  apply_flags(table, given);
  ExportConfig& config = call.config;
  const bool of_run = !config.run.empty();
  if (!of_run && table.by_flag("weights")->source == Source::standard)
    throw UsageError("nothing to export: give --run DIR, or --weights FILE with --model");
  if (config.out.empty()) throw UsageError("export needs a file to write: -o FILE");
  if (of_run) {
    take_from_run(table, config.run);
    apply_environment_to_run(table, environment, config.run, call.warnings);
  } else {
    apply_environment(table, environment);
  }
  apply_flags(table, given);
  if (!of_run && table.by_flag("model")->source == Source::standard)
    throw UsageError("--weights needs --model NAME too, or --run DIR");
  export_format(config.format, config.out);
  for (const char* flag : {"data", "image-size"})
    config.image_given = config.image_given || table.by_flag(flag)->source != Source::standard;
  table.settle();
  finish(table, environment, call);
  return call;
}

Call<InfoConfig> parse_info(const std::vector<std::string>& arguments, const Environment& environment) {
  return parse_alone<InfoConfig>(
      "info", info_options, arguments, 1, environment,
      [](InfoConfig& config, const OptionTable& table, const std::vector<std::string>& positionals) {
        config.target = positionals[0];
        const std::vector<nn::ModelInfo> models = nn::models();
        const auto model = std::find_if(models.begin(), models.end(), [&](const nn::ModelInfo& info) {
          return info.name == config.target;
        });
        const auto given = [&](const char* flag) { return table.by_flag(flag)->source == Source::flag; };
        for (const char* flag : {"data", "shortcut"}) {
          if (model == models.end() && given(flag)) {
            throw UsageError("--", flag, " counts only for a model: basin info MODEL --", flag, " ...");
          }
        }
        if (given("shortcut") && !model->takes_shortcut)
          throw UsageError("--shortcut counts only for the ResNets of CIFAR, not for ", config.target);
        if (config.models && !config.target.empty())
          throw UsageError("--models stands alone, without MODEL or FILE");
      });
}

namespace {

/// Options of a command that count only for some of its subjects.
using Scopes = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// Errors: UsageError for an option on the command line that does not count for `subject`.
void expect_in_scope(const std::string& command, const Scopes& scopes, const OptionTable& table,
                     const std::string& subject) {
  for (const auto& [flag, scope] : scopes)
    if (table.by_flag(flag)->source == Source::flag &&
        std::find(scope.begin(), scope.end(), subject) == scope.end())
      throw UsageError("--", flag, " counts only for ", command, " ", one_of(scope), ", not for ", subject);
}

const Scopes& data_scopes() {
  static const Scopes all = [] {
    Scopes scopes;
    for (const char* flag : {"train-shards", "test-shards", "limit", "image-size", "augment"})
      scopes.push_back({flag, {"verify", "show"}});
    for (const char* flag : {"bad-image", "subset", "validation", "validation-from", "data-seed",
                             "crop-padding", "seed", "out", "count", "epoch", "epochs", "columns", "enlarge"})
      scopes.push_back({flag, {"show"}});
    return scopes;
  }();
  return all;
}

}  // namespace

Call<DataToolConfig> parse_data(const std::vector<std::string>& arguments, const Environment& environment) {
  return parse_alone<DataToolConfig>(
      "data", data_options, arguments, 2, environment,
      [](DataToolConfig& config, const OptionTable& table, const std::vector<std::string>& positionals) {
        const std::string &what = positionals[0], &name = positionals[1];
        if (what != "verify" && what != "show" && what != "get")
          throw UsageError("data: say what to do, verify, show or get",
                           what.empty() ? "" : ", not " + quote(what));
        config.what = what;
        const bool named = table.by_flag("data")->source != Source::standard;
        if (what == "get") {
          if (name.empty() || named)
            throw UsageError(
                "data get takes the data set's name without --data: basin data get cifar10 --data-dir DIR");
          config.data.name = name;
        } else if (!name.empty()) {
          throw UsageError("data ", what, ": unexpected argument ", quote(name));
        }
        expect_in_scope("data", data_scopes(), table, what);
        if (what == "verify" && !named) config.data.name = "folder";
        if (what == "verify" && !data::is_picture_set(config.data.name) &&
            table.by_flag("augment")->source == Source::flag)
          throw UsageError(
              "--augment counts only for data verify of pictures in files, which it cuts, not of ",
              config.data.name);
      });
}

namespace {

const Scopes& bench_scopes() {
  static const Scopes all = {{"rules", {"rules", "step", "memory", "scaling"}},
                             {"model", {"rules", "step", "memory", "scaling", "conv"}},
                             {"image-size", {"rules", "step", "memory", "scaling", "conv"}},
                             {"conv-algo", {"rules", "step", "memory", "scaling"}},
                             {"augment", {"step"}},
                             {"workers", {"step"}},
                             {"rounds", {"rules", "step", "scaling", "conv", "ops"}},
                             {"steps", {"rules", "step", "scaling"}}};
  return all;
}

}  // namespace

Call<BenchConfig> parse_bench(const std::vector<std::string>& arguments, const Environment& environment) {
  return parse_alone<BenchConfig>(
      "bench", bench_options, arguments, 1, environment,
      [](BenchConfig& config, const OptionTable& table, const std::vector<std::string>& positionals) {
        const std::string& what = positionals[0];
        const std::vector<std::string>& subjects = bench_subjects();
        if (what.empty())
          throw UsageError("bench measures something: say ", one_of(subjects), " (basin bench rules)");
        if (std::find(subjects.begin(), subjects.end(), what) == subjects.end())
          throw UsageError("bench: unknown subject ", quote(what), "; there are ", one_of(subjects),
                           did_you_mean(what, subjects));
        expect_in_scope("bench", bench_scopes(), table, what);
        if (!config.rules.empty()) contenders(config.rules, "");  // it names those that there are
        config.what = what;
      });
}

Call<GradcheckConfig> parse_gradcheck(const std::vector<std::string>& arguments,
                                      const Environment& environment) {
  return parse_alone<GradcheckConfig>(
      "gradcheck", gradcheck_options, arguments, 0, environment,
      [](GradcheckConfig&, const OptionTable&, const std::vector<std::string>&) {});
}

}  // namespace basin::apps
