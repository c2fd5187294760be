// Where answers go: one directory a question, found again, never mixed up.
#include "apps/lab/answer.h"

#include <doctest/doctest.h>

#include <limits>

#include "core/io/directory.h"
#include "core/io/files.h"
#include "tests/apps/calls.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;

namespace {

Json question(int images) { return Json::Object{{"images", images}}; }

std::vector<Figure> figures() {
  const double gap = std::numeric_limits<double>::quiet_NaN();
  return {{"line", Plot{.title = "a line",
                        .x_label = "x",
                        .y_label = "y",
                        .log_y = true,
                        .curves = {{.label = "one", .points = {{0, 0.1}, {1, gap}}, .dashed = true}}}},
          {"hill", Surface{.title = "a hill",
                           .x_label = "a",
                           .y_label = "b",
                           .z_label = "loss",
                           .x = {0, 1, 2},
                           .y = {0, 10},
                           .z = {0, 1, 2, 10, 11, 12},
                           .marks = {{"here", 1, 0}},
                           .paths = {{.label = "way", .points = {{0, 0}, {2, 10}}}},
                           .group = "all"}},
          {"table", FigureTable{.title = "t", .columns = {"a", "b"}, .rows = {{"1", "x,y"}}}}};
}

}  // namespace

TEST_CASE("each question has a directory of its own, and is found there again") {
  const TemporaryDirectory there;
  const std::string base = there.path() + "/lab";
  const Answer one({}, base, "trace", question(10)), other({}, base, "trace", question(20));
  CHECK(one.path() == base + "/trace");
  CHECK(other.path() == base + "/trace-2");
  CHECK(Answer({}, base, "trace", question(10)).path() == one.path());
  CHECK(Answer({}, base, "hessian", question(10)).path() == base + "/hessian");
}

TEST_CASE("an answer that is there is not computed again, unless it is asked for") {
  const TemporaryDirectory there;
  const Answer first({}, there.path(), "trace", question(1));
  CHECK(first.earlier() == nullptr);
  first.units("probes").complete({"0"}, [](const std::string&) { return Json(1.5); });
  first.write(Json::Object{{"trace", 1.5}}, figures());

  const Answer second({}, there.path(), "trace", question(1));
  REQUIRE(second.earlier() != nullptr);
  CHECK(second.earlier()->at("trace").number() == 1.5);
  CHECK(second.units("probes").earlier() == 1);

  const Answer again({.again = true}, there.path(), "trace", question(1));
  CHECK(again.earlier() == nullptr);
  CHECK(again.units("probes").earlier() == 0);
}

TEST_CASE("an answer is read back with every figure, bit for bit") {
  const TemporaryDirectory there;
  const Answer answer({}, there.path(), "trace", question(1));
  answer.write(Json::Object{{"trace", 2}}, figures());
  const FoundAnswer found = read_answer(answer.path());
  CHECK(found.command == "trace");
  CHECK(found.question == question(1));
  REQUIRE(found.figures.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(to_json(found.figures[i]) == to_json(figures()[i]));
  CHECK(read_file(answer.file("hill.csv")) ==
        "a,b,loss\n0.0,0.0,0.0\n1.0,0.0,1.0\n2.0,0.0,2.0\n0.0,10.0,10.0\n"
        "1.0,10.0,11.0\n2.0,10.0,12.0\n");
  CHECK(read_file(answer.file("table.csv")) == "a,b\n1,\"x,y\"\n");
}

TEST_CASE("--out that holds something else is left alone") {
  const TemporaryDirectory there;
  const std::string out = there.path() + "/out";
  const Answer one({.out = out}, there.path(), "trace", question(1));
  CHECK(failure([&] { Answer({.out = out}, there.path(), "trace", question(2)); }) ==
        "2: --out " + out +
            " holds the answer to another question (its question.json says which); name another directory");
  make_directory(there.path() + "/full");
  write_file_atomically(there.path() + "/full/thesis.txt", "mine");
  CHECK(failure([&] { Answer({.out = there.path() + "/full"}, there.path(), "trace", question(2)); }) ==
        "2: --out " + there.path() + "/full is there and holds something else; name another directory");
}

TEST_CASE("a run's answers are those that are finished") {
  const TemporaryDirectory run;
  CHECK(answers_of(run.path()).empty());
  const std::string base = run.path() + "/lab";
  Answer({}, base, "trace", question(1)).write(Json::Object{}, {});
  const Answer unfinished({}, base, "hessian", question(1));
  const std::vector<FoundAnswer> found = answers_of(run.path());
  REQUIRE(found.size() == 1);
  CHECK(found[0].path == base + "/trace");
}
