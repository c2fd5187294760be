// Where the laboratory keeps its answers about a run.
#pragma once

#include <string>

namespace basin::apps {

/// Each answer is a directory with this file in it.
constexpr const char* kQuestionFile = "question.json";

/// RUN/lab; lab/ of the working directory for an empty `run`: an answer about files of weights, or several
/// runs.
std::string lab_directory(const std::string& run);

/// Removes the run's answers with all that is in their directories, and lab/ itself if nothing else is there:
/// they are about weights that go. Errors: OutputError.
void remove_answers(const std::string& run);

}  // namespace basin::apps
