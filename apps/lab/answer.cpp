#include "apps/lab/answer.h"

#include "apps/options/options.h"
#include "apps/report/figure_files.h"
#include "apps/runs/lab_directory.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

constexpr const char* kAnswer = "/answer.json";

std::string question_in(const std::string& directory) { return directory + "/" + kQuestionFile; }

/// Whether the directory was begun for the question.
bool holds(const std::string& directory, const std::string& question) {
  return kind_of_file(question_in(directory)) == FileKind::regular &&
         read_file(question_in(directory)) == question;
}

/// Whether nothing is there that an answer could get in the way of.
bool is_free(const std::string& directory) {
  const FileKind kind = kind_of_file(directory);
  return kind == FileKind::none || (kind == FileKind::directory && list_directory(directory).empty());
}

std::string directory_for(const AnswerConfig& config, const std::string& base, const std::string& command,
                          const std::string& question) {
  if (config.out.empty()) {
    for (int number = 1;; ++number) {
      const std::string path = base + "/" + command + (number == 1 ? "" : text("-", number));
      if (holds(path, question) || is_free(path)) return path;
    }
  }
  if (!holds(config.out, question) && !is_free(config.out))
    throw UsageError("--out ", config.out,
                     kind_of_file(question_in(config.out)) == FileKind::regular
                         ? " holds the answer to another question (its question.json says which)"
                         : " is there and holds something else",
                     "; name another directory");
  return config.out;
}

}  // namespace

void add(OptionTable& t, AnswerConfig& c) {
  t.group("answer", "The answer");
  Option& out =
      t.add_call("out", free_text(c.out, "DIR", "a directory"),
                 "directory for the numbers and pictures (default: below lab/ of the run, one for "
                 "each question); a call that finds its question there goes on where the other ended");
  out.letter = "o";
  out.aliases = {"output"};
  t.add_call("again", toggle(c.again), "compute an answer that is there already anew");
}

Answer::Answer(const AnswerConfig& config, const std::string& base, const std::string& command,
               const Json& question)
    : question_(Json::Object{{"command", command}, {"question", question}}) {
  const std::string words = question_.indented() + "\n";
  path_ = directory_for(config, base, command, words);
  const bool begun = holds(path_, words);
  if (!begun) {
    make_directory(path_);
    write_file_atomically(question_in(path_), words);
  }
  if (!begun || kind_of_file(path_ + kAnswer) != FileKind::regular) return;
  if (config.again) {
    for (const std::string& name : list_directory(path_))
      if (name == "answer.json" || name.ends_with(".jsonl")) remove_file(file(name));
    return;
  }
  earlier_ = read_answer(path_).result;
}

UnitResults Answer::units(const std::string& name) const {
  return UnitResults(file(name + ".jsonl"), question_);
}

void Answer::write(const Json& result, const std::vector<Figure>& figures) const {
  write_figure_files(path_, figures);
  Json document = question_;
  document.set("result", result);
  Json all = Json::Array{};
  for (const Figure& figure : figures) all.append(to_json(figure));
  document.set("figures", all);
  write_file_atomically(path_ + kAnswer, document.indented() + "\n");
}

void Answer::tell(const Json& result, Terminal& terminal) const {
  terminal.result(text("\nnumbers and pictures: ", path_, "\n"));
  terminal.result(Json::Object{{"question", question_.at("question")}, {"result", result}, {"path", path_}});
}

FoundAnswer read_answer(const std::string& directory) {
  const std::string path = directory + kAnswer;
  try {
    const Json json = parse_json(read_file(path));
    FoundAnswer found{.path = directory,
                      .command = json.at("command").string(),
                      .question = json.at("question"),
                      .result = json.at("result")};
    for (const Json& figure : json.at("figures").array()) found.figures.push_back(figure_of(figure));
    return found;
  } catch (const JsonError& error) {
    throw DataError("[answer] ", path, ": ", error.what(), "; remove it and ask again");
  }
}

std::vector<FoundAnswer> answers_in(const std::string& directory) {
  std::vector<FoundAnswer> all;
  if (kind_of_file(directory) != FileKind::directory) return all;
  if (kind_of_file(directory + kAnswer) == FileKind::regular) return {read_answer(directory)};
  for (const std::string& name : list_directory(directory)) {
    if (kind_of_file(directory + "/" + name + kAnswer) == FileKind::regular)
      all.push_back(read_answer(directory + "/" + name));
  }
  return all;
}

std::vector<FoundAnswer> answers_of(const std::string& run) { return answers_in(lab_directory(run)); }

}  // namespace basin::apps
