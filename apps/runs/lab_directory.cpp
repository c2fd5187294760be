#include "apps/runs/lab_directory.h"

#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "core/io/directory.h"

namespace basin::apps {
namespace {

void remove_all_of(const std::string& directory) {
  std::error_code failure;
  std::filesystem::remove_all(directory, failure);
  if (failure) throw OutputError("[run] ", directory, " can't be removed: ", failure.message());
}

}  // namespace

std::string lab_directory(const std::string& run) { return run.empty() ? "lab" : run + "/lab"; }

void remove_answers(const std::string& run) {
  const std::string lab = lab_directory(run);
  if (kind_of_file(lab) != FileKind::directory) return;
  for (const std::string& name : list_directory(lab)) {
    const std::string answer = lab + "/" + name;
    if (kind_of_file(answer) == FileKind::directory &&
        kind_of_file(answer + "/" + kQuestionFile) == FileKind::regular)
      remove_all_of(answer);
  }
  if (list_directory(lab).empty()) remove_all_of(lab);
}

}  // namespace basin::apps
