// Whole training steps on the test device: the CPU's weights, and one read by the host in a step.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "apps/evaluation/dataset_objective.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/run_data.h"
#include "apps/runs/checkpoint.h"
#include "apps/training/experiment.h"
#include "apps/training/loaded_run.h"
#include "apps/training/training_words.h"
#include "apps/weights/class_match.h"
#include "core/io/archive.h"
#include "core/io/files.h"
#include "nn/recalibration.h"
#include "tests/apps/streams.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"
#include "tests/device/test_device.h"
#include "tests/optim/problems.h"

using namespace basin;
using basin::testing::host_reads, basin::testing::test_device;
using test::small, test::Words;

namespace {

/// An experiment on one device and the batches of its run.
struct Trainer {
  apps::TrainConfig config;
  apps::RunData data;
  apps::Experiment experiment;
  data::Loader loader;
  std::int64_t reads = 0;  // of the last step

  Trainer(const Words& words, Device device, bool drawn_only = false)
      : config(on(device, small("unused", words))),
        data(apps::load_run_data(config.data, config.run.seed)),
        experiment(config, data.set, apps::run_length(config.schedule, data.train->size())),
        loader(data.train, batches(config, drawn_only)) {}

  static apps::TrainConfig on(Device device, apps::TrainConfig config) {
    config.device.device = device;
    return config;
  }
  /// Epoch after epoch.
  static data::LoaderOptions batches(const apps::TrainConfig& config, bool drawn_only) {
    data::LoaderOptions options = apps::training_batches(config, 0, 0);
    options.end_epoch = -1;
    options.drawn_only = drawn_only;
    return options;
  }
  /// The next batch; with its first pixel another.
  data::Batch batch(float first_pixel = 0) {
    data::Batch batch;
    REQUIRE(loader.next(batch));
    if (batch.images.defined()) CHECK(batch.images.device() == config.device.device);
    if (first_pixel != 0) {
      Tensor here = batch.images.to(Device{});
      here.mutable_data<float>()[0] = first_pixel;
      batch.images = here.to(config.device.device);
    }
    return batch;
  }
  optim::StepReport step(std::int64_t t, float first_pixel = 0) {
    const data::Batch batch = this->batch(first_pixel);
    const std::int64_t before = host_reads();
    const optim::StepReport report = experiment.step(batch, t);
    experiment.collect(t, report.finite);
    reads = host_reads() - before;
    return report;
  }
  /// The bytes of weights, statistics, states and average.
  std::string everything() {
    std::string all;
    const auto add = [&](const Tensor& t) {
      const Tensor here = t.to(Device{});
      if (here.defined()) all.append(reinterpret_cast<const char*>(here.raw()), here.bytes());
    };
    add(experiment.weights().values());
    if (experiment.averaging() && experiment.averaging()->average.n() > 0)
      add(experiment.averaging()->average.values());
    for (Entries e :
         {experiment.entries(), entries_of(experiment.update_rule()), entries_of(experiment.gradient_rule())})
      for (const NamedBuffer& b : e.buffers) add(*b.buffer);
    return all;
  }
};

void check_steps(const Words& words) {
  CAPTURE(words.at(0) + words.at(1));
  Trainer here(words, {}), there(words, test_device());
  CHECK(there.everything() == here.everything());
  for (std::int64_t t = 0; t < 4; ++t) {  // by calls, recorded, played twice
    CAPTURE(t);
    const optim::StepReport wanted = here.step(t), report = there.step(t);
    CHECK(here.reads == 0);
    CHECK(there.reads == 1);
    CHECK(report.finite);
    CHECK(report.loss == wanted.loss);
    CHECK(report.gradient_norm == wanted.gradient_norm);
    CHECK(report.direction_norm == wanted.direction_norm);
    CHECK(report.correct == wanted.correct);
    CHECK(report.passes == wanted.passes);
    if (!std::isnan(wanted.perturbed_loss)) CHECK(report.perturbed_loss == wanted.perturbed_loss);
  }
  CHECK(there.experiment.weights().values().device() == test_device());
  CHECK(there.everything() == here.everything());
}

std::vector<apps::StatePart> state_of(apps::Experiment& e) {
  return {{"model", e.entries()},
          {"optimizer", entries_of(e.update_rule())},
          {"rule", entries_of(e.gradient_rule())}};
}

const Words kFew = {"--batch-size", "16", "--limit", "64"};

Words with(const Words& words) {
  Words all = words;
  all.insert(all.end(), kFew.begin(), kFew.end());
  return all;
}

}  // namespace

