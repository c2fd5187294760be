// Checkpoints of a run that may go.
#include "apps/checkpoints/checkpoint_tools.h"
#include "apps/runs/checkpoint.h"
#include "apps/runs/directory_lock.h"
#include "apps/runs/environment.h"
#include "core/io/files.h"

namespace basin::apps {

ExitCode prune_checkpoints(const std::string& run, int keep, bool dry_run, Terminal& terminal) {
  const DirectoryLock lock("ckpt", run, "prune when it has ended");
  const auto warn = [&](const std::string& line) { terminal.warn(line); };
  const LoadedCheckpoint newest = load_newest_checkpoint(run, warn);
  Json list = Json::Array{};
  std::int64_t bytes = 0;
  for (const CheckpointFile& old : superseded(run, newest.position.step, keep)) {
    const auto size = static_cast<std::int64_t>(InputFile(old.path).size());
    if (!dry_run) remove_file(old.path);
    terminal.result(text(dry_run ? "would go  " : "removed  ", old.path, "  ", bytes_text(size), "\n"));
    list.append(Json::Object{{"path", old.path}, {"bytes", size}});
    bytes += size;
  }
  const std::size_t count = list.array().size();
  terminal.result(text(count, count == 1 ? " file, " : " files, ", bytes_text(bytes),
                       dry_run ? " would go; " : " gone; ", "the run goes on from ", newest.archive.path(),
                       "\n"));
  Json document;
  document.set("run", run).set("dry_run", dry_run).set("removed", std::move(list)).set("bytes", bytes);
  terminal.result(document.set("newest", newest.archive.path()));
  return ExitCode::success;
}

}  // namespace basin::apps
