// The three axes through the command: every gradient rule, update rule and kind of reported weights trains,
// resumes to the same bits, and says what it did.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "apps/commands/commands.h"
#include "apps/evaluation/ensemble.h"
#include "apps/evaluation/run_data.h"
#include "apps/runs/checkpoint.h"
#include "apps/runs/members.h"
#include "core/io/files.h"
#include "core/io/hash.h"
#include "core/io/json.h"
#include "data/sets/load.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using test::small, test::train, test::Words;
namespace fs = std::filesystem;

namespace {

Json result_of(const std::string& run) { return parse_json(read_file(run + "/result.json")); }

/// The variants of a result by name.
Json variant(const std::string& run, const std::string& name) {
  const Json result = result_of(run);
  for (const Json& v : result.at("variants").array())
    if (v.at("name").string() == name) return v;
  FAIL("no variant ", name);
  return {};
}

std::vector<Json> steps_of(const std::string& run) {
  std::vector<Json> all;
  for (const std::string& line : test::lines(run + "/steps.jsonl")) all.push_back(parse_json(line));
  return all;
}

/// Every file whose bytes a resumed run must reproduce.
std::vector<std::string> outputs(const std::string& run) {
  std::vector<std::string> hashes;
  for (const char* name :
       {"final.safetensors", "final-swa.safetensors", "final-ema.safetensors", "final-lawa.safetensors"})
    if (fs::exists(run + "/" + name)) hashes.push_back(name + sha256_file(run + "/" + name));
  if (fs::exists(run + "/members"))
    for (const std::string& member : apps::list_members(run)) hashes.push_back(sha256_file(member));
  return hashes;
}

/// A straight run and one stopped after `stop` steps and resumed: the same bits everywhere.
void check_resume(const Words& recipe, const std::vector<const char*>& stops) {
  test::TemporaryDirectory dir;
  const std::string straight = dir / "straight";
  REQUIRE(train(small(straight, recipe)).code == 0);
  for (const char* stop : stops) {
    CAPTURE(stop);
    const std::string halved = dir / std::string("halved") + stop;
    Words words = recipe;
    words.insert(words.end(), {"--stop-after-steps", stop});
    CHECK(train(small(halved, words)).code == 0);
    CHECK(train(test::train_config({"--resume", halved, "--quiet"})).code == 0);
    CHECK(outputs(halved) == outputs(straight));
    CHECK(test::timeless_records(halved) == test::timeless_records(straight));
    CHECK((result_of(halved).at("variants").compact() == result_of(straight).at("variants").compact()));
  }
}

}  // namespace

