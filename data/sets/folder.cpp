#include "data/sets/folder.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "core/io/directory.h"
#include "data/formats/file.h"
#include "data/sets/annotated.h"
#include "data/sets/picture_files.h"

namespace basin::data {
namespace {

namespace fs = std::filesystem;

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

// What is in a folder.
std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::error_code failure;
  std::vector<fs::directory_entry> entries;
  fs::directory_iterator at(folder, failure);
  for (; !failure && at != fs::directory_iterator(); at.increment(failure)) entries.push_back(*at);
  if (failure) throw DataError(folder.string(), ": ", failure.message());
  return entries;
}

// A link that leads nowhere is no folder; what the system does not tell is an error, and no class is lost by
// it.
bool is_folder(const fs::directory_entry& entry) {
  std::error_code failure;
  const bool folder = entry.is_directory(failure);
  if (failure && failure != std::errc::no_such_file_or_directory && failure != std::errc::not_a_directory &&
      failure != std::errc::too_many_symbolic_link_levels)
    throw DataError(entry.path().string(), ": ", failure.message());
  return folder;
}

void list_pictures(const fs::path& folder, const std::string& prefix, std::int64_t label, ImageFolder& out,
                   const Watch& watch) {
  for (const fs::directory_entry& entry : entries_of(folder)) {
    if (watch) watch(out.size(), 0);
    std::error_code failure;
    const std::string path = prefix + entry.path().filename().string();
    if (is_folder(entry)) {
      if (hidden(entry.path())) continue;
      if (entry.is_symlink(failure))
        out.passed_over.push_back(path + ": a link to a folder, which is not followed below a class");
      else
        list_pictures(entry.path(), path + "/", label, out, watch);
      continue;
    }
    const Ending ending = hidden(entry.path()) ? Ending::other : ending_of(path);
    if (ending == Ending::other)
      ++out.ignored;
    else if (ending == Ending::foreign)
      out.passed_over.push_back(path + ": of a format that is not read, convert it to JPEG or PNG");
    else
      out.files.push_back({.path = path, .label = label});
  }
}

// The names of the folders in `out.root`, sorted; what lies beside them is counted in `out`.
std::vector<std::string> class_folders(ImageFolder& out) {
  if (kind_of_file(out.root) != FileKind::directory) {
    throw DataError(out.root,
                    ": no such folder; an image folder is DIR/train/CLASS/*.jpg and DIR/test/CLASS/*.jpg",
                    packed_there(fs::path(out.root).parent_path().string()));
  }
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : entries_of(out.root)) {
    const std::string name = entry.path().filename().string();
    if (is_folder(entry)) {
      if (!hidden(entry.path())) names.push_back(name);
    } else if (!hidden(entry.path()) && ending_of(name) != Ending::other) {
      out.passed_over.push_back(name + ": lies beside the classes' folders, so that it has no class");
    } else {
      ++out.ignored;
    }
  }
  std::sort(names.begin(), names.end());
  if (names.empty()) throw DataError(out.root, ": holds no folder; one a class is expected");
  return names;
}

}  // namespace

ImageFolder scan_image_folder(const std::string& root, const std::vector<std::string>& class_names,
                              const Watch& watch) {
  ImageFolder folder{.root = root, .split = fs::path(root).filename().string()};
  const std::vector<std::string> found = class_folders(folder);
  folder.class_names = class_names.empty() ? found : class_names;
  for (const std::string& name : found) {
    const auto place = std::find(folder.class_names.begin(), folder.class_names.end(), name);
    if (place == folder.class_names.end()) {
      throw DataError((fs::path(root) / name).string(), ": a class that the training folder does not have");
    }
    const std::size_t before = folder.files.size();
    list_pictures(fs::path(root) / name, name + "/", place - folder.class_names.begin(), folder, watch);
    if (class_names.empty() && folder.files.size() == before) {
      throw DataError((fs::path(root) / name).string(), ": a class without pictures");
    }
  }
  if (folder.files.empty()) throw DataError(root, ": holds no picture");
  std::sort(folder.files.begin(), folder.files.end(), [](const ImageFile& a, const ImageFile& b) {
    return std::tie(a.label, a.path) < std::tie(b.label, b.path);
  });
  std::sort(folder.passed_over.begin(), folder.passed_over.end());
  look_up(folder, watch);
  folder.hash = folder_hash(folder);
  return folder;
}

std::vector<std::string> pictures_below(const std::string& root) {
  ImageFolder found{.root = root};
  list_pictures(root, "", 0, found, {});
  std::vector<std::string> paths;
  for (const ImageFile& file : found.files) paths.push_back(file.path);
  std::sort(paths.begin(), paths.end());
  return paths;
}

ImageFolders load_image_folders(const std::string& dir, const std::string& evaluate, const Watch& watch) {
  if (dir.empty()) throw DataError("image folder: no data directory given (--data-dir DIR)");
  ImageFolders folders{.train = scan_image_folder((fs::path(dir) / "train").string(), {}, watch)};
  if (evaluate.empty() || evaluate == "val") {
    if (std::optional<ImageFolder> annotated = read_annotated(dir, folders.train.class_names, watch)) {
      folders.test = std::move(*annotated);
      return folders;
    }
  }
  std::vector<std::string> names = {"test", "val", "validation"};
  if (!evaluate.empty()) names = {evaluate};
  const auto name = std::find_if(names.begin(), names.end(), [&](const std::string& candidate) {
    return kind_of_file((fs::path(dir) / candidate).string()) == FileKind::directory;
  });
  if (name == names.end()) {
    throw DataError(dir, ": no folder ", evaluate.empty() ? "test, val or validation" : evaluate,
                    " beside train to evaluate on");
  }
  folders.test = scan_image_folder((fs::path(dir) / *name).string(), folders.train.class_names, watch);
  return folders;
}

}  // namespace basin::data
