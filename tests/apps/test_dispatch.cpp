// The whole program in process: which command runs, what goes to which stream, which exit code comes back.
#include "apps/cli/dispatch.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <new>
#include <sstream>
#include <tuple>

#include "apps/cli/completion.h"
#include "apps/cli/help.h"
#include "apps/commands/commands.h"
#include "apps/commands/train.h"
#include "core/error.h"
#include "core/io/files.h"

using namespace basin;
using namespace basin::apps;

namespace {

struct Outcome {
  int code;
  std::string out, err;
};

Runner runner_that(const std::function<int(Terminal&)>& act) {
  return [act](Call&, Terminal& t) { return ExitCode{act(t)}; };
}

Outcome basin_call(const std::vector<std::string>& arguments, const Runner& runner,
                   const Environment& environment = {}) {
  std::ostringstream out, err;
  const int code = run_basin(program(), arguments, environment, {out, err, {}}, runner);
  return {code, out.str(), err.str()};
}

Outcome basin_call(const std::vector<std::string>& arguments) {
  return basin_call(arguments, runner_that([](Terminal&) -> int { throw InternalError("not to be run"); }));
}

const Command& command_of(const std::string& name) {
  for (const Command& command : program().commands)
    if (command.name == name) return command;
  throw InternalError("[test] no command ", name);
}

std::string on_one_line(const std::string& text) {
  std::istringstream in(text);
  std::string line;
  for (std::string word; in >> word;) line += (line.empty() ? "" : " ") + word;
  return line;
}

int longest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t longest = 0;
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  return static_cast<int>(longest);
}

}  // namespace

TEST_CASE("bare basin: usage on stderr, exit 2, --help: the same on stdout, exit 0") {
  const Outcome bare = basin_call({}), help = basin_call({"--help"});
  CHECK(bare.code == 2);
  CHECK(bare.out.empty());
  CHECK(help.code == 0);
  CHECK(help.err.empty());
  CHECK(help.out == bare.err);
  CHECK(std::count(help.out.begin(), help.out.end(), '\n') <= 40);
  for (const Command& command : program().commands)
    CHECK(help.out.find("\n  " + command.name) != std::string::npos);
}

TEST_CASE("--version is one line") {
  const Outcome version = basin_call({"--version"});
  CHECK(version.code == 0);
  CHECK(version.out.starts_with("basin 0."));
  CHECK(version.out.find('\n') == version.out.size() - 1);
  CHECK(basin_call({"--version", "x"}).code == 2);
}

TEST_CASE("an unknown command is named, with a suggestion") {
  const Outcome outcome = basin_call({"trian", "--lr", "1"});
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  std::string names;
  for (const std::string& name : program().command_names())
    names += (names.empty() ? "" : name == program().command_names().back() ? " or " : ", ") + name;
  CHECK(outcome.err == "basin: unknown command 'trian'; there are " + names + "; did you mean train?\n");
  CHECK(basin_call({"--epochs", "3"}).code == 2);
}

TEST_CASE("help of every command lists every option with its default and fits the width") {
  const Command& train = command_of("train");
  const std::unique_ptr<Call> call = train.make();
  const OptionTable table = call->table();
  for (const int width : {40, 60, 80, 100}) {
    const std::string help = command_help(train, table, width);
    CAPTURE(width);
    CHECK(longest_line(help) <= width);
    for (const Option& option : table.options()) CHECK(help.find("-" + option.flag) != std::string::npos);
  }
  const std::string help = command_help(train, table, 100);
  CHECK(help.find("learning rate at its peak [0.1; adam: 0.001; adamw: 0.001; rmsprop:") !=
        std::string::npos);
  CHECK(help.find("--no-progress") != std::string::npos);
  // Choices are listed where the text does not go through them one by one.
  const std::string words = on_one_line(help);
  CHECK(words.find("the weights; one of sgd, adam, adamw, rmsprop or lion [sgd]") != std::string::npos);
  CHECK(words.find("one of paper,") == std::string::npos);
  for (const Command& command : program().commands) {
    const Outcome outcome = basin_call({command.name, "--help"});
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    CHECK(outcome.out.starts_with("usage: basin " + command.name));
  }
  // Help is help, whatever else is wrong with the line.
  CHECK(basin_call({"train", "--lr", "nan", "-h"}).code == 0);
}

