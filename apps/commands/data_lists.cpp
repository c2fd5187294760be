// `basin data split` and `basin data subset`: which pictures a run would hold out, or train on, as lists.
#include <filesystem>

#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/commands/data_command.h"
#include "apps/evaluation/chosen_images.h"
#include "core/error.h"
#include "core/io/csv.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "data/sets/pictures.h"

namespace basin::apps {
namespace {

/// Rows "file,class" with whole paths, which are good from any folder.
std::string list_of(const data::ImageFolder& folder, const std::vector<std::int64_t>& places) {
  std::string text = csv_row({"file", "class"});
  for (const std::int64_t i : places) {
    const std::string path = std::filesystem::absolute(folder.path_of(i)).lexically_normal().string();
    const auto label = static_cast<std::size_t>(folder.files[static_cast<std::size_t>(i)].label);
    text += csv_row({path, folder.class_names[label]});
  }
  return text;
}

std::vector<std::int64_t> all_of(const data::ImageFolder& folder) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < folder.size(); ++i) places.push_back(i);
  return places;
}

}  // namespace

ExitCode list_data(const DataToolConfig& config, const std::string& what, Terminal& terminal) {
  const data::Watch watch = LongWork(terminal).part("listing " + config.data.name, "pictures");
  const data::ImageFolders folders =
      data::load_pictures({.name = config.data.name, .dir = config.data.dir}, watch);
  terminal.repaint("");
  const ChosenImages chosen = choose_images(config.data.name, folders.train.split, folders.train.labels(),
                                            folders.train.class_names, config.data);
  const bool split = what == "split";
  const std::vector<std::int64_t> others = split ? chosen.validation : all_of(folders.test);
  const std::string classes = [&] {
    std::string lines;
    for (const std::string& name : folders.train.class_names) lines += name + "\n";
    return lines;
  }();

  make_directory(config.out);
  Json files = Json::Array{};
  const auto write = [&](const std::string& name, const std::string& content, std::size_t pictures) {
    const std::string path = (std::filesystem::path(config.out) / name).string();
    write_file_atomically(path, content);
    files.append(Json::Object{{"file", path}, {"pictures", pictures}});
    terminal.result(text(path, ": ", grouped(static_cast<std::int64_t>(pictures)), " pictures\n"));
  };
  write("train.csv", list_of(folders.train, chosen.train), chosen.train.size());
  write(split ? "val.csv" : "test.csv", list_of(split ? folders.train : folders.test, others), others.size());
  write_file_atomically((std::filesystem::path(config.out) / "classes.txt").string(), classes);
  terminal.result(text(folders.train.classes(),
                       " classes; to train on them: basin train --data list --data-dir ",
                       shell_word(config.out), "\n"));
  terminal.result(Json(Json::Object{{"lists", files}, {"classes", folders.train.classes()}}));
  return ExitCode::success;
}

}  // namespace basin::apps
