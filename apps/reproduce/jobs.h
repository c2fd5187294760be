// Jobs: commands of `basin` as processes of their own, several at once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/cli/terminal.h"

namespace basin::apps {

/// How the commands of a study are run.
struct StudyMaking {
  std::string program{};   // the file of `basin`
  std::string data_dir{};  // empty: the data sets' usual places
  std::int64_t jobs = 1;   // at once, each a process with one thread
};

/// One command.
struct Job {
  std::string name{};                               // for the terminal: "sam-seed11"
  std::function<std::vector<std::string>()> words;  // all after the program; asked for when it starts
  std::string path{};                               // of its directory; what it prints goes to PATH.log
};

/// Runs the jobs, `making.jobs` at once, in their order, with the options that each has: --data-dir, one
/// thread, quiet. The terminal shows them as `what`, `done` of such having been done before. A job that ends
/// with exit code 5 has diverged: for a study that is a result as well. Errors: InterruptedError once a
/// signal has come and the jobs have saved; what a job failed with, all others then stopped and saved.
void run_jobs(const std::vector<Job>& jobs, const std::string& what, std::int64_t done,
              const StudyMaking& making, Terminal& terminal);

}  // namespace basin::apps
