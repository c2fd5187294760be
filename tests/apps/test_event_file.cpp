// Event files of TensorBoard: records with their checksums, and runs that are resumed.
#include "apps/runs/event_file.h"

#include <doctest/doctest.h>

#include <bit>
#include <fstream>
#include <map>

#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/hash.h"
#include "core/io/protobuf.h"
#include "core/io/tf_record.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;

namespace {

float float_of(std::string_view bytes) {
  std::uint32_t bits = 0;
  for (std::size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<unsigned char>(bytes.at(i));
  return std::bit_cast<float>(bits);
}

/// "train/loss" -> {{1, 2.3}, {2, 2.1}}, in the order of the file, times left out; all of it must be records.
std::map<std::string, std::vector<std::pair<std::int64_t, float>>> scalars(const std::string& run) {
  std::map<std::string, std::vector<std::pair<std::int64_t, float>>> all;
  const std::string bytes = read_file(run + "/" + kEventFile);
  std::string_view rest = bytes, event;
  while (take_tf_record(rest, event)) {
    std::int64_t step = 0;
    for (ProtobufFields e(event); e.next();) {
      if (e.number() == 2) step = e.integer();
      if (e.number() == 3) CHECK(e.bytes() == "brain.Event:2");
      if (e.number() != 5) continue;
      for (ProtobufFields values(e.bytes()); values.next();) {
        std::string tag;
        for (ProtobufFields v(values.bytes()); v.next();) {
          if (v.number() == 1) tag = v.bytes();
          if (v.number() == 2) all[tag].emplace_back(step, float_of(v.bytes()));
        }
      }
    }
  }
  CHECK(rest.empty());
  return all;
}

}  // namespace

TEST_CASE("CRC-32C and a record, by published values") {
  CHECK(crc32c("123456789", 9) == 0xe3069283u);
  CHECK(crc32c("", 0) == 0);
  CHECK(crc32c(std::string(32, '\0').data(), 32) == 0x8a9136aau);  // RFC 3720, B.4
  const std::string record = tf_record("abc");
  CHECK(record.size() == 12 + 3 + 4);
  CHECK(record.substr(0, 8) == std::string("\3\0\0\0\0\0\0\0", 8));
  std::string_view rest = record, taken;
  CHECK(take_tf_record(rest, taken));
  CHECK(taken == "abc");
  CHECK(rest.empty());
  for (std::size_t at = 0; at < record.size(); ++at) {
    std::string damaged = record;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    rest = damaged;
    CHECK_FALSE(take_tf_record(rest, taken));
    rest = std::string_view(record).substr(0, at);
    CHECK_FALSE(take_tf_record(rest, taken));
  }
}

TEST_CASE("a run's events are its records, and a resumed run has each once") {
  const TemporaryDirectory there;
  const std::string straight = there / "straight", resumed = there / "resumed";
  const Words words = {"--tensorboard", "--sharpness", "sam"};
  REQUIRE(train(small(straight, words)).code == 0);
  const auto expected = scalars(straight);
  const std::size_t steps = lines(straight + "/steps.jsonl").size();
  REQUIRE(expected.at("train/loss").size() == steps);
  CHECK(expected.at("train/loss_perturbed").size() == steps);
  CHECK(expected.at("train/loss").front().first == 1);
  CHECK(expected.at("epoch/test_accuracy").size() == 2);
  const std::vector<EpochRecord> epochs = read_metrics(straight + "/metrics.csv");
  CHECK(expected.at("epoch/test_loss")[1] ==
        std::pair<std::int64_t, float>{epochs[1].step, static_cast<float>(epochs[1].test_loss.value())});

  Words stopped = words;
  stopped.insert(stopped.end(), {"--stop-after-steps", "4", "--checkpoint-every", "2steps"});
  REQUIRE(train(small(resumed, stopped)).code == 0);
  // A killed process left events behind its checkpoint, and half a record.
  {
    EventFile later(resumed, 1000, {EpochRecord{.epoch = 1, .step = 1000}});
    later.write(StepRecord{.step = 5, .loss = 99});
    later.write(EpochRecord{.epoch = 2, .step = 4});
    later.sync();
    std::ofstream(resumed + "/" + kEventFile, std::ios::app | std::ios::binary) << "torn";
  }
  REQUIRE(train(train_config({"--resume", resumed, "--quiet"})).code == 0);
  CHECK(scalars(resumed) == expected);
}

TEST_CASE("without --tensorboard there is none, and --force takes an old one away") {
  const TemporaryDirectory there;
  const std::string run = there / "run";
  REQUIRE(train(small(run, {"--tensorboard", "--epochs", "1"})).code == 0);
  REQUIRE(train(small(run, {"--force", "--epochs", "1"})).code == 0);
  CHECK(kind_of_file(run + "/" + kEventFile) == FileKind::none);
}
