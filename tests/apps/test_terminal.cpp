// Streams, repainting, the log; progress lines on terminals and elsewhere.
#include "apps/cli/terminal.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"
#include "apps/report/tables.h"
#include "apps/training/progress.h"
#include "core/error.h"
#include "core/io/files.h"
#include "tests/apps/streams.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using test::FakeTerminal;
using test::repainting;
using test::TemporaryDirectory;

namespace {

// A step of a run with ten steps an epoch.
StepRecord step_record(std::int64_t step) {
  return {.step = step,
          .epoch = (step + 9) / 10,
          .images = 100,
          .correct = 50,
          .loss = 0.5,
          .loss_perturbed = 0.75,
          .gradient_norm = 1.3125,
          .lr = 0.1,
          .seconds = 0.5,
          .data_seconds = 0.01};
}

// A clock that is turned by hand.
struct HandClock {
  std::shared_ptr<double> now = std::make_shared<double>(0);
  Clock clock() const {
    return [time = now] { return *time; };
  }
};

class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old, had_ = true;
    if (value) {
      ::setenv(name, value, 1);
    } else {
      ::unsetenv(name);
    }
  }
  ~ScopedVariable() { had_ ? ::setenv(name_, old_.c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::string old_;
  bool had_ = false;
};

}  // namespace

TEST_CASE("results go to stdout, the log to stderr") {
  FakeTerminal t;
  t.terminal.result("table\n");
  t.terminal.result("line");
  t.terminal.note("note");
  t.terminal.detail("detail");
  t.terminal.warn("careful");
  t.terminal.result(Json::Object{{"a", 1}});
  CHECK(t.out.str() == "table\nline\n");
  CHECK(t.err.str() == "note\nwarning: careful\n");
}

TEST_CASE("--json leaves one document on stdout, --quiet only warnings on stderr, --verbose adds details") {
  FakeTerminal json({.json = true});
  json.terminal.result("table\n");
  json.terminal.result(Json::Object{{"a", 1}});
  CHECK(parse_json(json.out.str()) == Json(Json::Object{{"a", 1}}));
  FakeTerminal quiet({.quiet = true});
  quiet.terminal.note("note");
  quiet.terminal.warn("careful");
  CHECK(quiet.err.str() == "warning: careful\n");
  FakeTerminal verbose({.verbose = true});
  verbose.terminal.detail("detail");
  CHECK(verbose.err.str() == "detail\n");
}

TEST_CASE("log.txt has everything, also what came before it was opened, and is appended to") {
  const TemporaryDirectory directory;
  for (const char* expected :
       {"early\ndetail\nresult\nwarning: careful\n",
        "early\ndetail\nresult\nwarning: careful\nearly\ndetail\nresult\nwarning: careful\n"}) {
    FakeTerminal t({.quiet = true}, repainting(80));
    t.terminal.note("early");
    t.terminal.open_log(directory / "log.txt");
    t.terminal.detail("detail");
    t.terminal.repaint("50 %");
    t.terminal.result("result");
    t.terminal.warn("careful");
    CHECK(read_file(directory / "log.txt") == expected);
    CHECK_FALSE(t.terminal.log_incomplete());
  }
  FakeTerminal t;
  t.terminal.open_log("/nonexistent/log.txt");
  t.terminal.note("a");
  t.terminal.note("b");
  CHECK(t.err.str() == "warning: [open] /nonexistent/log.txt: No such file or directory\na\nb\n");
  CHECK(t.terminal.log_incomplete());
}

TEST_CASE("the repainted line makes room for others and goes at the end") {
  std::ostringstream out, err;
  {
    Terminal terminal(out, err, repainting(80), {});
    terminal.repaint("50 %");
    terminal.repaint("50 %");
    terminal.note("note");
    terminal.repaint("60 %");
  }
  CHECK(err.str() == "\r50 %\x1b[K\r\x1b[Knote\n\r50 %\x1b[K\r60 %\x1b[K\r\x1b[K");
  FakeTerminal plain;
  plain.terminal.repaint("50 %");
  CHECK(plain.err.str().empty());
}

