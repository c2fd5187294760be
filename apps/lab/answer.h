// Answer: the directory where a command of the laboratory keeps what it found, and what it has found so far.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/terminal.h"
#include "apps/report/figure.h"
#include "apps/runs/unit_results.h"
#include "core/io/json.h"

namespace basin::apps {

class OptionTable;

/// Where an answer goes: the options that every command of the laboratory has.
struct AnswerConfig {
  std::string out{};   // the directory; empty: below the run's lab/
  bool again = false;  // computed anew where it is there
};

/// Adds the group "The answer".
void add(OptionTable& table, AnswerConfig& config);

/// A question is all that decides an answer: the command, its options, the statement of what is measured. One
/// directory holds the answer to one question:
///
///     Answer answer(config.answer, run + "/lab", "trace", question);   // run/lab/trace, or trace-2, ...
///     UnitResults probes = answer.units("probes");                     // goes on where it was interrupted
///     ...
///     answer.write(result, figures);
///
/// It holds question.json, units as NAME.jsonl, and at the end answer.json with the result and all figures,
/// and the files of each figure (apps/report/figure_files.h). None of them holds a time, so that a work that
/// was interrupted leaves the same bytes as one that was not.
class Answer {
 public:
  /// Finds the directory that was begun for the question, or makes one: config.out, or else `base`/`command`,
  /// `base`/`command`-2, ..., the first that holds this question or is not there. Errors: UsageError where
  /// config.out holds another question or something else; OutputError.
  Answer(const AnswerConfig& config, const std::string& base, const std::string& command,
         const Json& question);

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// The results of this question's units so far, in NAME.jsonl.
  UnitResults units(const std::string& name) const;

  /// An earlier call's result; null where there is none yet, or it is to be computed anew.
  const Json* earlier() const { return earlier_.is_null() ? nullptr : &earlier_; }

  /// Writes answer.json and the figures' files. Errors: OutputError.
  void write(const Json& result, const std::vector<Figure>& figures) const;
  /// The last words of a command: where the answer lies, and for --json {"question", "result", "path"}.
  void tell(const Json& result, Terminal& terminal) const;

 private:
  std::string path_;
  Json question_;
  Json earlier_{};
};

/// What is in DIR/answer.json.
struct FoundAnswer {
  std::string path{};     // DIR
  std::string command{};  // "hessian"
  Json question{}, result{};
  std::vector<Figure> figures{};
};

/// Errors: DataError for a file that is missing, or is none of these.
FoundAnswer read_answer(const std::string& directory);
/// The finished answers in a directory, by name, or the one that the directory itself holds; none where there
/// is no such directory. Errors: those of read_answer().
std::vector<FoundAnswer> answers_in(const std::string& directory);
/// Those below a run's lab/.
std::vector<FoundAnswer> answers_of(const std::string& run);

}  // namespace basin::apps
