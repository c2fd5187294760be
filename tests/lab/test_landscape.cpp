// Landscapes: heights over a grid, what stays as it was, and that an interrupted one goes on.
#include "apps/lab/landscape/landscape.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "apps/lab/answer.h"
#include "apps/lab/landscape/choose_slice.h"
#include "apps/runs/checkpoint.h"
#include "apps/runs/run_config.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "nn/recalibration.h"
#include "tests/lab/runs.h"
#include "tests/optim/problems.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;
using doctest::Approx;
using optim::testing::same_bits;

namespace {

/// Three weights in f64 and a running mean.
struct Three {
  Variable w = Variable::parameter(Tensor::from<double>({1, 2, 3}));
  Tensor mean = Tensor::from<double>({7});
  void describe(Inventory& it) {
    it.parameter("w", w);
    it.buffer("mean", mean, BufferKind::statistics);
  }
};

/// A plane around Three with axes e_1 and e_2, and what is at its points.
struct Plane {
  Three net{};
  optim::ParameterVector w = optim::ParameterVector::of(net);
  std::vector<NamedBuffer> buffers = entries_of(net).buffers;
  Slice slice = slice_around(solution_now("", w, running_statistics(buffers)),
                             {Tensor::from<double>({1, 0, 0}), Tensor::from<double>({0, 1, 0})}, {"x", "y"});

  Landscape survey(const Grid& grid, const std::string& file, const std::function<double()>& loss,
                   const data::Watch& watch = {}) {
    UnitResults results(file, Json::Object{{"grid", grid.points()}});
    return apps::survey(
        slice, grid, w, buffers, [&] { return Height{.loss = loss()}; }, results, "", watch);
  }
};

/// w A w / 2 - b w with A = [[2,1,0],[1,3,1],[0,1,4]], b = (1, 0, 2).
double quadratic(const Tensor& w) {
  const auto v = w.to_vector<double>();
  return v[0] * v[0] + 1.5 * v[1] * v[1] + 2 * v[2] * v[2] + v[0] * v[1] + v[1] * v[2] - v[0] - 2 * v[2];
}

/// All files of a directory, by name.
std::vector<std::pair<std::string, std::string>> content(const std::string& directory) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::string& name : list_directory(directory))
    all.emplace_back(name, read_file(directory + "/" + name));
  return all;
}

struct Interruption {};

}  // namespace

TEST_CASE("5.6.3 a quadratic is reproduced, its second differences are d H d, and the weights come back") {
  const TemporaryDirectory there;
  Plane plane;
  const Tensor before = plane.w.values().clone();
  const Grid grid = grid_of(plane.slice.axes, {{.points = 9}, {.points = 5, .low = 0, .high = 2}});
  const double here = quadratic(before);
  const Landscape l = plane.survey(grid, there.path() + "/a.jsonl", [&] {
    CHECK(plane.net.mean.item() == 7);
    return quadratic(plane.w.values());
  });
  CHECK(l.centre.loss == here);
  for (std::size_t j = 0; j < 5; ++j) {
    for (std::size_t i = 0; i < 9; ++i) {
      const double x = grid.x[i], y = grid.y[j];
      // gradient A w - b = (3, 10, 12), d H d = 2 and 3, d_1 H d_2 = 1
      CHECK(l.heights[j * 9 + i].loss == Approx(here + 3 * x + 10 * y + x * x + 1.5 * y * y + x * y));
    }
  }
  CHECK(l.heights[4].loss == here);  // x = 0, y = 0
  std::vector<double> row, column;
  for (std::size_t i = 0; i < 9; ++i) row.push_back(l.heights[i].loss);
  for (std::size_t j = 0; j < 5; ++j) column.push_back(l.heights[j * 9 + 4].loss);
  CHECK(profile(grid.x, row).curvature == Approx(2));
  CHECK(std::isnan(profile(grid.y, column).curvature));  // 0 is its first place
  CHECK(same_bits(plane.w.values(), before));
}