TEST_CASE(
    "slow: every gradient rule trains from the command line, with the passes it should make, and resumes") {
  struct Row {
    const char* name;
    Words words;
    int passes;  // of six steps
  };
  const Row rows[] = {
      {"sam", {"--sharpness", "sam"}, 12},
      {"sam p inf", {"--sharpness", "sam", "--p-norm", "inf", "--rho", "0.001"}, 12},
      {"sam inner", {"--sharpness", "sam", "--inner-steps", "3", "--inner-step", "0.5"}, 24},
      {"sam every", {"--sharpness", "sam", "--every", "3"}, 8},
      {"sam start", {"--sharpness", "sam", "--sharpness-start", "0.5"}, 9},
      {"sam until", {"--sharpness", "sam", "--sharpness-start", "1", "--sharpness-end", "0.75"}, 8},
      {"sam on", {"--sharpness", "sam", "--perturb", "norms"}, 12},
      {"sam named", {"--sharpness", "sam", "--perturb", "named", "--perturb-names", "conv1.*,fc*.bias"}, 12},
      {"usam", {"--sharpness", "sam", "--no-normalise"}, 12},
      {"asam", {"--sharpness", "asam", "--rho-schedule", "lr", "--rho-end", "0.1"}, 12},
      {"gsam", {"--sharpness", "gsam", "--rho-schedule", "linear"}, 12},
      {"gnp", {"--sharpness", "gnp", "--rho-warmup-epochs", "1"}, 12},
      {"fsam", {"--sharpness", "fsam"}, 12},
      {"looksam", {"--sharpness", "looksam", "--every", "4"}, 8},
      {"msam", {"--sharpness", "msam", "--rho", "0.3"}, 6},
      {"vasso", {"--sharpness", "vasso", "--theta", "0.2"}, 12},
      {"gam", {"--sharpness", "gam"}, 24},
      {"gam official", {"--sharpness", "gam", "--gam-form", "official", "--scaling", "all"}, 24},
      {"gam exact", {"--sharpness", "gam", "--gam-form", "exact"}, 12},
      {"sam+gam", {"--sharpness", "gam", "--gam-form", "differences", "--gam-with-sam"}, 24},
      {"m-sam", {"--sharpness", "sam", "--micro", "own", "--micro-size", "24"}, 12},
      {"m-sam fsam", {"--sharpness", "fsam", "--micro", "own"}, 12},
      {"m-sam batch norm", {"--sharpness", "sam", "--micro", "own", "--micro-norm", "batch"}, 12},
      {"accumulated", {"--sharpness", "sam", "--micro", "shared", "--micro-size", "24"}, 12},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    test::TemporaryDirectory dir;
    const std::string straight = dir / "straight", halved = dir / "halved";
    // Rules that care for normalisation layers get some.
    const bool normalises = std::string(row.name).find("on") != std::string::npos || row.words[1] == "gam" ||
                            std::string(row.name).find("norm") != std::string::npos;
    Words words = {"--model", normalises ? "resnet8" : "lenet5"};
    words.insert(words.end(), row.words.begin(), row.words.end());
    REQUIRE(train(small(straight, words)).code == 0);
    int passes = 0;
    for (const Json& step : steps_of(straight)) {
      passes += static_cast<int>(step.at("passes").integer());
      CHECK(std::isfinite(step.at("cosine").number()));
      CHECK(std::isfinite(step.at("gradient_norm").number()));
      CHECK(std::isfinite(step.at("rho").number()));
      CHECK((step.at("passes").integer() == 1 || step.find("gradient_norm_perturbed") != nullptr));
    }
    CHECK(passes == row.passes);
    words.insert(words.end(), {"--stop-after-steps", "5"});
    CHECK(train(small(halved, words)).code == 0);
    CHECK(train(test::train_config({"--resume", halved, "--quiet"})).code == 0);
    CHECK(test::weights(halved) == test::weights(straight));
    CHECK(test::timeless_records(halved) == test::timeless_records(straight));
  }
}

TEST_CASE("every update rule trains and resumes, with weight decay in the loss and clipping too") {
  const auto check_lenet = [](Words words, const char* stop) {
    words.insert(words.end(), {"--model", "lenet5"});
    check_resume(words, {stop});
  };
  check_lenet({"--optimizer", "rmsprop"}, "2");
  check_lenet({"--optimizer", "rmsprop", "--no-eps-inside-root", "--momentum", "0"}, "2");
  check_lenet({"--optimizer", "lion", "--sharpness", "sam"}, "5");
  check_lenet({"--lookahead", "4", "--sharpness", "sam"}, "5");
  check_lenet({"--optimizer", "muon", "--sharpness", "gam"}, "2");
  check_lenet({"--optimizer", "schedule-free-adamw", "--schedule", "constant", "--sharpness", "sam"}, "4");
  check_resume({"--decay-in", "loss", "--decay", "weights", "--clip", "0.5", "--nesterov"}, {"4"});
}

TEST_CASE("Schedule-Free is evaluated at its average, with statistics of its own, and resumes") {
  const Words free = {
      "--optimizer", "schedule-free-sgd", "--schedule", "constant", "--warmup-epochs", "0.5", "--lr", "0.5"};
  check_resume(free, {"2", "4"});

  test::TemporaryDirectory dir;
  const std::string run = dir / "run";
  REQUIRE(train(small(run, free)).code == 0);
  const Json last = variant(run, "last");
  CHECK(last.at("details").at("recalibration").at("images").integer() > 0);
  // The row of the last epoch, and the file, have the average's figures; the checkpoint trains on from y.
  const test::Said eval = test::run_command("eval", {"--weights", run + "/final.safetensors", "--model",
                                                     "resnet8", "--data", "synthetic", "--json"});
  REQUIRE(eval.code == 0);
  CHECK(parse_json(eval.out).at("loss").number() == last.at("test_loss").number());
}

