// Ensembles: the mean of probabilities, oldest first and newest first; members as files; averages in
// checkpoints and files.
#include "apps/evaluation/ensemble.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "apps/runs/checkpoint.h"
#include "apps/runs/members.h"
#include "apps/weights/weights.h"
#include "autograd/ops/ops.h"
#include "core/parallel.h"
#include "data/sets/synthetic.h"
#include "nn/layers.h"
#include "optim/averages/average.h"
#include "optim/averages/stand_in.h"
#include "tests/apps/calls.h"
#include "tests/core/contains.h"
#include "tests/core/temporary_directory.h"

namespace basin::apps {
namespace {

using test::failure;
using test::TemporaryDirectory;
using Numbers = std::vector<double>;
using test::contains;

constexpr std::int64_t kClasses = 4;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

/// 50 images of stripes.
std::shared_ptr<const data::ExampleSource> stripes() {
  const data::SyntheticOptions options{.classes = kClasses, .size = 8, .channels = 1, .train = 1, .test = 50};
  return std::make_shared<data::DatasetSource>(data::synthetic(options, 3, /*train=*/false),
                                               data::Augmentation{}, 0);
}

/// A network with batch normalisation and weights of its own.
struct Network : nn::Sequential {
  explicit Network(std::uint64_t seed, Index width = 6) {
    nn::Initializer init(seed);
    add<nn::Flatten>();
    add<nn::Linear>(64, width, init);
    add<nn::BatchNorm2d>(width, init);
    add<nn::Relu>();
    add<nn::Linear>(width, kClasses, init);
  }
};

Tally evaluated(nn::Module& model, std::int64_t batch_size = 16) {
  return evaluate(model, stripes(), kClasses, {.batch_size = batch_size});
}
Predictions predicted(nn::Module& model, std::int64_t batch_size = 16, int workers = 0) {
  return predict(model, stripes(), kClasses, {.batch_size = batch_size, .workers = workers});
}
EnsembleReport evaluated(nn::Module& scratch, const std::vector<std::string>& members) {
  return evaluate_ensemble(scratch, members, stripes(), kClasses, {.batch_size = 16});
}

/// Counts equal, losses up to the rounding of a logarithm.
void check_close(const Tally& a, const Tally& b) {
  CHECK(a.rows == b.rows);
  CHECK(a.correct == b.correct);
  CHECK(a.correct5 == b.correct5);
  CHECK(a.class_rows == b.class_rows);
  CHECK(a.class_correct == b.class_correct);
  CHECK(std::abs(a.loss_sum - b.loss_sum) < 1e-12 * std::abs(b.loss_sum));
}

/// Counts and the bits of the loss.
void check_same(const Tally& a, const Tally& b) {
  check_close(a, b);
  CHECK(a.loss_sum == b.loss_sum);
}

/// The probabilities of two classes whose logits differ by `gap`, for one example.
Tensor two_classes(double gap) { return softmax(Variable(Tensor::from(Numbers{gap, 0}, {1, 2}))).value(); }

/// Files of members with seeds 1, 2, 3 in a run.
std::vector<std::string> three_members(const std::string& run) {
  for (std::int64_t k = 1; k <= 3; ++k) {
    Network network(static_cast<std::uint64_t>(k));
    save_member(run, k, entries_of(network));
  }
  return list_members(run);
}

}  // namespace

TEST_CASE(
    "swa_landscape 5.4 ensemble rule: gaps +1, +1, -3 are class 0 by probabilities, class 1 by logits") {
  const Tensors members = {two_classes(1), two_classes(1), two_classes(-3)};
  const EnsembleReport report = ensemble_report(members, {0});
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const double mean = std::exp(-report.first[2].loss());
  CHECK(std::abs(mean - 0.503181) < 5e-7);
  CHECK(std::abs(mean - (2 * sigmoid(1) + sigmoid(-3)) / 3) < 1e-15);
  CHECK(report.first[2].correct == 1);
  const double mean_logit = (1.0 + 1.0 - 3.0) / 3;
  CHECK(std::abs(mean_logit + 0.3333) < 1e-4);
  CHECK(tally_of(two_classes(mean_logit), {0}).correct == 0);

  // Oldest first every size is right; newest first, sizes 1 and 2 are wrong.
  const auto correct = [](const std::vector<Tally>& tallies) {
    std::vector<std::int64_t> all;
    for (const Tally& t : tallies) all.push_back(t.correct);
    return all;
  };
  CHECK(correct(report.own) == std::vector<std::int64_t>{1, 1, 0});
  CHECK(correct(report.first) == std::vector<std::int64_t>{1, 1, 1});
  CHECK(correct(report.last) == std::vector<std::int64_t>{0, 0, 1});
  CHECK(std::abs(report.last[1].loss() + std::log((sigmoid(1) + sigmoid(-3)) / 2)) < 1e-15);
}

TEST_CASE("predictions: they are rows of probabilities, and count as evaluate() does") {
  Network network(1);
  const Predictions p = predicted(network);
  CHECK(p.probabilities.shape() == Shape{50, kClasses});
  const double* row = p.probabilities.data<double>();
  for (Index i = 0; i < 50; ++i, row += kClasses)
    CHECK(std::abs(row[0] + row[1] + row[2] + row[3] - 1) < 1e-15);
  check_close(tally_of(p.probabilities, p.labels), evaluated(network));
  for (const int workers : {0, 2}) {
    const WithThreads with(workers + 1);
    const Predictions other = predicted(network, 16, workers);
    CHECK(same_bits(other.probabilities, p.probabilities));
    CHECK(other.labels == p.labels);
  }
  check_same(tally_of(predicted(network, 50).probabilities, p.labels), tally_of(p.probabilities, p.labels));
}

TEST_CASE("tally: equal probabilities go to the lower class, what is no number is wrong") {
  const double nan = std::nan("");
  const Tensor p = Tensor::from(Numbers{0.4, 0.4, 0.2, 0.4, 0.4, 0.2, nan, nan, nan}, {3, 3});
  const Tally t = tally_of(p, {0, 1, 0});
  CHECK(t.rows == 3);
  CHECK(t.correct == 1);
  CHECK(t.correct5 == 2);
  CHECK(t.class_rows == std::vector<std::int64_t>{2, 1, 0});
  CHECK(t.class_correct == std::vector<std::int64_t>{1, 0, 0});
  CHECK(std::isnan(t.loss()));
  CHECK(failure([&] {
          tally_of(p, {0, 1});
        }) == "2: [tally] expects probabilities f64 {2,K} for 2 labels, got f64 {3,3}");
  CHECK(failure([&] {
          tally_of(p.to(Dtype::f32), {0, 1, 2});
        }) == "2: [tally] expects probabilities f64 {3,K} for 3 labels, got f32 {3,3}");
  CHECK(failure([&] { tally_of(p, {0, 1, 3}); }) == "2: [tally] label 3 of row 2 is not below 3");
  CHECK(failure([&] { tally_of(p, {-1, 1, 2}); }) == "2: [tally] label -1 of row 0 is not below 3");
  Network network(1);
  CHECK(failure([&] { evaluate(network, stripes(), 3, {.batch_size = 50}); }) ==
        "2: [evaluate] the model gives {50,4} for 50 images of 3 classes");
}

TEST_CASE("ensemble: equal members predict what one of them does, bit for bit") {
  Network network(1);
  const Predictions p = predicted(network);
  const EnsembleReport report = ensemble_report(Tensors(7, p.probabilities), p.labels);
  const Tally single = tally_of(p.probabilities, p.labels);
  CHECK(single.correct > 0);
  CHECK(single.correct < single.rows);
  REQUIRE(report.own.size() == 7);
  for (const auto* tallies : {&report.own, &report.first, &report.last})
    for (const Tally& t : *tallies) check_same(t, single);
}

TEST_CASE("ensemble: members that do not fit together are an error") {
  CHECK(failure([] { ensemble_report({}, {}); }) == "2: [ensemble] has no members");
  CHECK(failure([] {
          ensemble_report({two_classes(1), Tensor::zeros({1, 3}, Dtype::f64)}, {0});
        }) == "2: [ensemble] one member predicts {1,2}, another {1,3}");
}

TEST_CASE("ensemble: members in files, each as evaluated alone, their means in both orders") {
  TemporaryDirectory run;
  const std::vector<std::string> members = three_members(run.path());
  CHECK(members == std::vector<std::string>{run / "members/member-001.safetensors",
                                            run / "members/member-002.safetensors",
                                            run / "members/member-003.safetensors"});
  CHECK(list_members(run / "members") == members);
  Network scratch(99);
  const EnsembleReport report = evaluated(scratch, members);
  CHECK(report.members == members);
  Tensors p;
  std::vector<std::int64_t> labels;
  for (std::size_t k = 0; k < 3; ++k) {
    Network alone(k + 1);
    check_close(report.own[k], evaluated(alone));
    const Predictions mine = predicted(alone);
    p.push_back(mine.probabilities);
    labels = mine.labels;
  }
  const auto mean = [&](const std::vector<std::size_t>& which) {
    Numbers sum(static_cast<std::size_t>(p[0].elements()));
    for (const std::size_t k : which) {
      const Numbers numbers = p[k].to_vector<double>();
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += numbers[i] / static_cast<double>(which.size());
    }
    return tally_of(Tensor::from(sum, p[0].shape()), labels);
  };
  check_same(report.first[0], report.own[0]);
  check_same(report.last[0], report.own[2]);
  check_close(report.first[1], mean({0, 1}));
  check_close(report.last[1], mean({1, 2}));
  check_close(report.first[2], mean({0, 1, 2}));
  check_close(report.last[2], report.first[2]);
  // The members differ, so that the checks above tell them apart.
  CHECK(report.own[0].loss() != report.own[2].loss());
  CHECK(report.first[1].loss() != report.last[1].loss());
}

TEST_CASE("ensemble: the report as a table and as JSON") {
  const Tensor right = two_classes(1), wrong = two_classes(-3);
  EnsembleReport report = ensemble_report({right, right, wrong}, {0});
  CHECK(table_of(report).text(false) ==
        "members   own %  first m %  last m %\n"
        "-------  ------  ---------  --------\n"
        "      1  100.00     100.00      0.00\n"
        "      2  100.00     100.00      0.00\n"
        "      3    0.00     100.00    100.00\n");
  report.members = {"a", "b", "c"};
  const Json j = parse_json(to_json(report).compact());
  CHECK(j.at("members").integer() == 3);
  CHECK(j.at("accuracy").number() == 1);
  CHECK(j.at("top5").number() == 1);
  CHECK(j.at("loss").number() == report.first[2].loss());
  const Json::Array& growing = j.at("growing").array();
  REQUIRE(growing.size() == 3);
  CHECK(growing[1].at("members").integer() == 2);
  CHECK(growing[1].at("file").string() == "b");
  CHECK(growing[2].at("own").at("accuracy").number() == 0);
  CHECK(growing[0].at("first").at("loss").number() == report.own[0].loss());
  CHECK(growing[1].at("last").at("loss").number() == report.last[1].loss());
  CHECK_THROWS_AS(to_json(EnsembleReport{}), ArgumentError);
}

TEST_CASE("ensemble: a member that is missing, damaged or of another model stops before any evaluation") {
  TemporaryDirectory run;
  std::vector<std::string> members = three_members(run.path());
  Network scratch(99);
  int batches = 0;
  const auto refused = [&](const std::vector<std::string>& files) {
    return failure([&] {
      evaluate_ensemble(scratch, files, stripes(), kClasses,
                        {.batch_size = 16, .watch = [&](std::int64_t, std::int64_t) { ++batches; }});
    });
  };
  CHECK(contains(refused({members[0], run / "none"}), run / "none: No such file"));
  Network wide(3, 7);
  save_member(run.path(), 3, entries_of(wide));
  CHECK(contains(refused(members), "4: [load] " + members[2] + " does not fit; different: 1.weight"));
  write_file_atomically(members[1], "short");
  CHECK(contains(refused(members), "4: [archive] " + members[1]));
  CHECK(refused({}) == "2: [ensemble] has no members");
  CHECK(batches == 0);
  CHECK(refused({members[0], members[0]}) == "");
  CHECK(batches == 8);
}

TEST_CASE("members: names, and directories that hold something else or lack a number") {
  CHECK(member_path("run", 7) == "run/members/member-007.safetensors");
  CHECK(member_path("run", 1234) == "run/members/member-1234.safetensors");
  CHECK(failure([] { member_path("run", 0); }) == "2: [ensemble] members count from 1, got 0");

  TemporaryDirectory run;
  const auto refused = [&](const std::string& directory) {
    return failure([&] { list_members(directory); });
  };
  CHECK(contains(refused(run / "none"), "4: [ensemble] "));
  CHECK(contains(refused(run / "none"), run / "none: No such file"));
  CHECK(contains(refused(run.path()), "has no members (member-001.safetensors, ...)"));
  const std::vector<std::string> members = three_members(run.path());
  write_file_atomically(run / "members/.basin-12.tmp", "of a killed writer");
  CHECK(list_members(run.path()) == members);
  for (const char* name : {"notes.txt", "member-1.safetensors", "member-0004.safetensors",
                           "member-000.safetensors", "member--01.safetensors", "member-.safetensors"}) {
    const std::string path = run / "members/" + name;
    write_file_atomically(path, "mine");
    CHECK(refused(run.path()) == text("4: [ensemble] ", run / "members", " holds '", name,
                                      "', which is no member (member-001.safetensors, ...); move it away"));
    remove_file(path);
  }
  remove_file(members[1]);
  CHECK(refused(run.path()) ==
        text("4: [ensemble] ", run / "members", " lacks member-002.safetensors of 3 members"));
}

TEST_CASE("members: a resumed run keeps those that its checkpoint counts") {
  TemporaryDirectory run;
  CHECK_NOTHROW(keep_members(run.path(), 0));
  CHECK(contains(failure([&] { keep_members(run.path(), 1); }), "No such file"));
  const std::vector<std::string> members = three_members(run.path());
  keep_members(run.path(), 3);
  CHECK(list_members(run.path()) == members);
  keep_members(run.path(), 2);
  CHECK(list_members(run.path()).size() == 2);
  CHECK(failure([&] { keep_members(run.path(), 3); }) ==
        text("4: [ensemble] ", run / "members", " lacks member-003.safetensors of 3 members"));
  keep_members(run.path(), 0);
  CHECK(contains(failure([&] { list_members(run.path()); }), "has no members"));
}

TEST_CASE("ensemble: a model in training is a scratch model inside a stand-in") {
  TemporaryDirectory run;
  const std::vector<std::string> members = three_members(run.path());
  Network network(50), scratch(51);
  optim::ParameterVector w = optim::ParameterVector::of(network);
  const Entries entries = entries_of(network);
  entries.buffers[0].buffer->fill(0.25);
  save_weights(run / "before", entries);
  const EnsembleReport expected = evaluated(scratch, members);
  {
    const optim::StandIn stand(w, entries.buffers, w.values());
    check_same(evaluated(network, members).first[2], expected.first[2]);
  }
  save_weights(run / "after", entries);
  CHECK(read_file(run / "before") == read_file(run / "after"));
}

TEST_CASE("files: weights whose statistics were never estimated are not saved") {
  TemporaryDirectory dir;
  Network network(1);
  optim::ParameterVector w = optim::ParameterVector::of(network);
  const Entries entries = entries_of(network);
  const Tensor average = Tensor::zeros({w.size()});
  {
    const optim::StandIn stand(w, entries.buffers, average);
    CHECK(failure([&] { save_weights(dir / "a", network); }) ==
          "2: [save] '2.running_mean' of these weights was never estimated; recalibrate the model first");
    CHECK(dir.names().empty());
  }
  const optim::StandIn stand(w, entries.buffers, average, {Tensor::zeros({6}), Tensor::full({6}, 1)});
  CHECK_NOTHROW(save_weights(dir / "a", network));
}

TEST_CASE("files: a checkpoint carries an average, before and after the first weights are in it") {
  const auto make = [](bool mean) {
    return mean ? optim::WeightAverage::mean() : optim::WeightAverage::ema({.decay = 0.9});
  };
  for (const bool mean : {true, false})
    for (const int before : {0, 1, 3}) {
      TemporaryDirectory dir;
      Network network(1);
      optim::ParameterVector w = optim::ParameterVector::of(network);
      optim::WeightAverage straight = make(mean), resumed = make(mean);
      const auto step = [&](int t) { w.values().fill(1.0 / (t + 1)); };
      for (int t = 0; t < before; ++t) {
        step(t);
        straight.collect(w);
      }
      write_archive(dir / "state", state_entries({{"average", entries_of(straight)}}));
      const Archive archive(dir / "state");
      CHECK(archive.contains("average.n"));
      CHECK(archive.contains("average.values") == (before > 0));
      restore_state(archive, {{"average", entries_of(resumed)}});
      CHECK(resumed.n() == before);
      for (int t = before; t < 6; ++t) {
        step(t);
        straight.collect(w);
        resumed.collect(w);
      }
      CHECK(resumed.n() == 6);
      CHECK(same_bits(straight.values(), resumed.values()));
    }
}

}  // namespace basin::apps