TEST_CASE("weights and statistics come back when a height fails, those of each point are its own") {
  const TemporaryDirectory there;
  Plane plane;
  const Tensor before = plane.w.values().clone();
  int asked = 0;
  CHECK_THROWS_AS(
      plane.survey(grid_of(plane.slice.axes, {{.points = 3}, {.points = 3}}), there.path() + "/a.jsonl",
                   [&] {
                     CHECK(plane.net.mean.item() == 7);
                     plane.net.mean = Tensor::from<double>({8});  // as recomputing does
                     if (++asked == 4) throw Interruption();
                     return 1.0;
                   }),
      Interruption);
  CHECK(asked == 4);
  CHECK(same_bits(plane.w.values(), before));
  CHECK(plane.net.mean.item() == 7);
}

TEST_CASE("5.6.4 on a grid of 3 x 5, x runs first") {
  const TemporaryDirectory there;
  Plane plane;
  const Grid grid = grid_of(plane.slice.axes, {{.points = 3, .low = 0}, {.points = 5}});
  CHECK(grid.x == std::vector<double>{0, 0.5, 1});
  CHECK(grid.y == std::vector<double>{-1, -0.5, 0, 0.5, 1});
  const Landscape l = plane.survey(grid, there.path() + "/a.jsonl", [&] {
    const auto w = plane.w.values().to_vector<double>();
    return (w[0] - 1) + 10 * (w[1] - 2);
  });
  REQUIRE(l.heights.size() == 15);
  for (std::size_t j = 0; j < 5; ++j)
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(l.heights[j * 3 + i].loss == Approx(grid.x[i] + 10 * grid.y[j]));
}

TEST_CASE("5.6.4 losses at or below 0 and those that are no number are kept, a killed survey goes on") {
  const TemporaryDirectory there;
  const double strange[] = {0, -1, std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity(), 3};
  int asked = 0;
  const auto survey_into = [&](const std::string& file, const data::Watch& watch) {
    Plane plane;
    const Grid grid = grid_of(plane.slice.axes, {{.points = 3}, {.points = 5}});
    return plane.survey(
        grid, file,
        [&] {
          ++asked;
          return strange[static_cast<std::size_t>(std::abs(plane.w.values().to_vector<double>()[1]) * 2) % 5];
        },
        watch);
  };
  const std::string straight = there.path() + "/straight.jsonl", resumed = there.path() + "/resumed.jsonl";
  survey_into(straight, {});
  CHECK(asked == 16);
  CHECK_THROWS_AS(survey_into(resumed,
                              [](std::int64_t done, std::int64_t) {
                                if (done == 9) throw Interruption();
                              }),
                  Interruption);
  CHECK(asked == 25);
  survey_into(resumed, {});
  CHECK(asked == 32);
  survey_into(resumed, {});
  CHECK(asked == 32);
  CHECK(read_file(straight) == read_file(resumed));
}

TEST_CASE("whole places of a grid are met, whatever its ends") {
  const std::vector<SliceAxis> axis = {{"", 0, 1}};
  const Grid fifteen = grid_of(axis, {{.points = 15, .low = -0.2, .high = 1.2}});
  CHECK(fifteen.x[2] == 0);
  CHECK(fifteen.x[12] == 1);
  const Grid far = grid_of({{"", 0, 3.7}}, {{.points = 61, .low = -0.25, .high = 1.25}});
  CHECK(far.x[10] == 0);
  CHECK(far.x[50] == 3.7);
}

TEST_CASE("a profile tells how far its loss is from doubling") {
  const Profile p = profile({-2, -1, 0, 1, 2}, {9, 3, 1, 1.5, 1.8});
  CHECK(p.doubles_left == Approx(0.5));
  CHECK(std::isnan(p.doubles_right));
  CHECK(p.rises_left == Approx(0.05));
  CHECK(p.rises_right == Approx(0.2));
  CHECK(p.curvature == Approx(2.5));
  CHECK(std::isnan(profile({1, 2}, {1, 2}).curvature));
}