TEST_CASE("Schedule-Free refuses what does its work a second time") {
  const auto refused = [](const Words& more) {
    Words words = {"--optimizer", "schedule-free-sgd"};
    words.insert(words.end(), more.begin(), more.end());
    return test::failure([&] { small("unused", words); });
  };
  CHECK(
      refused({}) ==
      "2: --optimizer schedule-free-sgd takes the place of a rate that falls: give --schedule constant, and "
      "with it --warmup-epochs if you like");
  const auto constant = [&](Words more) {
    more.insert(more.end(), {"--schedule", "constant"});
    return refused(more);
  };
  CHECK(constant({"--average", "ema"}).find("not with --average ema") != std::string::npos);
  CHECK(constant({"--lookahead", "5"}).find("not with --lookahead") != std::string::npos);
  CHECK(constant({"--recalibrate-last"}).find("not with --recalibrate-last") != std::string::npos);
  CHECK(constant({"--sharpness", "msam"}).find("does not keep") != std::string::npos);
}

TEST_CASE("muon without a matrix of its own is refused") {
  test::TemporaryDirectory dir;
  CHECK(test::failure([&] {
          train(small(dir / "run", {"--optimizer", "muon", "--model", "lenet5", "--freeze",
                                    "conv1.*,conv2.*,fc1.*,fc2.*"}));
        }).find("--optimizer adamw") != std::string::npos);
}

TEST_CASE("LAWA says which weights are in it, and resumes") {
  check_resume({"--average", "lawa", "--lawa-window", "2", "--epochs", "4", "--model", "lenet5"}, {"2", "8"});
  test::TemporaryDirectory dir;
  const std::string run = dir / "run";
  REQUIRE(train(small(run, {"--average", "lawa", "--lawa-window", "2", "--epochs", "4"})).code == 0);
  const Json lawa = variant(run, "lawa");
  CHECK(lawa.at("models").integer() == 2);
  CHECK(lawa.at("what").string() == "after epochs 1, 2, 3, 4: 4 models, the latest 2");
  CHECK(lawa.at("weights_sha256").string() == sha256_file(run + "/final-lawa.safetensors"));
}

TEST_CASE("rho = 0 gives the plain run's weights, whichever rule it is") {
  test::TemporaryDirectory dir;
  const std::string plain = dir / "plain";
  REQUIRE(train(small(plain, {"--model", "lenet5"})).code == 0);
  for (const char* rule : {"sam", "asam", "gsam", "gnp", "fsam", "looksam", "msam", "vasso", "gam"}) {
    CAPTURE(rule);
    const std::string zero = dir / rule;
    REQUIRE(train(small(zero, {"--model", "lenet5", "--sharpness", rule, "--rho", "0"})).code == 0);
    CHECK(test::weights(zero) == test::weights(plain));
    for (const Json& step : steps_of(zero)) CHECK(step.at("passes").integer() == 1);
  }
}

TEST_CASE(
    "slow: averages never touch the trajectory, and a straight run equals one resumed inside their phase") {
  test::TemporaryDirectory dir;
  const std::string plain = dir / "plain", with = dir / "with";
  const Words four = {"--epochs", "4"};
  REQUIRE(train(small(plain, four)).code == 0);
  const std::vector<Words> kinds = {
      {"--average", "swa", "--swa-lr", "0", "--average-start", "2"},
      {"--average", "swa", "--swa-lr", "0", "--average-at", "step", "--average-every", "2"},
      {"--average", "ema", "--ema-decay", "0.8", "--ema-warmup", "ratio", "--bn-recalibration",
       "equal-batches"}};
  for (const Words& kind : kinds) {
    CAPTURE(kind[1]);
    Words words = {"--epochs", "4", "--force"};
    words.insert(words.end(), kind.begin(), kind.end());
    REQUIRE(train(small(with, words)).code == 0);
    CHECK(test::weights(with) == test::weights(plain));
    CHECK(test::timeless_records(with) == test::timeless_records(plain));
    words.erase(words.begin() + 2);
    check_resume(words, {"2", "8", "9"});
  }
}