TEST_CASE("device steps: SGD, SAM, GAM, Adam and their like on a small ResNet with batch norm") {
  check_steps(with({"--sharpness", "none"}));
  check_steps(with({"--sharpness", "sam"}));
  check_steps(with({"--sharpness", "gam"}));
  check_steps(with({"--sharpness", "gsam"}));
  check_steps(with({"--sharpness", "fsam", "--clip", "0.5"}));
  check_steps(with({"--optimizer", "adamw"}));
  check_steps(with({"--optimizer", "rmsprop", "--average", "ema"}));
}

TEST_CASE("device steps: mixed batches, label smoothing, decay in the loss, micro-batches") {
  check_steps(with({"--augment", "mixup=0.2", "--label-smoothing", "0.1"}));
  check_steps(with({"--decay-in", "loss", "--weight-decay", "5e-4"}));
  check_steps(with({"--sharpness", "sam", "--micro", "own", "--micro-size", "4"}));
  check_steps(with({"--sharpness", "fsam", "--micro", "shared", "--micro-size", "6"}));
}

TEST_CASE("device steps: dropout, shaken branches, attention, layer norm") {
  check_steps({"--model", "vgg16-bn", "--batch-size", "4", "--limit", "16", "--sharpness", "sam"});
  check_steps({"--model", "shake-shake-26-2x32d", "--batch-size", "4", "--limit", "16"});
  check_steps({"--model", "vit-cifar", "--batch-size", "4", "--limit", "16", "--sharpness", "sam"});
}

TEST_CASE("device steps: one that is not finite changes nothing, and says so with its one read") {
  const Words words = with({"--sharpness", "sam", "--optimizer", "adam"});
  Trainer here(words, {}), there(words, test_device());
  CHECK(there.step(0).finite);
  here.step(0);
  const std::string before = there.everything();
  const float infinity = std::numeric_limits<float>::infinity();
  const optim::StepReport report = there.step(1, infinity);
  CHECK(there.reads == 1);
  CHECK_FALSE(report.finite);
  CHECK(report.failed_pass == 0);
  CHECK_FALSE(here.step(1, infinity).finite);
  CHECK(there.everything() == before);
  CHECK(there.step(2).finite);
  here.step(2);
  CHECK(there.everything() == here.everything());
}

TEST_CASE("device steps: a checkpoint written on a device resumes there and on the CPU, with the same bits") {
  const Words words = with({"--sharpness", "fsam", "--optimizer", "adam"});
  test::TemporaryDirectory dir;
  const std::string path = dir / "state.safetensors";
  Trainer straight(words, test_device());
  straight.step(0);
  write_archive(path, apps::state_entries(state_of(straight.experiment)));
  straight.step(1);
  for (const Device device : {test_device(), Device{}}) {
    CAPTURE(device);
    Trainer resumed(words, device);
    data::Batch first;
    REQUIRE(resumed.loader.next(first));
    apps::restore_state(Archive(path), state_of(resumed.experiment));
    for (const NamedBuffer& b : entries_of(resumed.experiment.gradient_rule()).buffers)
      CHECK(b.buffer->device() == device);
    resumed.step(1);
    CHECK(resumed.everything() == straight.everything());
  }
}

