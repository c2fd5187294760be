// `basin data verify`: every picture decoded and cut as training would, the bad ones listed.
#include <set>
#include <utility>

#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"
#include "apps/commands/data_command.h"
#include "apps/evaluation/run_data.h"
#include "core/error.h"
#include "core/io/hash.h"
#include "core/io/json.h"
#include "data/loading/verify.h"
#include "data/sets/load.h"
#include "data/sets/pictures.h"

namespace basin::apps {
namespace {

using Repeated = std::vector<std::pair<std::string, std::string>>;

Json json_of(const std::vector<data::BadImage>& images) {
  Json list = Json::Array{};
  for (const data::BadImage& image : images)
    list.append(
        Json::Object{{"path", image.path}, {"reason", image.reason}, {"unsupported", image.unsupported}});
  return list;
}

Json json_of(const Repeated& pairs) {
  Json list = Json::Array{};
  for (const auto& [copy, original] : pairs) list.append(Json::Object{{"path", copy}, {"same_as", original}});
  return list;
}

Json json_of(const data::ImageFolder& folder, const data::Verification& found, const Repeated& in_train) {
  Json passed_over = Json::Array{};
  for (const std::string& picture : folder.passed_over) passed_over.append(picture);
  return Json::Object{{"split", folder.split},
                      {"files", found.files},
                      {"classes", folder.classes()},
                      {"bytes", static_cast<std::int64_t>(found.bytes)},
                      {"ignored", folder.ignored},
                      {"passed_over", passed_over},
                      {"bad", json_of(found.bad)},
                      {"stray", json_of(found.stray)},
                      {"repeated", json_of(found.repeated)},
                      {"in_train", json_of(in_train)},
                      {"sha256", found.content_hash}};
}

/// SHA-256 of each image's pixels.
std::vector<std::string> sums_of(const data::Dataset& set, const data::Watch& watch) {
  std::vector<std::string> sums(static_cast<std::size_t>(set.size()));
  const std::size_t bytes = set.images.bytes() / sums.size();
  data::watched_for(set.size(), watch, [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    Sha256 sum;
    sum.update(set.images.raw() + at * bytes, bytes);
    sums[at] = sum.hex();
  });
  return sums;
}

std::int64_t repeated_in(const std::vector<std::string>& sums) {
  const std::set<std::string> distinct(sums.begin(), sums.end());
  return static_cast<std::int64_t>(sums.size() - distinct.size());
}

/// How many classes of the split have no image.
std::int64_t empty_classes(const std::vector<std::int64_t>& labels, std::int64_t classes) {
  return classes - static_cast<std::int64_t>(std::set<std::int64_t>(labels.begin(), labels.end()).size());
}

/// Images in memory are checked as they are read.
ExitCode verify_in_memory(const DataToolConfig& config, Terminal& terminal) {
  const data::LoadedData set = data::load_data_set(
      {.name = config.data.name,
       .dir = config.data.dir,
       .limit = config.data.limit,
       .watch = LongWork(terminal).part("reading " + config.data.name, "bytes or images")});
  Table table({{.title = "split", .left = true},
               {.title = "classes"},
               {.title = "empty"},
               {.title = "images"},
               {.title = "repeated"},
               {.title = "in train"},
               {.title = "sha256"}});
  Json splits = Json::Array{};
  std::vector<std::string> train;
  for (const data::Dataset* split : {&set.train, &set.test}) {
    const std::vector<std::string> sums =
        sums_of(*split, LongWork(terminal).part("comparing " + split->split, "images"));
    const std::int64_t repeated = repeated_in(sums), empty = empty_classes(split->labels, split->classes());
    const auto in_train = static_cast<std::int64_t>(data::same_content(train, sums).size());
    if (split == &set.train) train = sums;
    table.add({split->split, std::to_string(split->classes()), std::to_string(empty), grouped(split->size()),
               std::to_string(repeated), std::to_string(in_train), split->hash});
    splits.append(Json::Object{{"split", split->split},
                               {"images", split->size()},
                               {"classes", split->classes()},
                               {"empty_classes", empty},
                               {"repeated", repeated},
                               {"in_train", in_train},
                               {"sha256", split->hash}});
  }
  terminal.repaint("");
  terminal.result(table.text(terminal.unicode()));
  Json document;
  document.set("data", config.data.name).set("splits", splits);
  terminal.result(document);
  return ExitCode::success;
}

}  // namespace

ExitCode verify_data(const DataToolConfig& config, Terminal& terminal) {
  if (!data::is_picture_set(config.data.name)) return verify_in_memory(config, terminal);
  const data::PictureTransform changed = training_transform(config.data);
  const data::PictureTransform as_is = evaluation_transform(config.data);
  data::ImageFolders folders =
      data::load_pictures({.name = config.data.name,
                           .dir = config.data.dir,
                           .train_shards = config.data.train_shards,
                           .test_shards = config.data.test_shards},
                          LongWork(terminal).part("listing " + config.data.name, "pictures"));
  folders.train = limited(std::move(folders.train), config.data.limit);
  Table table({{.title = "split", .left = true},
               {.title = "classes"},
               {.title = "empty"},
               {.title = "pictures"},
               {.title = "bad"},
               {.title = "stray bytes"},
               {.title = "repeated"},
               {.title = "in train"},
               {.title = "passed over"},
               {.title = "other files"}});
  Json splits = Json::Array{};
  std::string list, stray;
  std::size_t bad = 0, odd = 0;
  std::vector<std::string> train;  // sums
  for (const data::ImageFolder* folder : {&folders.train, &folders.test}) {
    const bool first = folder == &folders.train;
    const data::FolderSource source(*folder, first ? changed : as_is, config.seed);
    const data::Verification found =
        data::verify(source, LongWork(terminal).part("decoding " + folder->split, "pictures"));
    Repeated in_train;
    for (const auto& [i, k] : data::same_content(train, found.sums))
      in_train.emplace_back(folder->files[static_cast<std::size_t>(i)].path, folders.train.path_of(k));
    if (first) train = found.sums;
    table.add({folder->split, std::to_string(folder->classes()),
               std::to_string(empty_classes(folder->labels(), folder->classes())), grouped(found.files),
               std::to_string(found.bad.size()), std::to_string(found.stray.size()),
               std::to_string(found.repeated.size()), std::to_string(in_train.size()),
               std::to_string(folder->passed_over.size()), std::to_string(folder->ignored)});
    bad += found.bad.size();
    odd += found.stray.size();
    for (const data::BadImage& image : found.bad) list += image.reason + "\n";
    if (stray.empty() && !found.stray.empty())
      stray = text(folder->path_of(found.stray[0].index), ": ", found.stray[0].reason);
    for (const std::string& picture : folder->passed_over)
      list += text(folder->root, "/", picture, " (passed over)\n");
    for (const auto& [copy, original] : found.repeated)
      list += text(folder->root, "/", copy, ": the same bytes as ", original, "\n");
    for (const auto& [copy, original] : in_train)
      list += text(folder->root, "/", copy, ": the same bytes as the training picture ", original, "\n");
    splits.append(json_of(*folder, found, in_train));
  }
  terminal.repaint("");
  terminal.result(table.text(terminal.unicode()));
  if (odd > 0) list += text(odd, " pictures with stray bytes, which cost no pixel, the first ", stray, "\n");
  if (!list.empty()) terminal.result("\n" + list);
  Json document;
  document.set("dir", config.data.dir).set("splits", splits);
  terminal.result(document);
  return bad == 0 ? ExitCode::success : ExitCode::check_failed;
}

}  // namespace basin::apps