TEST_CASE("every option says something, once, under a known group") {
  for (const Command& command : program().commands) {
    CAPTURE(command.name);
    const std::unique_ptr<Call> call = command.make();
    const OptionTable table = call->table();
    std::vector<std::string> flags = table.flags();
    std::sort(flags.begin(), flags.end());
    CHECK(std::adjacent_find(flags.begin(), flags.end()) == flags.end());
    for (const Option& option : table.options()) {
      CAPTURE(option.flag);
      CHECK_FALSE(option.help.empty());
      CHECK_FALSE(option.binding.allowed.empty());
      CHECK(option.binding.print() == option.standard);
      // A default is a value that the option takes; only the preset's is none.
      if (option.flag != "preset") option.binding.assign(option.standard);
      CHECK(option.binding.print() == option.standard);
      CHECK((option.role == Role::call) == option.key.empty());
      for (const std::vector<Clause>& condition : option.conditions)
        for (const Clause& clause : condition) CHECK(table.by_flag(clause.decider) != nullptr);
      for (const std::string& alias : option.aliases)
        CHECK((alias == option.flag || table.by_flag(alias) == nullptr || alias == "sam"));
    }
  }
}

TEST_CASE("completion knows every command, every spelling of its options, and the words that may follow") {
  const std::vector<CommandCompletion> all = completions(program());
  REQUIRE(all.size() == program().commands.size());
  const auto find = [&](const std::string& command, const std::string& word) -> const CompletionOption* {
    for (const CommandCompletion& one : all)
      for (const CompletionOption& option : one.options)
        if (one.name == command && option.word == word) return &option;
    return nullptr;
  };
  REQUIRE(find("train", "--optimizer") != nullptr);
  CHECK(find("train", "--optimizer")->takes_value);
  CHECK(find("train", "--optimizer")->choices ==
        std::vector<std::string>{"sgd", "adam", "adamw", "rmsprop", "lion"});
  CHECK(find("train", "--run")->placeholder == "DIR");
  CHECK_FALSE(find("train", "--nesterov")->takes_value);
  CHECK(find("train", "--no-nesterov") != nullptr);
  CHECK(find("train", "--no-force") == nullptr);
  CHECK(find("export", "-o")->takes_value);
  CHECK(find("gradcheck", "-h") != nullptr);
  CHECK(find("gradcheck", "--model") == nullptr);
  // What is offered is taken.
  for (const Command& command : program().commands) {
    const std::unique_ptr<Call> call = command.make();
    const OptionTable table = call->table();
    for (const std::string& flag : table.flags()) CHECK(find(command.name, "--" + flag) != nullptr);
  }
}

TEST_CASE("docs/command-line.md holds the options as they are") {
  const std::string page = read_file(BASIN_SOURCE_DIR "/docs/command-line.md");
  const std::string body = help_markdown(program());
  CHECK(basin_call({"--help-markdown"}).out == body);
  // On a failure: build/release/basin --help-markdown, and paste it below the line "<!-- ... -->".
  CHECK(page.ends_with(body));
}

TEST_CASE("exceptions end as one line and their exit code") {
  const auto failing = [](auto error) { return runner_that([error](Terminal&) -> int { throw error; }); };
  const auto code_and_line = [&](const Runner& runner) {
    const Outcome outcome = basin_call({"info"}, runner);
    CHECK(outcome.out.empty());
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    return std::to_string(outcome.code) + " " + outcome.err;
  };
  CHECK(code_and_line(failing(UsageError("what"))) == "2 basin: what\n");
  CHECK(code_and_line(failing(DataError("a\nb"))) == "3 basin: a b\n");
  CHECK(code_and_line(failing(CheckpointError("what"))) == "4 basin: what\n");
  CHECK(code_and_line(failing(NumericalError("what"))) == "5 basin: what\n");
  CHECK(code_and_line(failing(MemoryError("what"))) == "6 basin: what\n");
  CHECK(code_and_line(failing(CheckFailedError("what"))) == "7 basin: what\n");
  CHECK(code_and_line(failing(OutputError("what"))) == "8 basin: what\n");
  CHECK(code_and_line(failing(std::bad_alloc())).starts_with("6 basin: out of memory; "));
  for (const std::string& line :
       {code_and_line(failing(InternalError("what"))), code_and_line(failing(std::runtime_error("what"))),
        code_and_line(failing(42))}) {
    CHECK(line.starts_with("1 basin: "));
    CHECK(line.find("please report it") != std::string::npos);
  }
}