TEST_CASE("device steps: asked for before earlier ones are read, also where some are not finite") {
  static constexpr std::int64_t kSteps = 16, kAhead = 5;
  const auto check = [](Words words, bool graph) {
    CAPTURE(words.at(1));
    CAPTURE(graph);
    for (const char* word : {"--epochs", "1", "--schedule", "cosine", "--batch-size", "8", "--limit", "128"})
      words.push_back(word);
    Trainer here(words, {}), there(words, test_device());
    if (!graph) there.experiment.make_steps_by(std::make_unique<optim::StepGraph>());
    const auto spoiled = [](std::int64_t t) { return t == 0 || t == 6 || t == 7 || t == 11 || t == 15; };
    const auto pixel = [&](std::int64_t t) {
      return spoiled(t) ? std::numeric_limits<float>::infinity() : 0;
    };
    std::int64_t settled = 0;
    const auto settle = [&] {
      const optim::StepReport wanted = here.step(settled, pixel(settled));
      const optim::StepReport report = there.experiment.settle();
      CAPTURE(settled);
      there.experiment.collect(settled, report.finite);
      CHECK(report.finite == !spoiled(settled));
      CHECK(report.finite == wanted.finite);
      if (report.finite) {
        CHECK(report.passes == wanted.passes);
        CHECK(report.loss == wanted.loss);
        CHECK(report.direction_norm == wanted.direction_norm);
        CHECK(report.correct == wanted.correct);
      } else {
        CHECK_FALSE(apps::failure_in_words(report, there.experiment.failure()).empty());
      }
      ++settled;
    };
    for (std::int64_t t = 0; t < kSteps; ++t) {
      there.experiment.begin(there.batch(pixel(t)), t);
      CHECK(there.experiment.under_way() == t + 1 - settled);
      if (there.experiment.under_way() > kAhead) settle();
    }
    while (there.experiment.under_way() > 0) settle();
    CHECK(settled == kSteps);
    CHECK(there.everything() == here.everything());
  };
  for (const bool graph : {true, false}) {
    check({"--sharpness", "sam", "--rho-schedule", "lr", "--optimizer", "adamw", "--average", "ema"}, graph);
    check({"--sharpness", "looksam", "--every", "3", "--optimizer", "adam"}, graph);
    check({"--sharpness", "fsam", "--average", "swa", "--average-at", "step", "--average-start", "0"}, graph);
  }
}

TEST_CASE("device steps: there is nothing to settle where nothing is under way, or a batch is refused") {
  Trainer there(with({"--sharpness", "none"}), test_device());
  CHECK_THROWS_WITH_AS(there.experiment.settle(), "[experiment] no step is under way that could be settled",
                       ArgumentError);
  const data::Batch first = there.batch(), second = there.batch();
  there.experiment.begin(first, 0);
  CHECK_THROWS_AS(there.experiment.begin(second.to(Device{}), 1), ArgumentError);
  CHECK(there.experiment.under_way() == 1);
  CHECK(there.experiment.settle().finite);
}

TEST_CASE("device steps: played from records, with other batches, rates, radii, mixes and masks in each") {
  const auto check = [](Words words, std::size_t sequences, std::int64_t played) {
    CAPTURE(words.at(1));
    for (const char* word : {"--epochs", "1", "--schedule", "cosine", "--batch-size", "16", "--limit", "160"})
      words.push_back(word);
    Trainer here(words, {}), there(words, test_device());
    auto graph = std::make_unique<optim::RecordedSteps>(test_device());
    const optim::RecordedSteps& seen = *graph;
    there.experiment.make_steps_by(std::move(graph));
    for (std::int64_t t = 0; t < 10; ++t) {
      CAPTURE(t);
      const bool spoiled = t == 7;
      const float pixel = spoiled ? std::numeric_limits<float>::infinity() : 0;
      const optim::StepReport wanted = here.step(t, pixel), report = there.step(t, pixel);
      CHECK(there.reads == 1);
      CHECK(report.finite == !spoiled);
      CHECK(wanted.finite == !spoiled);
      if (spoiled) continue;
      CHECK(report.loss == wanted.loss);
      CHECK(report.correct == wanted.correct);
      CHECK(report.direction_norm == wanted.direction_norm);
    }
    CHECK(there.everything() == here.everything());
    CHECK(seen.sequences() == sequences);
    CHECK(seen.played() == played);
  };
  check({"--sharpness", "none", "--augment", "mixup=0.4"}, 1, 8);
  check({"--sharpness", "sam", "--rho-schedule", "lr"}, 1, 8);
  // The first step has no g_v yet and is made by calls; then those that look uphill, and the others.
  check({"--sharpness", "looksam", "--every", "3", "--rho-schedule", "lr", "--optimizer", "adamw"}, 2, 5);
  check({"--sharpness", "gam", "--rho-schedule", "lr"}, 1, 8);
  check({"--sharpness", "fsam", "--clip", "0.5", "--optimizer", "adamw"}, 1, 7);
  check({"--sharpness", "sam", "--micro", "own", "--micro-size", "4"}, 1, 8);
}