TEST_CASE("SWA says which epochs are in it, and its file evaluates to what the table says") {
  test::TemporaryDirectory dir;
  const std::string run = dir / "run";
  const test::Said said =
      train(small(run, {"--epochs", "5", "--average", "swa", "--average-start", "3", "--average-every", "2",
                        "--sharpness", "sam", "--validation", "40"}));
  REQUIRE(said.code == 0);
  const Json swa = variant(run, "swa");
  CHECK(swa.at("models").integer() == 2);
  CHECK(swa.at("what").string() == "after epochs 3, 5: 2 models");
  CHECK(swa.at("details").at("recalibration").at("images").integer() == 120);
  CHECK(swa.at("details").at("recalibration").at("mode").string() == "pooled");
  CHECK(swa.at("weights_sha256").string() == sha256_file(run + "/final-swa.safetensors"));
  CHECK(swa.find("validation_accuracy") != nullptr);
  // The rate of the averaging phase, from the third epoch on.
  for (const Json& step : steps_of(run))
    CHECK((step.at("lr").number() == 0.05) ==
          (step.at("epoch").integer() >= 3 || step.at("step").integer() == 1));

  const test::Said eval = test::run_command("eval", {"--weights", run + "/final-swa.safetensors", "--model",
                                                     "resnet8", "--data", "synthetic", "--json"});
  REQUIRE(eval.code == 0);
  const Json evaluated = parse_json(eval.out);
  CHECK(evaluated.at("loss").number() == swa.at("test_loss").number());
  CHECK(evaluated.at("accuracy").number() == swa.at("test_accuracy").number());
  // The fair comparison: the last weights, with statistics estimated the same way.
  CHECK(variant(run, "last").at("test_loss").number() !=
        variant(run, "last, recalibrated").at("test_loss").number());
}

TEST_CASE("the swa schedules: the authors', SWALR's anneal, and cycles") {
  test::TemporaryDirectory dir;
  const auto rates = [&](const Words& more) {
    Words words = {"--epochs", "10",  "--force",         "--average", "swa",      "--model", "mlp",
                   "--lr",     "0.1", "--average-start", "8",         "--swa-lr", "0.02"};
    words.insert(words.end(), more.begin(), more.end());
    REQUIRE(train(small(dir / "run", words)).code == 0);
    std::vector<double> all;
    for (const Json& step : steps_of(dir / "run")) all.push_back(step.at("lr").number());
    return all;
  };
  const std::vector<double> authors = rates({"--schedule", "swa"});
  CHECK(authors.size() == 30);
  CHECK(authors[12] == 0.1);  // epoch 4 of 8, t = 0.5
  CHECK(authors[15] == doctest::Approx(0.1 * (1 - 0.8 * 0.125 / 0.4)));
  CHECK(authors[24] == 0.02);
  const std::vector<double> annealed =
      rates({"--schedule", "constant", "--swa-anneal-epochs", "1", "--swa-anneal", "linear"});
  CHECK(annealed[20] == 0.1);
  CHECK(annealed[22] == doctest::Approx(0.1 - 0.08 / 3));
  CHECK(annealed[24] == 0.02);
  const std::vector<double> cyclical = rates({"--schedule", "constant", "--swa-cycle-epochs", "1",
                                              "--swa-high-lr", "0.05", "--average-at", "cycle"});
  CHECK(cyclical[21] == doctest::Approx(0.04));
  CHECK(cyclical[23] == 0.02);
  CHECK(cyclical[24] == doctest::Approx(0.04));
  CHECK(variant(dir / "run", "swa").at("models").integer() == 3);
}

