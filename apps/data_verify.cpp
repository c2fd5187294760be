// `basin data verify`: every picture decoded, the bad ones listed.
#include "apps/data_command.h"
#include "apps/format.h"
#include "apps/table.h"
#include "core/error.h"
#include "core/json.h"
#include "data/load.h"
#include "data/pictures.h"

namespace basin::apps {
namespace {

Json json_of(const data::ImageFolder& folder, const data::Verification& found) {
  Json bad = Json::Array{}, repeated = Json::Array{};
  for (const data::BadImage& image : found.bad)
    bad.append(Json::Object{{"path", image.path}, {"reason", image.reason}});
  for (const auto& [copy, original] : found.repeated)
    repeated.append(Json::Object{{"path", copy}, {"same_as", original}});
  return Json::Object{{"split", folder.split},       {"files", found.files},
                      {"classes", folder.classes()}, {"bytes", static_cast<std::int64_t>(found.bytes)},
                      {"ignored", folder.ignored},   {"bad", bad},
                      {"repeated", repeated},        {"sha256", found.content_hash}};
}

/// Images in memory are checked as they are read.
int verify_in_memory(const DataToolConfig& config, Terminal& terminal) {
  const data::LoadedData set =
      data::load_data_set({.name = config.data.name, .dir = config.data.dir, .limit = config.data.limit});
  Table table(
      {{.title = "split", .left = true}, {.title = "classes"}, {.title = "images"}, {.title = "sha256"}});
  Json splits = Json::Array{};
  for (const data::Dataset* split : {&set.train, &set.test}) {
    table.add({split->split, std::to_string(split->classes()), grouped(split->size()), split->hash});
    splits.append(Json::Object{{"split", split->split},
                               {"images", split->size()},
                               {"classes", split->classes()},
                               {"sha256", split->hash}});
  }
  terminal.result(table.text(terminal.unicode()));
  Json document;
  document.set("data", config.data.name).set("splits", splits);
  terminal.result(document);
  return static_cast<int>(ExitCode::success);
}

}  // namespace

int verify_data(const DataToolConfig& config, Terminal& terminal) {
  if (!data::is_picture_set(config.data.name)) return verify_in_memory(config, terminal);
  const data::ImageFolders folders = data::load_pictures({.name = config.data.name,
                                                          .dir = config.data.dir,
                                                          .train_shards = config.data.train_shards,
                                                          .test_shards = config.data.test_shards});
  Table table({{.title = "split", .left = true},
               {.title = "classes"},
               {.title = "pictures"},
               {.title = "bad"},
               {.title = "repeated"},
               {.title = "other files"}});
  Json splits = Json::Array{};
  std::string list;
  std::size_t bad = 0;
  for (const data::ImageFolder* folder : {&folders.train, &folders.test}) {
    terminal.repaint(text("decoding ", folder->split, ": ", grouped(folder->size()), " pictures"));
    const data::Verification found = data::verify(*folder);
    table.add({folder->split, std::to_string(folder->classes()), grouped(found.files),
               std::to_string(found.bad.size()), std::to_string(found.repeated.size()),
               std::to_string(folder->ignored)});
    bad += found.bad.size();
    for (const data::BadImage& image : found.bad) list += image.reason + "\n";
    for (const auto& [copy, original] : found.repeated)
      list += text(folder->root, "/", copy, ": the same bytes as ", original, "\n");
    splits.append(json_of(*folder, found));
  }
  terminal.repaint("");
  terminal.result(table.text(terminal.unicode()));
  if (!list.empty()) terminal.result("\n" + list);
  Json document;
  document.set("dir", config.data.dir).set("splits", splits);
  terminal.result(document);
  return static_cast<int>(bad == 0 ? ExitCode::success : ExitCode::check_failed);
}

}  // namespace basin::apps
