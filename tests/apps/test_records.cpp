// metrics.csv and steps.jsonl: exact numbers, survival of torn lines, full disks and resumption.
#include "apps/runs/records.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "core/io/files.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using test::TemporaryDirectory;

namespace {

StepRecord step_record(std::int64_t step, double seconds = 0.5) {
  return {.step = step,
          .epoch = (step + 2) / 3,
          .images = 10,
          .correct = step % 10,
          .loss = 1.0 / static_cast<double>(step),
          .loss_perturbed = 2.0 / static_cast<double>(step),
          .gradient_norm = 0.1,
          .lr = 0.05,
          .seconds = seconds};
}

EpochRecord epoch_record(std::int64_t epoch) {
  return {.epoch = epoch,
          .step = 3 * epoch,
          .train_loss = 0.1 * static_cast<double>(epoch),
          .train_accuracy = 0.5,
          .test_loss = 1.0 / 3,
          .test_accuracy = 0.25,
          .gradient_norm = 5e-324,
          .lr = 1e30,
          .seconds = 2};
}

// Records of steps (from, to] with three steps an epoch.
void record(const std::string& directory, std::int64_t from, std::int64_t to) {
  std::vector<EpochRecord> epochs;
  for (std::int64_t epoch = 1; epoch <= from / 3; ++epoch) epochs.push_back(epoch_record(epoch));
  Records records(directory, from, epochs);
  for (std::int64_t step = from + 1; step <= to; ++step) {
    records.write(step_record(step));
    if (step % 3 == 0) records.write(epoch_record(step / 3));
  }
}

void append(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::app | std::ios::binary) << text;
}

}  // namespace

TEST_CASE("numbers in metrics.csv read back to the same bits, NaN and infinities included") {
  const TemporaryDirectory directory;
  EpochRecord odd = epoch_record(1);
  odd.train_loss = std::numeric_limits<double>::quiet_NaN();
  odd.test_loss = std::numeric_limits<double>::infinity();
  odd.train_loss_perturbed = 0.1 + 0.2;
  {
    Records records(directory.path(), 0, {});
    records.write(odd);
    records.write(epoch_record(2));
  }
  const std::vector<EpochRecord> read = read_metrics(directory / "metrics.csv");
  REQUIRE(read.size() == 2);
  CHECK(std::isnan(read[0].train_loss));
  CHECK(read[0].test_loss == std::numeric_limits<double>::infinity());
  CHECK(read[0].train_loss_perturbed == 0.1 + 0.2);
  CHECK(read[0].gradient_norm == 5e-324);
  CHECK(read[0].lr == 1e30);
  CHECK_FALSE(read[1].train_loss_perturbed.has_value());
  CHECK(read[1].test_loss == 1.0 / 3);
  CHECK(read_file(directory / "metrics.csv").starts_with("epoch,step,train_loss,"));
}

TEST_CASE("a damaged metrics.csv is refused with its row") {
  const TemporaryDirectory directory;
  record(directory.path(), 0, 3);
  append(directory / "metrics.csv", "2,x,1,1,1,1,1,1,1,1,1,1,1,1,1\n");
  CHECK_THROWS_WITH_AS(read_metrics(directory / "metrics.csv"),
                       ("[metrics] " + (directory / "metrics.csv") + ": row 3: step is no number").c_str(),
                       DataError);
  CHECK_THROWS_AS(read_metrics(directory / "none.csv"), DataError);
}

TEST_CASE("a resumed run's records are those of the straight run") {
  const TemporaryDirectory straight, resumed;
  record(straight.path(), 0, 10);
  const std::string metrics = read_file(straight / "metrics.csv"),
                    steps = read_file(straight / "steps.jsonl");
  for (const char* torn : {"", "{\"step\":8,\"ep", "garbage\n", "{\"step\":3}\n"}) {
    for (const std::int64_t checkpoint : {0, 2, 3, 5, 7}) {
      for (const char* name : {"metrics.csv", "steps.jsonl"}) std::filesystem::remove(resumed / name);
      record(resumed.path(), 0, 7);
      append(resumed / "steps.jsonl", torn);
      append(resumed / "metrics.csv", "3,9,0.3");
      record(resumed.path(), checkpoint, 10);
      CAPTURE(checkpoint);
      CHECK(read_file(resumed / "metrics.csv") == metrics);
      CHECK(read_file(resumed / "steps.jsonl") == steps);
    }
  }
}