TEST_CASE("slow: snapshot ensembles and FGE: members, the growing report, eval --ensemble, and resume") {
  const Words snapshot = {"--ensemble", "snapshot", "--cycles", "3", "--epochs", "6"};
  const Words fge = {"--ensemble", "fge",      "--fge-start", "3",           "--fge-cycle-epochs",
                     "1.4",        "--epochs", "6",           "--sharpness", "sam"};
  check_resume(snapshot, {"5", "6", "18"});
  check_resume(fge, {"8", "13"});

  test::TemporaryDirectory dir;
  const std::string run = dir / "run";
  REQUIRE(train(small(run, snapshot)).code == 0);
  CHECK(apps::list_members(run).size() == 3);
  const Json ensemble = variant(run, "ensemble");
  CHECK(ensemble.at("models").integer() == 3);
  CHECK(ensemble.at("details").at("growing").array().size() == 3);
  // The last member is the run's last weights.
  CHECK(sha256_file(apps::member_path(run, 3)) == test::weights(run));

  for (const std::string& directory : {run, run + "/members", run + "/members/"}) {
    const test::Said said = test::run_command("eval", {"--ensemble", directory, "--json"});
    REQUIRE(said.code == 0);
    const Json evaluated = parse_json(said.out);
    CHECK(evaluated.at("accuracy").number() == ensemble.at("test_accuracy").number());
    CHECK(evaluated.at("loss").number() == ensemble.at("test_loss").number());
  }

  // A new run in its place leaves no member of the old one.
  REQUIRE(train(small(run, {"--force", "--ensemble", "snapshot", "--cycles", "2"})).code == 0);
  CHECK(apps::list_members(run).size() == 2);
  fs::remove(apps::member_path(run, 1));
  CHECK(test::failure([&] { apps::list_members(run); }).starts_with("4: "));
}

TEST_CASE("everything at once resumes: GAM, RMSProp, EMA and snapshots") {
  check_resume({"--sharpness", "gam", "--optimizer", "rmsprop", "--average", "ema", "--ensemble", "snapshot",
                "--cycles", "2", "--label-noise", "0.2", "--validation", "32"},
               {"1", "3", "4"});
}

TEST_CASE("wrong labels, validation and subsets: what the run trains on, and where it says so") {
  test::TemporaryDirectory dir;
  const std::string run = dir / "run";
  REQUIRE(
      train(small(run, {"--label-noise", "0.25", "--validation", "60", "--subset", "140", "--epochs", "1"}))
          .code == 0);
  const std::vector<std::string> noise = test::lines(run + "/label_noise.csv");
  REQUIRE(noise.size() == 21);  // a quarter of 140 - 60
  CHECK(noise[0] == "index,clean,noisy");
  const apps::TrainConfig config =
      small("unused", {"--label-noise", "0.25", "--validation", "60", "--subset", "140"});
  const apps::RunData clean = apps::load_run_data(small("unused").data, 7);
  const apps::RunData noisy = apps::load_run_data(config.data, 7);
  CHECK(noisy.train->size() == 80);
  CHECK(noisy.validation->size() == 60);
  CHECK(noisy.test->size() == clean.test->size());
  // Places are those of the whole set, labels its own.
  const auto clean_labels = data::load_data_set({.name = "synthetic", .limit = 160}).train.labels;
  for (const data::DrawnLabel& label : noisy.noise)
    CHECK(clean_labels[static_cast<std::size_t>(label.index)] == label.clean);
  // The best epoch is chosen on the validation images.
  CHECK(result_of(run).at("best_is").string() == "the epoch with the highest validation accuracy");
  CHECK(test::lines(run + "/metrics.csv")[0].find("validation_accuracy") != std::string::npos);
  // The run's own seed changes nothing of that.
  const apps::RunData other = apps::load_run_data(config.data, 8);
  CHECK(other.noise == noisy.noise);
  CHECK(other.hash == noisy.hash);
}