TEST_CASE(
    "device steps: a last batch of fewer rows has its own record, and without records all is the same") {
  const auto check = [](bool graph) {
    Words words = {"--sharpness", "sam", "--epochs", "4", "--batch-size", "16", "--limit", "40"};
    Trainer here(words, {}), there(words, test_device());
    if (!graph) there.experiment.make_steps_by(std::make_unique<optim::StepGraph>());
    for (std::int64_t t = 0; t < 12; ++t) CHECK(there.step(t).loss == here.step(t).loss);
    CHECK(there.everything() == here.everything());
  };
  check(true);
  check(false);
}

TEST_CASE("device steps: the device makes the batches inside the step, of what is drawn and sent") {
  const auto check = [](const std::string& augment, const std::string& sharpness, bool graph) {
    CAPTURE(augment);
    CAPTURE(graph);
    const Words words = {"--sharpness", sharpness,      "--augment", augment,   "--epochs",
                         "4",           "--batch-size", "16",        "--limit", "40"};
    Trainer here(words, {}), there(words, test_device(), /*drawn_only=*/true);
    if (!graph) there.experiment.make_steps_by(std::make_unique<optim::StepGraph>());
    std::vector<std::string> calls;
    for (std::int64_t t = 0; t < 12; ++t) {
      const optim::StepReport wanted = here.step(t);
      const basin::testing::Calls seen(calls);
      const optim::StepReport report = there.step(t);
      CHECK(there.reads == 1);
      CHECK(report.loss == wanted.loss);
      CHECK(report.correct == wanted.correct);
    }
    CHECK(there.everything() == here.everything());
    int made = 0;
    for (const std::string& call : calls) {
      made += call.starts_with("image_batch");
      if (call.starts_with("upload of ")) CHECK(std::stoll(call.substr(10)) <= 8 * (12 * 16 + 8));
    }
    CHECK(made == 12);
  };
  check("none", "none", true);
  check("cutout,mixup=0.4", "sam", true);
  check("basic,reflect,cutmix=1,batch-cutout=5", "none", true);
  check("basic,mixup=0.4", "sam", false);
}

TEST_CASE("device steps: batches that are drawn, and batches of other data, have records of their own") {
  const Words words = with({"--sharpness", "none", "--augment", "basic", "--epochs", "4"});
  Trainer here(words, {}), there(words, test_device(), /*drawn_only=*/true);
  Trainer others_here(words, {}), others(words, test_device(), /*drawn_only=*/true);
  data::LoaderOptions options = Trainer::batches(there.config, /*drawn_only=*/false);
  data::Loader made(there.data.train, options);
  data::Batch batch;
  std::int64_t t = 0;
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    CHECK(there.step(t).loss == here.step(t).loss);
    ++t;
    for (data::Loader* loader : {&others.loader, &others_here.loader}) {
      REQUIRE(loader->next(batch));
      apps::Experiment& e = loader == &others.loader ? there.experiment : here.experiment;
      CHECK(e.step(batch, t).finite);
    }
    ++t;
    REQUIRE(made.next(batch));
    CHECK(there.experiment.step(batch, t).finite);
    CHECK(here.experiment.step(batch.to(Device{}), t).finite);
    ++t;
  }
  CHECK(there.everything() == here.everything());
}