TEST_CASE("what a terminal can do is asked of the environment") {
  const ScopedVariable lc_all("LC_ALL", nullptr), lc_ctype("LC_CTYPE", nullptr);
  const auto unicode = [](const char* lang) {
    const ScopedVariable set("LANG", lang);
    return detect_terminal().unicode;
  };
  CHECK(unicode("de_DE.UTF-8"));
  CHECK(unicode("C.utf8"));
  CHECK_FALSE(unicode("C"));
  CHECK_FALSE(unicode(nullptr));
  const ScopedVariable overriding("LC_ALL", "C");
  CHECK_FALSE(unicode("de_DE.UTF-8"));
  const ScopedVariable dumb("TERM", "dumb");
  CHECK_FALSE(detect_terminal().repaint);
}

TEST_CASE("a progress line fits every width and keeps what matters") {
  for (int width = 2; width <= 140; ++width) {
    FakeTerminal t({}, repainting(width, true));
    Progress progress(t.terminal, {.epochs = 200, .steps_per_epoch = 10, .total_steps = 2000});
    progress.step(step_record(7));
    const std::string painted = t.err.str();
    const std::string line = painted.substr(1, painted.find('\x1b') - 1);
    CAPTURE(line);
    CHECK(columns(line) <= width - 1);
    if (width >= 60) CHECK(line.find("loss 0.5") != std::string::npos);
    if (width >= 60) CHECK(line.find("eta") != std::string::npos);
  }
}

TEST_CASE("all fields, in order") {
  const HandClock hand;
  FakeTerminal t({}, repainting(200, true));
  Progress progress(t.terminal, {.epochs = 20, .steps_per_epoch = 10, .total_steps = 200}, hand.clock());
  *hand.now = 3.5;
  for (std::int64_t step = 1; step <= 7; ++step) progress.step(step_record(step));
  // Seven steps are painted once: the first; later ones come within a tenth of a second.
  *hand.now = 4;
  progress.step(step_record(8));
  const std::string expected = "\repoch  1/20  " + bar(0.8, 14, true) +
                               "   80%  loss 0.5000  loss(w+ε) 0.7500  acc 50.0  |g| 1.31  lr 0.1  200 img/s "
                               " data 2%  eta 1m36s\x1b[K";
  const std::string painted = t.err.str();
  CHECK(painted.ends_with(expected));
  CHECK(std::count(painted.begin(), painted.end(), '\r') == 2);
}

TEST_CASE("elsewhere: plain lines every --log-every, no control characters") {
  FakeTerminal t({.log_every = {0.5, Period::Unit::epochs}});
  Progress progress(t.terminal, {.epochs = 2, .steps_per_epoch = 10, .total_steps = 20}, HandClock().clock());
  for (std::int64_t step = 1; step <= 20; ++step) progress.step(step_record(step));
  LongWork(t.terminal).part("evaluating", "images")(1, 2);
  progress.clear();
  const std::string lines = t.err.str();
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 4);
  CHECK(lines.find_first_of("\r\x1b") == std::string::npos);
  CHECK(lines.starts_with("epoch 1/2   50%  step 5  loss 0.5000  loss(w+e) 0.7500  acc 50.0"));
  FakeTerminal silent({.progress = false});
  Progress none(silent.terminal, {.epochs = 1, .steps_per_epoch = 10, .total_steps = 10});
  for (std::int64_t step = 1; step <= 10; ++step) none.step(step_record(step));
  CHECK(silent.err.str().empty());
}

TEST_CASE("a bar, and fields that give way by rank") {
  CHECK(bar(0, 4, false) == "----");
  CHECK(bar(0.5, 4, false) == "##--");
  CHECK(bar(7, 4, true) == "━━━━");
  CHECK(fitted({{"aaa", 0}, {"bbb", 2}, {"ccc", 1}}, 13) == "aaa  bbb  ccc");
  CHECK(fitted({{"aaa", 0}, {"bbb", 2}, {"ccc", 1}}, 12) == "aaa  ccc");
  CHECK(fitted({{"äöü", 0}}, 2) == "äö");
  CHECK(fitted({{"aaa", 0}}, 0).empty());
}

