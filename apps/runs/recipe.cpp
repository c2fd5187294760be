#include "apps/runs/recipe.h"

#include <sstream>

#include "apps/options/toml_file.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/hash.h"

namespace basin::apps {

std::vector<TomlEntry> run_entries(const std::string& directory) {
  const std::string path = directory + "/config.toml";
  try {
    if (kind_of_file(directory) != FileKind::directory)
      throw CheckpointError(quote(directory),
                            " is not there; a run directory made by `basin train` is needed");
    if (kind_of_file(path) == FileKind::none)
      throw CheckpointError(quote(directory), " is no run directory: it has no config.toml",
                            list_directory(directory).empty()
                                ? " and nothing else; start the run by --run"
                                : "; if the run was killed as it began, start it again by --run");
  } catch (const ReadError& e) {
    throw CheckpointError(e.what());
  }
  if (const std::string odd = odd_file(path); !odd.empty())
    throw CheckpointError(path, " is ", odd, ", the configuration of a run is needed");
  std::vector<TomlEntry> entries = read_toml(path);
  if (entries.empty())
    throw CheckpointError(
        path, ": is empty, though every run has its options there; put it back, or start anew with --force");
  return entries;
}

std::string recipe_lines(const std::string& toml) {
  TrainConfig config;
  OptionTable table = train_options(config);
  std::string all, section, lines;
  const auto end_section = [&] {
    if (!lines.empty()) all += (all.empty() ? "[" : "\n[") + section + "]\n" + lines;
    lines.clear();
  };
  std::istringstream text(toml);
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with('[')) {
      end_section();
      section = line.substr(1, line.size() - 2);
      continue;
    }
    const Option* option = table.by_path(section + "." + line.substr(0, line.find(' ')));
    if (option && option->role == Role::recipe) lines += line + "\n";
  }
  end_section();
  return all;
}

void check_recipe(const TrainingPosition& saved, const TrainConfig& config, const std::string& directory) {
  const std::string path = directory + "/config.toml";
  if (saved.recipe.empty()) {
    if (saved.config_hash == sha256_text(recipe_toml(config)) ||
        saved.config_hash == sha256_text(recipe_lines(read_file(path))))
      return;
    throw CheckpointError(
        "[resume] ", path,
        " is not what the checkpoint was trained by (their hashes differ): it was edited; put "
        "back what it was, or start a new run with --init");
  }
  if (saved.recipe == recipe_toml(config)) return;

  TrainConfig before = read_recipe(saved.recipe, "the checkpoint's recipe"), now = config;
  OptionTable trained = train_options(before), wanted = train_options(now);
  std::string differences;
  for (const Option& option : wanted.options()) {
    if (option.role != Role::recipe || option.key.empty()) continue;
    const Option& was = *trained.by_flag(option.flag);
    // An option that counts on one side only follows from one that differs on both.
    if (!wanted.applies(option) || !trained.applies(was) || was.binding.print() == option.binding.print())
      continue;
    differences += text(differences.empty() ? "" : ", ", option.path(), " = ", quote(was.binding.print()),
                        " (", path, ": ", quote(option.binding.print()), ")");
  }
  if (differences.empty()) return;
  throw CheckpointError("[resume] the checkpoint was trained with ", differences,
                        "; a run keeps its numbers: put them back, or start a new run with --init");
}

}  // namespace basin::apps