TEST_CASE("lost records are noticed, not invented") {
  const TemporaryDirectory directory;
  record(directory.path(), 0, 4);
  const auto found = [&](std::int64_t step, const std::vector<EpochRecord>& epochs) {
    std::string all;
    const Records records(directory.path(), step, epochs);
    for (const std::string& line : records.findings()) all += line + "|";
    return all;
  };
  const std::string metrics = directory / "metrics.csv", steps = directory / "steps.jsonl";
  CHECK(found(4, {epoch_record(1)}).empty());
  CHECK(found(6, {epoch_record(1), epoch_record(2)}) ==
        metrics + ": 1 rows were lost, and written again from the checkpoint|" + steps +
            ": 2 records of steps before the checkpoint are lost|");
  append(steps, std::string(100, '\0') + "\n");
  append(metrics, "epoch,other\n");
  CHECK(found(4, {epoch_record(1), epoch_record(2)}) ==
        metrics + ": 1 lines that are no records of this run are removed|" + steps +
            ": 1 lines that are no records of this run are removed|");
  CHECK(read_metrics(metrics).size() == 2);
}

TEST_CASE("an epoch's record comes back from a checkpoint to the same row") {
  const TemporaryDirectory directory;
  EpochRecord odd = epoch_record(1);
  odd.train_loss = std::numeric_limits<double>::quiet_NaN();
  odd.validation_loss = 0.1 + 0.2;
  const EpochRecord back = epoch_record(parse_json(to_json(odd).compact()));
  CHECK(to_json(back).compact() == to_json(odd).compact());
  { Records(directory.path(), 0, {}).write(odd); }
  CHECK(Records(directory.path(), 0, {back}).findings().empty());
}

TEST_CASE("lines far longer than any record are dropped, those behind them stay") {
  const TemporaryDirectory directory;
  record(directory.path(), 0, 4);
  const std::string good = read_file(directory / "steps.jsonl");
  std::ofstream(directory / "steps.jsonl", std::ios::binary) << std::string(std::size_t{3} << 20, 'x') << "\n"
                                                             << good << "{\"step\":9";
  record(directory.path(), 4, 4);
  CHECK(read_file(directory / "steps.jsonl") == good);
}

TEST_CASE("step records are JSON, without the loss at w + e where there is none") {
  StepRecord r = step_record(1);
  CHECK(to_json(r).compact() ==
        R"({"step":1,"epoch":1,"images":10,"correct":1,"loss":1.0,"loss_perturbed":2.0,"gradient_norm":0.1,)"
        R"("cosine":1.0,"passes":1,"lr":0.05,)"
        R"("seconds":0.5,"data_seconds":0.0})");
  r.loss_perturbed.reset();
  r.loss = std::numeric_limits<double>::infinity();
  CHECK(to_json(r).find("loss_perturbed") == nullptr);
  CHECK(to_json(r).at("loss").string() == "inf");
}