TEST_CASE("the centre is the plain evaluation, bit for bit, and all is put back") {
  const TemporaryDirectory there;
  SubjectConfig config = subject_of(small_run());
  config.loss = LossOf::trained;
  Subject subject = open(config);
  const optim::Evaluation plain = subject.objective().forward();
  const std::vector<NamedBuffer> buffers = entries_of(*subject.run.model).buffers;
  const Solution before = solution_now("", *subject.w, running_statistics(buffers));
  std::ostringstream out, err;
  Terminal terminal(out, err, {}, {});
  const LongWork work(terminal);
  UnitResults results(there.path() + "/a.jsonl", "work");
  const Slice slice = choose_slice(subject, {}, 3, {}, {there.path(), "run", results, work});
  HeightsOf height(subject, subject.run.data.test, nullptr);
  const Landscape l = survey(
      slice, grid_of(slice.axes, {{.points = 3}, {.points = 3}}), *subject.w, buffers,
      [&] { return height(); }, results, "");
  CHECK(l.centre.loss == plain.loss + subject.objective().penalty());
  CHECK(l.centre.accuracy == plain.correct / 160);
  CHECK(l.heights[4].loss == l.centre.loss);
  CHECK(l.heights[4].test_loss == l.centre.test_loss);
  CHECK(l.heights[0].loss != l.centre.loss);
  const Tally test = evaluate(*subject.run.model, subject.run.data.test, subject.run.logits,
                              evaluation_options(subject.run.config));
  CHECK(l.centre.test_loss == Approx(test.loss() + subject.objective().penalty()).epsilon(1e-9));
  CHECK(l.centre.test_accuracy == test.accuracy());
  const Solution after = solution_now("", *subject.w, running_statistics(buffers));
  CHECK(same_bits(before.w, after.w));
  for (std::size_t i = 0; i < before.statistics.size(); ++i)
    CHECK(same_bits(before.statistics[i], after.statistics[i]));
}

TEST_CASE(
    "5.6.7 on a line with recomputed statistics the ends are the solutions' own recalibrated evaluation") {
  const TemporaryDirectory there;
  const std::string first = small_run() + "/ckpt-000000003.safetensors",
                    last = small_run() + "/final.safetensors";
  SubjectConfig config = subject_of(small_run());
  Subject subject = open(config);
  const std::vector<NamedBuffer> buffers = entries_of(*subject.run.model).buffers;
  const auto line_with = [&](StatisticsAt statistics, const std::string& file) {
    const std::vector<Solution> ends = {solution_of_file(subject, "a", first),
                                        solution_of_file(subject, "b", last)};
    const Slice line = slice_through(ends, 1, statistics);
    const bool recompute = statistics == StatisticsAt::recomputed;
    HeightsOf height(subject, nullptr, recompute ? subject.examples : nullptr);
    UnitResults results(there.path() + file, "work");
    return survey(
        line, grid_of(line.axes, {{.points = 4, .low = -0.5, .high = 1}}), *subject.w, buffers,
        [&] { return height(); }, results, "");
  };
  const auto own = [&](const std::string& weights, bool recalibrated) {
    SubjectConfig of = config;
    of.weights = weights;
    Subject one = open(of);
    if (recalibrated) {
      nn::Recalibration recalibration(*one.run.model);
      data::Loader loader(one.examples, data::one_pass(one.run.config.schedule.batch_size));
      for (data::Batch batch; loader.next(batch);) recalibration.add(batch.images);
      recalibration.finish();
    }
    return one.objective().loss();
  };
  const Landscape l = line_with(StatisticsAt::recomputed, "/recomputed.jsonl");
  CHECK(l.heights[1].loss == own(first, true));
  CHECK(l.heights[3].loss == own(last, true));
  CHECK(l.marks[0].loss == l.heights[1].loss);
  CHECK(l.marks[1].loss == l.heights[3].loss);
  CHECK(l.heights[1].loss != l.heights[3].loss);
  // Interpolated: the ends have their own statistics.
  const Landscape moved = line_with(StatisticsAt::interpolated, "/interpolated.jsonl");
  CHECK(moved.heights[1].loss == own(first, false));
  CHECK(moved.heights[3].loss == own(last, false));
  // Frozen: those of the first everywhere.
  const Landscape frozen = line_with(StatisticsAt::frozen, "/frozen.jsonl");
  CHECK(frozen.heights[1].loss == own(first, false));
  CHECK(frozen.heights[3].loss != own(last, false));
}