TEST_CASE("commands get their configuration, and their exit code is the program's") {
  std::vector<std::string> seen;
  const Runner train = [&](Call& call, Terminal&) {
    const TrainConfig& config = dynamic_cast<TrainCall&>(call).config;
    seen = config.run.command;
    return config.schedule.epochs == 3 ? ExitCode::success : ExitCode::internal;
  };
  CHECK(basin_call({"train", "--epochs", "3"}, train).code == 0);
  CHECK(seen == std::vector<std::string>{"basin", "train", "--epochs", "3"});
  CHECK(basin_call({"eval", "--weights", "f", "--model", "mlp", "--data", "mnist"},
                   runner_that([](Terminal&) { return 130; }))
            .code == 130);
}

TEST_CASE("-v tells where values are from, on stderr, --print-config runs nothing") {
  const Runner none = runner_that([](Terminal&) -> int { throw InternalError("not to be run"); });
  const Outcome outcome =
      basin_call({"train", "-v", "--lr", "0.2", "--print-config"}, none, {{"BASIN_EPOCHS", "3"}});
  CHECK(outcome.code == 0);
  CHECK(outcome.out.find("lr = 0.2\n") != std::string::npos);
  CHECK(outcome.err == "option optimizer.lr = 0.2 (--lr)\noption schedule.epochs = 3 (BASIN_EPOCHS)\n");
}

TEST_CASE("a stdout that cannot be written is exit 8") {
  std::ostringstream err;
  std::ostream broken(nullptr);
  CHECK(run_basin(program(), {"--help"}, {}, {broken, err, {}}) == 8);
  CHECK(err.str().starts_with("basin: stdout: "));
}

namespace {

// A stdout whose writes fail with an errno of its own until it is mended.
struct FailingBuffer : std::stringbuf {
  int reason;
  explicit FailingBuffer(int number) : reason(number) {}
  std::streamsize xsputn(const char* text, std::streamsize count) override {
    if (reason == 0) return std::stringbuf::xsputn(text, count);
    errno = reason;
    return 0;
  }
};

}  // namespace

TEST_CASE("a command whose reader has gone ends quietly with 141, on a full disk with 8 and the reason") {
  const Runner speaking = runner_that([](Terminal& t) {
    t.result("a line");
    return 0;
  });
  for (const auto& [reason, code, line] : {std::tuple{EPIPE, 141, ""},
                                           {ENOSPC, 8, "basin: stdout: No space left on device\n"},
                                           {EIO, 8, "basin: stdout: Input/output error\n"}}) {
    for (const std::string& command : {std::string("info"), std::string("--version")}) {
      CAPTURE(command);
      FailingBuffer buffer(reason);
      std::ostream out(&buffer);
      std::ostringstream err;
      CHECK(run_basin(program(), {command}, {}, {out, err, {}}, speaking) == code);
      CHECK(err.str() == line);
    }
  }
}

TEST_CASE("a terminal that outlives its stdout says so once and writes again when it can") {
  FailingBuffer buffer(EPIPE);
  std::ostream out(&buffer);
  std::ostringstream err;
  Terminal terminal(out, err, {}, {});
  CHECK_THROWS_AS(terminal.result("one"), BrokenPipe);
  out.clear();
  terminal.outlive_stdout();
  CHECK(terminal.stdout_error().empty());
  terminal.result("two");
  terminal.result("three");
  CHECK(err.str() == "warning: stdout: Broken pipe; the command goes on without it\n");
  buffer.reason = 0;
  terminal.result("four");
  CHECK(buffer.str() == "four\n");
  CHECK(terminal.stdout_error() == "stdout: Broken pipe");
}

TEST_CASE("a stderr that fails for a while costs what was said in the meantime and nothing else") {
  FailingBuffer buffer(EIO);
  std::ostream err(&buffer);
  std::ostringstream out;
  Terminal terminal(out, err, {}, {});
  terminal.note("lost");
  terminal.warn("lost too");
  buffer.reason = 0;
  terminal.note("here");
  CHECK(buffer.str() == "here\n");
}
