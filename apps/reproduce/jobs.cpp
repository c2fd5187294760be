#include "apps/reproduce/jobs.h"

#include <algorithm>

#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/reproduce/process.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

/// What `basin` said last before it failed: the line "basin: ...", or all that there is.
std::string last_words(const std::string& log) {
  const std::string text = kind_of_file(log) != FileKind::none ? read_file(log) : "";
  const std::size_t at = text.rfind("basin: ");
  return at == std::string::npos ? "see " + log : text.substr(at + 7, text.find('\n', at) - at - 7);
}

/// One child at work.
struct Child {
  const Job* job;
  Process process;
  double begin;
};

std::vector<std::string> command_line(const Job& job, const StudyMaking& making) {
  std::vector<std::string> words = job.words();
  words.insert(words.begin(), making.program);
  if (!making.data_dir.empty()) words.insert(words.end(), {"--data-dir", making.data_dir});
  words.insert(words.end(), {"--threads", "1", "--workers", "0", "--quiet"});
  return words;
}

}  // namespace

void run_jobs(const std::vector<Job>& jobs, const std::string& what, std::int64_t done,
              const StudyMaking& making, Terminal& terminal) {
  const std::int64_t all = done + std::ssize(jobs);
  const std::string kind = what == "flatness" ? "measurements" : "runs";
  if (!jobs.empty())
    terminal.note(text(what, ": ", grouped(all), " ", kind, ", ", grouped(done), " of them done, ",
                       making.jobs, " at once"));
  const data::Watch watch = LongWork(terminal).part(what, kind);
  const Clock clock = steady_clock();
  const std::vector<std::string> environment = environment_of_runs();
  auto next = jobs.begin();
  std::vector<Child> working;
  try {
    while (next != jobs.end() || !working.empty()) {
      watch(done, all);
      for (; next != jobs.end() && std::ssize(working) < making.jobs; ++next)
        working.push_back(
            {&*next, Process(command_line(*next, making), environment, next->path + ".log"), clock()});
      pause_a_moment();
      for (std::size_t i = 0; i < working.size();) {
        const std::optional<int> code = working[i].process.ended();
        if (!code) {
          ++i;
          continue;
        }
        const Child child = std::move(working[i]);
        working.erase(working.begin() + static_cast<std::ptrdiff_t>(i));
        if (*code != 0 && *code != number(ExitCode::numerical))
          throw Error(*code > 128 ? ExitCode::internal : ExitCode{*code},
                      text(child.job->path, " ended with exit code ", *code, ": ",
                           last_words(child.job->path + ".log")));
        ++done;
        terminal.note(text("[", done, "/", all, "] ", child.job->name, *code ? " diverged" : "", " in ",
                           duration_text(clock() - child.begin)));
      }
    }
    watch(done, all);
  } catch (...) {
    // Saved and ended, whatever was thrown.
    for (Child& child : working) child.process.terminate();
    for (Child& child : working) child.process.wait();
    throw;
  }
  terminal.repaint("");
}

}  // namespace basin::apps