TEST_CASE("pulses in steps and epochs depend on the step alone, in seconds on the clock") {
  const auto beats = [](Period period, std::int64_t from, std::int64_t to) {
    PeriodicTimer timer(period, 10, HandClock().clock());
    std::vector<std::int64_t> found;
    for (std::int64_t step = from + 1; step <= to; ++step) {
      if (timer.due(step)) found.push_back(step);
    }
    return found;
  };
  CHECK(beats({5, Period::Unit::steps}, 0, 16) == std::vector<std::int64_t>{5, 10, 15});
  CHECK(beats({5, Period::Unit::steps}, 7, 16) == std::vector<std::int64_t>{10, 15});
  CHECK(beats({1, Period::Unit::epochs}, 0, 25) == std::vector<std::int64_t>{10, 20});
  CHECK(beats({0.25, Period::Unit::epochs}, 0, 10) == std::vector<std::int64_t>{3, 5, 8, 10});
  CHECK(beats({0.01, Period::Unit::epochs}, 0, 3) == std::vector<std::int64_t>{1, 2, 3});
  CHECK(beats({}, 0, 100).empty());

  const HandClock hand;
  PeriodicTimer minute({60, Period::Unit::seconds}, 10, hand.clock());
  CHECK_FALSE(minute.due(1));
  *hand.now = 61;
  CHECK(minute.due(2));
  CHECK_FALSE(minute.due(3));
  *hand.now = 121;
  CHECK(minute.due(4));
}

TEST_CASE("tables are aligned by columns, not bytes") {
  Table table({{.title = "név", .left = true}, {.title = "x"}});
  table.add({"ö", "10"});
  table.add({"long name", "5"});
  CHECK(table.text(true) == "név         x\n─────────  ──\nö          10\nlong name   5\n");
  CHECK(table.text(false).find("---------  --\n") != std::string::npos);
  CHECK_THROWS_AS(table.add({"one"}), ArgumentError);
  const Table epochs = epoch_table({.perturbed = true}, false);
  CHECK(columns(epochs.titles()) == columns(epochs.rule(false)));
  const EpochRecord record{
      .epoch = 11, .train_loss = 0.43, .train_accuracy = 0.85123, .test_accuracy = 0.834};
  const std::string row = epochs.row(epoch_cells(record, {.perturbed = true}));
  CHECK(row.find("85.12") != std::string::npos);
  CHECK(row.find("83.40") != std::string::npos);
  CHECK(columns(row) <= columns(epochs.rule(false)));
}

TEST_CASE("numbers as people read them") {
  CHECK(fixed(0.43014, 4) == "0.4301");
  CHECK(fixed(-1.0 / 0.0, 2) == "-inf");
  CHECK(fixed(0.0 / 0.0, 2).find("nan") != std::string::npos);
  CHECK(fixed(1e300, 2).size() < 10);
  CHECK(significant(0.09914, 3) == "0.0991");
  CHECK(significant(0.0000123, 2) == "1.2e-05");
  CHECK(percent(0.8512, 2) == "85.12");
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(50000) == "50,000");
  CHECK(grouped(-1234567) == "-1,234,567");
  CHECK(duration_text(9.44) == "9.4s");
  CHECK(duration_text(59.4) == "59s");
  CHECK(duration_text(192) == "3m12s");
  CHECK(duration_text(3599.6) == "1h00m");
  CHECK(duration_text(7500) == "2h05m");
  CHECK(duration_text(273600) == "3d04h");
  CHECK(duration_text(999 * 86400.0) == "999d00h");
  CHECK(duration_text(1000 * 86400.0) == "2.74y");
  CHECK(duration_text(365.25 * 86400 * 291) == "291y");
  CHECK(duration_text(-1) == "?");
  CHECK(columns("w+ε ━") == 5);
  CHECK(padded_left("ε", 3) == "  ε");
}