TEST_CASE("basin landscape: an interrupted call goes on to the same bytes, for any number of threads") {
  const TemporaryDirectory there;
  const auto call = [&](const std::string& name, const Words& more = {}) {
    Words words = {small_run(), "--grid", "3x2",   "--images",
                   "40",        "--test", "--out", there.path() + "/" + name};
    words.insert(words.end(), more.begin(), more.end());
    return run_command("landscape", words);
  };
  const int before = thread_count();
  const Said first = call("one", {"--threads", "1"});
  CHECK(first.code == 0);
  CHECK(first.out.starts_with("mean cross-entropy over 40 of 160 synthetic train images"));
  const auto straight = content(there.path() + "/one");
  CHECK(call("two", {"--threads", "2", "--workers", "0"}).code == 0);
  CHECK(content(there.path() + "/two") == straight);
  set_thread_count(before);

  // As a killed process leaves it: some units, the last torn.
  const std::string cut = there.path() + "/cut";
  make_directory(cut);
  const std::string heights = read_file(there.path() + "/one/heights.jsonl");
  write_file_atomically(cut + "/question.json", read_file(there.path() + "/one/question.json"));
  write_file_atomically(cut + "/heights.jsonl", heights.substr(0, heights.size() / 2));
  CHECK(call("cut").code == 0);
  CHECK(content(cut) == straight);
  // What is there is shown again, though nothing could compute it.
  write_file_atomically(there.path() + "/one/heights.jsonl", "gone");
  CHECK(call("one").out.substr(0, 200) == first.out.substr(0, 200));
}

