// Files of tensors read once, against their checksums.
#include <filesystem>

#include "apps/checkpoints/checkpoint_tools.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"
#include "apps/runs/environment.h"
#include "apps/weights/weight_file.h"
#include "core/io/directory.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

bool holds_tensors(const std::string& name) {
  return name.ends_with(".safetensors") || name.ends_with(".npz");
}

/// The files that a path stands for.
std::vector<std::string> files_at(const std::string& path) {
  if (kind_of_file(path) != FileKind::directory) return {path};
  std::vector<std::string> files;
  for (const std::string& folder : {path, path + "/members"}) {
    if (kind_of_file(folder) != FileKind::directory) continue;
    for (const std::string& name : list_directory(folder))
      if (holds_tensors(name)) files.push_back((std::filesystem::path(folder) / name).string());
  }
  if (files.empty())
    throw CheckpointError("[ckpt] ", path, " holds no file of tensors (*.safetensors, *.npz)");
  return files;
}

std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> all;
  for (const std::string& path : paths) {
    if (kind_of_file(path) == FileKind::none) throw CheckpointError("[ckpt] ", path, " is not there");
    for (const std::string& file : files_at(path)) all.push_back(file);
  }
  return all;
}

}  // namespace

ExitCode verify_files(const std::vector<std::string>& paths, Terminal& terminal) {
  const std::vector<std::string> files = files_of(paths);
  Table table({{.title = "file", .left = true},
               {.title = "tensors"},
               {.title = "size"},
               {.title = "state", .left = true}});
  Json rows = Json::Array{};
  std::int64_t damaged = 0, done = 0;
  const data::Watch watch = LongWork(terminal).part("verifying", "files");
  for (const std::string& path : files) {
    Json row;
    row.set("file", path);
    std::string state, tensors, size;
    try {
      const WeightFile file(path);
      const auto bytes = static_cast<std::int64_t>(InputFile(path).size());
      tensors = std::to_string(file.tensors().size());
      size = bytes_text(bytes);
      row.set("tensors", file.tensors().size()).set("bytes", bytes);
      const bool summed = file.verify();
      state = summed ? "whole" : "whole, no checksums (another program's file)";
      row.set("whole", true).set("checksums", summed);
    } catch (const Error& error) {
      ++damaged;
      state = text("damaged: ", error.what());
      row.set("whole", false).set("reason", error.what());
    }
    table.add({path, tensors, size, state});
    rows.append(std::move(row));
    watch(++done, std::ssize(files));
  }
  terminal.repaint("");
  terminal.result(table.text(terminal.unicode()));
  terminal.result(
      text("\n", files.size(), files.size() == 1 ? " file, " : " files, ", damaged, " damaged\n"));
  Json document;
  terminal.result(document.set("files", std::move(rows)).set("damaged", damaged));
  return damaged > 0 ? ExitCode::check_failed : ExitCode::success;
}

}  // namespace basin::apps