TEST_CASE("device steps: examples with labels of another order of classes are made there too") {
  const Trainer t(with({"--sharpness", "none", "--augment", "basic"}), {});
  std::vector<std::int64_t> place;
  for (std::int64_t k = 0; k < t.data.set.classes(); ++k) place.push_back(t.data.set.classes() - 1 - k);
  const auto source = apps::relabelled(t.data.train, place);
  data::Loader here(source, data::one_pass(16)), there(source, data::one_pass(16, 0, test_device()));
  data::Loader before(t.data.train, data::one_pass(16));
  for (data::Batch a, b, c; here.next(a) && there.next(b) && before.next(c);) {
    CHECK(b.drawn != nullptr);
    CHECK(optim::testing::same_bits(b.images.to(Device{}), a.images));
    CHECK(optim::testing::same_bits(b.labels.to(Device{}), a.labels));
    CHECK(a.labels.data<std::int64_t>()[0] == t.data.set.classes() - 1 - c.labels.data<std::int64_t>()[0]);
  }
}

TEST_CASE("device steps: a batch elsewhere, and labels that are no classes, are refused") {
  Trainer there(with({"--sharpness", "none"}), test_device());
  data::Batch batch;
  REQUIRE(there.loader.next(batch));
  CHECK_THROWS_WITH_AS(there.experiment.step(batch.to(Device{}), 0),
                       doctest::Contains("the weights are on test:0, the batch on cpu"), ArgumentError);
  data::Batch wrong = batch.to(Device{});
  wrong.labels = wrong.labels.clone();
  wrong.labels.mutable_data<std::int64_t>()[3] = 10;
  CHECK_THROWS_WITH_AS(there.experiment.step(wrong.to(test_device()), 0),
                       "[cross_entropy] label 10 at position 3 is outside [0, 10)", ArgumentError);
  CHECK(there.experiment.step(batch, 0).finite);
}

TEST_CASE("device steps: weights are saved and loaded there as on the CPU") {
  const test::TemporaryDirectory dir;
  const Words words = with({"--sharpness", "none"});
  Trainer here(words, {}), there(words, test_device());
  for (Trainer* t : {&here, &there}) {
    CHECK(t->step(0).finite);
    apps::save_weights(dir / text(t->config.device.device), t->experiment.entries(),
                       apps::identity_of(t->config.model, t->data.set));
  }
  CHECK(read_file(dir / "test:0") == read_file(dir / "cpu"));
  test::FakeTerminal terminal;
  const apps::LoadedRun a = apps::load_run(here.config, dir / "cpu", terminal.terminal);
  const apps::LoadedRun b = apps::load_run(there.config, dir / "cpu", terminal.terminal);
  for (const NamedBuffer& buffer : entries_of(*b.model).buffers)
    CHECK(buffer.buffer->device() == test_device());
  CHECK(nn::device_of(*b.model) == test_device());
  const auto tally = [](const apps::LoadedRun& run) {
    return apps::evaluate(*run.model, run.data.train, run.logits, apps::evaluation_options(run.config));
  };
  CHECK(tally(a).loss_sum == tally(b).loss_sum);
  CHECK(tally(a).correct == tally(b).correct);
}

TEST_CASE("device steps: evaluation, recalibration and a data set's loss see what the CPU sees") {
  const Words words = with({"--sharpness", "none"});
  Trainer here(words, {}), there(words, test_device());
  const auto tally = [](Trainer& t) {
    nn::Recalibration recalibration(t.experiment.model());
    data::Loader loader(t.data.train, data::one_pass(16, 0, t.config.device.device));
    for (data::Batch batch; loader.next(batch);) recalibration.add(batch.images);
    recalibration.finish();
    return apps::evaluate(t.experiment.model(), t.data.train, t.data.set.classes(), {.batch_size = 16});
  };
  const apps::Tally a = tally(here), b = tally(there);
  CHECK(a.loss_sum == b.loss_sum);
  CHECK(a.correct == b.correct);
  CHECK(there.everything() == here.everything());
  const auto loss = [](Trainer& t) {
    const apps::DatasetObjective objective(t.experiment.model(), t.experiment.weights(), t.data.train,
                                           {.batch_size = 16}, {});
    return objective({});
  };
  const optim::Evaluation x = loss(here), y = loss(there);
  CHECK(x.loss == y.loss);
  CHECK(x.correct == y.correct);
  CHECK(optim::testing::same_bits(y.gradient.to(Device{}), x.gradient));
}