TEST_CASE("epoch sums: means weighted by images, and the same bits from a checkpoint") {
  EpochSums sums;
  sums.add({.step = 1,
            .images = 100,
            .correct = 50,
            .loss = 2,
            .gradient_norm = 1,
            .lr = 0.1,
            .seconds = 1,
            .data_seconds = 0.5});
  sums.add(
      {.step = 2, .images = 50, .correct = 10, .loss = 0.5, .gradient_norm = 3, .lr = 0.2, .seconds = 2});
  const EpochRecord record = sums.record(4, 2);
  CHECK(record.epoch == 4);
  CHECK(record.step == 2);
  CHECK(record.train_loss == 1.5);
  CHECK(record.train_accuracy == 0.4);
  CHECK(record.gradient_norm == 2);
  CHECK(record.lr == 0.2);
  CHECK(record.images_per_second == 50);
  CHECK(record.data_wait == 0.5 / 3);
  CHECK_FALSE(record.train_loss_perturbed.has_value());

  sums.add({.step = 3, .images = 7, .loss = 0.1, .loss_perturbed = 1.0 / 3, .gradient_norm = 1e-300});
  const EpochSums restored = epoch_sums(parse_json(to_json(sums).compact()));
  CHECK(to_json(restored).compact() == to_json(sums).compact());
  CHECK(restored.loss == sums.loss);
  CHECK(*restored.record(1, 3).train_loss_perturbed == *sums.record(1, 3).train_loss_perturbed);
}

TEST_CASE("the means of an epoch whose steps were all skipped are no numbers, its speed is one") {
  EpochSums sums;
  for (std::int64_t step = 1; step <= 2; ++step)
    sums.add({.step = step,
              .images = 30,
              .correct = 3,
              .loss = 5,
              .loss_perturbed = 6,
              .gradient_norm = 7,
              .skipped = true,
              .lr = 0.1,
              .seconds = 2,
              .data_seconds = 1});
  sums = epoch_sums(parse_json(to_json(sums).compact()));
  const EpochRecord record = sums.record(1, 2);
  CHECK(std::isnan(record.train_loss));
  CHECK_FALSE(record.train_loss_perturbed.has_value());
  CHECK(std::isnan(record.train_accuracy));
  CHECK(std::isnan(record.gradient_norm));
  CHECK(record.skipped == 2);
  CHECK(record.lr == 0.1);
  CHECK(record.images_per_second == 15);
  CHECK(record.data_wait == 0.5);
  for (const EpochRecord& none : {EpochSums{}.record(1, 0)})
    for (const double mean : {none.train_loss, none.train_accuracy, none.images_per_second, none.data_wait})
      CHECK(std::isnan(mean));

  const TemporaryDirectory directory;
  {
    Records records(directory.path(), 0, {});
    EpochRecord negative = record;
    negative.test_loss = -std::numeric_limits<double>::quiet_NaN();  // as 0.0 / 0.0 has it on this machine
    negative.test_accuracy = 0;
    records.write(negative);
  }
  const std::string csv = read_file(directory / "metrics.csv");
  CHECK(csv.find("\n1,2,nan,,nan,nan,0.0,,,2,nan,0.1,") != std::string::npos);
  CHECK(std::isnan(read_metrics(directory / "metrics.csv").at(0).train_loss));
  CHECK(to_json(record).at("train_loss").string() == "nan");
  CHECK(to_json(record).at("train_loss_perturbed").is_null());
}

TEST_CASE("a file that may not grow keeps whole records, and gets the others when it may again") {
  const TemporaryDirectory directory;
  RecordFile file(directory / "r");
  struct sigaction before {
  }, ignore{};
  ignore.sa_handler = SIG_IGN;
  REQUIRE(sigaction(SIGXFSZ, &ignore, &before) == 0);
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
  const std::string record = std::string(99, 'a') + "\n";
  file.append(record);
  const rlimit tight{150, old.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &tight) == 0);
  file.append(record);
  file.append(record);
  const std::string error = file.error(), content = read_file(directory / "r");
  REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
  sigaction(SIGXFSZ, &before, nullptr);
  CHECK(error == "[write] " + (directory / "r") + ": File too large");
  CHECK(content == record);
  file.append("last\n");
  CHECK(file.error().empty());
  CHECK(read_file(directory / "r") == record + record + record + "last\n");
}

TEST_CASE("a record file that cannot be made says so and swallows records") {
  RecordFile file("/nonexistent/r");
  CHECK(file.error() == "[open] /nonexistent/r: No such file or directory");
  file.append("x\n");
  file.keep_lines([](const std::string&) { return false; });
  file.sync();
  CHECK(file.error() == "[open] /nonexistent/r: No such file or directory");
}