TEST_CASE("basin landscape: pictures of lines, planes and trainings, of one run and of several") {
  const TemporaryDirectory there;
  const auto figures = [&](const Words& words, const std::string& name) {
    Words all = words;
    all.insert(all.end(), {"--images", "4", "--out", there.path() + "/" + name});
    CHECK(run_command("landscape", all).code == 0);
    return read_answer(there.path() + "/" + name);
  };
  const std::string run = small_run();
  SUBCASE("several runs on a line are curves of one plot") {
    const FoundAnswer line = figures({run, run, "--dims", "1", "--grid", "3", "--test"}, "line");
    REQUIRE(line.figures.size() == 2);
    const auto& plot = std::get<Plot>(line.figures[0].content);
    REQUIRE(plot.curves.size() == 4);
    CHECK(plot.curves[0].label == "run");
    CHECK(plot.curves[1].label == "run (test)");
    CHECK(plot.curves[2].label == "run-2");
    CHECK(plot.curves[0].points == plot.curves[2].points);
  }
  SUBCASE("several runs over a plane are surfaces of one group") {
    const FoundAnswer planes = figures({run, run, "--grid", "2x3"}, "planes");
    REQUIRE(planes.figures.size() == 4);
    CHECK(planes.figures[1].name == "run-2-loss");
    const auto& surface = std::get<Surface>(planes.figures[1].content);
    CHECK(surface.group == "loss");
    CHECK(surface.x.size() == 2);
    CHECK(surface.z.size() == 6);
  }
  SUBCASE("a training's principal axes draw its way, which ends at 0") {
    const FoundAnswer pca = figures({run, "--directions", "pca", "--dims", "1", "--grid", "3"}, "pca");
    const Json& one = pca.result.at("runs").array()[0];
    CHECK(one.at("axes").array()[0].at("explained_variance").number() > 0.5);
    const Json::Array& path = one.at("path").array();
    CHECK(path.size() == list_checkpoints(run).size() + 1);
    CHECK(path.front().array()[0].number() != 0);
    CHECK(path.back().array()[0].number() == 0);
  }
  SUBCASE("along an eigenvector the curvature is the eigenvalue, of a file's vectors too") {
    const Words words = {run,      "--directions",     "eigen",   "--dims", "1", "--grid", "3",
                         "--span", "-0.00001:0.00001", "--dtype", "f64"};
    const Json found = figures(words, "eigen").result.at("runs").array()[0];
    const double eigenvalue = found.at("axes").array()[0].at("eigenvalue").number();
    CHECK(found.at("along_x").at("curvature").number() == Approx(eigenvalue).epsilon(0.02));
    CHECK(found.at("products").integer() > 2);

    Words with_file = words;
    with_file.insert(with_file.end(), {"--vectors", there.path() + "/eigen/run-eigenvectors.safetensors"});
    const Json again = figures(with_file, "given").result.at("runs").array()[0];
    CHECK(again.at("axes").array()[0].at("eigenvalue").number() == Approx(eigenvalue));
    CHECK(again.at("products").integer() == 1);
    CHECK(again.at("along_x") == found.at("along_x"));
  }
  SUBCASE("solutions of one run are marked, one that spans nothing at its distance") {
    const std::string middle = run + "/ckpt-000000003.safetensors";
    const FoundAnswer line = figures({run, "--directions", "plane", "--dims", "1", "--grid", "7",
                                      "--solutions", middle + ",last," + middle},
                                     "through");
    const Json::Array& marks = line.result.at("runs").array()[0].at("marks").array();
    REQUIRE(marks.size() == 3);
    CHECK(marks[1].at("label").string() == "last");
    CHECK(marks[1].at("x").number() == 1);
    CHECK(marks[2].at("x").number() == 0);
    CHECK(marks[2].at("distance").number() == 0);
  }
}

TEST_CASE("basin landscape says before any work what it cannot draw") {
  const std::string run = small_run();
  const auto refused = [&](const Words& words) {
    Words all = {run};
    all.insert(all.end(), words.begin(), words.end());
    return failure([&] { run_command("landscape", all); });
  };
  CHECK(refused({"--dims", "1", "--grid", "3x3"}) ==
        "2: --grid 3x3 is of a plane; with --dims 1 give one number");
  CHECK(refused({"--grid", "1"}) ==
        "2: --grid '1' is not numbers of points such as 51 or 51x41, each from 2 to 10001");
  CHECK(refused({"--span", "1:-1"}) ==
        "2: --span '1:-1' is not a range such as -1:1, or two between a comma");
  CHECK(refused({"--bn", "interpolated"}) ==
        "2: --bn interpolated needs solutions to lie between: it is for --directions plane");
  CHECK(refused({"--directions", "plane"}) ==
        "2: --directions plane is of several solutions: name several runs, or of one run --solutions "
        "last,swa,member:1");
  CHECK(refused({"--directions", "plane", "--solutions", "last"}) ==
        "2: a plane needs three solutions, here is 1: name more runs, or of one run --solutions "
        "last,swa,member:1");
  CHECK(refused({"--normalise", "layer", "--directions", "pca"}) ==
        "2: --normalise counts only with --directions random (here it is pca)");
  CHECK(refused({run, "--model", "resnet8"}) == "2: --model is for one subject; 2 runs have their own");
  CHECK(failure([&] { run_command("landscape", {}); }).starts_with("2: nothing to measure: name a RUN"));
}