TEST_CASE("a step that is not finite is skipped, counted and reported, and too many in a row end the run") {
  test::TemporaryDirectory dir;
  const std::string run = dir / "run";
  const Words steep = {"--lr", "1e30", "--epochs", "3", "--skip-limit", "4"};
  const std::string said = test::failure([&] { train(small(run, steep)); });
  CHECK(said.starts_with("5: step "));
  CHECK(said.find("4 steps in a row") != std::string::npos);
  std::vector<bool> skipped;
  for (const Json& step : steps_of(run)) skipped.push_back(step.find("skipped") != nullptr);
  REQUIRE(skipped.size() >= 3);
  CHECK(std::count(skipped.begin(), skipped.end(), true) == 3);  // the fourth ended the run
  // It ends at the same step however often it is taken up again.
  CHECK(test::failure([&] {
          train(test::train_config({"--resume", run, "--quiet"}));
        }).substr(0, 12) == said.substr(0, 12));
  // A run that ends before the limit says how many there were: here every second, which looks too far away.
  const test::Said done = train(small(dir / "done", {"--sharpness", "sam", "--rho", "1e30", "--every", "2",
                                                     "--epochs", "2", "--skip-limit", "2"}));
  CHECK(done.code == 0);
  CHECK(done.out.find("\n3 steps were skipped: not finite") != std::string::npos);
}

TEST_CASE("the step that ends a run brings no weights into the average") {
  test::TemporaryDirectory dir;
  const auto fail = [&](const std::string& run, std::int64_t limit) {
    const std::string said = test::failure([&] {
      train(small(run, {"--lr", "1e30", "--epochs", "4", "--force", "--average", "swa", "--average-start",
                        "1", "--swa-lr", "0", "--skip-limit", std::to_string(limit)}));
    });
    REQUIRE(said.starts_with("5: step "));
    return std::stoll(said.substr(8));
  };
  // The first bad step, then a limit that lets the run end on the last step of an epoch, which has three.
  const std::string run = dir / "run";
  std::int64_t limit = 1;
  while ((fail(run, limit) % 3) != 0) ++limit;
  const apps::LoadedCheckpoint saved = apps::load_newest_checkpoint(run, [](const std::string&) {});
  CHECK(saved.position.step % 3 == 2);
  CHECK(saved.archive.read("average.n").item() ==
        static_cast<double>(saved.position.step / 3));  // of whole epochs
}

TEST_CASE("options of the axes that cannot go together are one line, before a run has a directory") {
  test::TemporaryDirectory dir;
  const auto refused = [&](const Words& words, const char* why) {
    const std::string said = test::failure([&] { train(small(dir / "run", words)); });
    CHECK_MESSAGE((said.starts_with("2: ") && said.find(why) != std::string::npos), said);
    CHECK_FALSE(fs::exists(dir / "run"));
  };
  refused({"--sharpness", "msam", "--momentum", "0"}, "momentum");
  refused({"--sharpness", "msam", "--optimizer", "rmsprop", "--momentum", "0"}, "momentum");
  refused({"--sharpness", "sam", "--p-norm", "3", "--no-normalise"}, "un-normalised");
  refused({"--sharpness", "gam", "--gam-form", "exact", "--micro", "shared"}, "exact");
  refused({"--sharpness", "gam", "--rho-prime", "0"}, "rho_prime");
  refused({"--sharpness", "sam", "--perturb", "named", "--perturb-names", ","}, "names");
  refused({"--average", "swa", "--average-start", "3"}, "average-start");
  refused({"--average", "swa", "--average-at", "cycle"}, "cycles");
  refused({"--ensemble", "snapshot", "--schedule", "cosine"}, "cycles");
  refused({"--ensemble", "fge", "--average", "swa"}, "swa-lr");
  refused({"--ensemble", "fge", "--fge-low-lr", "1"}, "fge-high-lr");
  refused({"--validation", "160"}, "160");
  refused({"--subset", "161"}, "161");
  refused({"--eta", "0.1", "--sharpness", "sam"}, "scaling");
  refused({"--validation-from", "end"}, "validation other than 0");
}
