// Checkpoints: the state comes back bit for bit, the newest whole one is taken, and no failure costs an older
// one.
#include "apps/runs/checkpoint.h"
#include "apps/weights/weights.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <thread>

#include "core/io/system_call.h"
#include "core/random.h"
#include "tests/core/contains.h"
#include "tests/core/temporary_directory.h"

namespace basin::apps {
namespace {

using test::TemporaryDirectory;
using Names = std::vector<std::string>;
using test::contains;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

template <class Call>
std::string checkpoint_error_of(Call call) {
  try {
    call();
  } catch (const CheckpointError& e) {
    CHECK(std::string(e.what()).find('\n') == std::string::npos);
    return e.what();
  }
  return "(no error)";
}

Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  Random random(seed, Stream::user);
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (float& v : values) v = static_cast<float>(random.normal());
  return Tensor::from(values, shape);
}

/// A network of one convolution, with a buffer.
struct Model {
  Variable weight, bias;
  Tensor mean;
  explicit Model(std::uint64_t seed, Index out = 4)
      : weight(Variable::parameter(random_tensor({3, 3, 2, out}, seed))),
        bias(Variable::parameter(random_tensor({out}, seed + 1))),
        mean(random_tensor({out}, seed + 2)) {}
  void describe(Inventory& it) {
    it.parameter("conv.weight", weight, ParameterRole::weight, ParameterLayout::convolution);
    it.parameter("conv.bias", bias, ParameterRole::bias);
    it.buffer("bn.running_mean", mean);
  }
};

/// An update rule's state: moments, a step count, and a buffer that exists from the first step on only.
struct Rule {
  Tensor momentum, steps, memory;
  explicit Rule(std::uint64_t seed)
      : momentum(random_tensor({76}, seed)), steps(Tensor::scalar(3, Dtype::i64)) {}
  void describe(Inventory& it) {
    it.buffer("momentum", momentum);
    it.buffer("step", steps);
    it.buffer("memory", memory);
  }
};

std::vector<StatePart> parts_of(Model& model, Rule& rule) {
  return {{"model", entries_of(model)}, {"optimizer", entries_of(rule)}};
}

TrainingPosition position_at(std::int64_t step) {
  TrainingPosition p;
  p.step = step, p.epoch = 2, p.batch = 17, p.samples_seen = step * 128;
  p.seed = 18446744073709551615u;
  p.config_hash = "c0", p.data_hash = "d0";
  p.model = "resnet20", p.optimizer = "sgd", p.rule = "sam", p.average = "none";
  p.extra.set("loss", 0.1).set("skipped", 2);
  return p;
}

const std::function<void(const std::string&)> unexpected_warning = [](const std::string& message) {
  FAIL(message);
};

std::string save(const TemporaryDirectory& dir, std::int64_t step, int keep = 2) {
  Model model(1);
  Rule rule(9);
  return save_checkpoint(dir.path(), position_at(step), state_entries(parts_of(model, rule)), keep);
}

TEST_CASE("checkpoint: position and tensors come back bit for bit, into the same storage") {
  TemporaryDirectory dir;
  Model model(1);
  Rule rule(9);
  rule.memory = random_tensor({5}, 10);
  TrainingPosition position = position_at(1234);
  position.best_metric = 0.1 + 0.2;
  position.best_epoch = 1;
  const std::string path = save_checkpoint(dir.path(), position, state_entries(parts_of(model, rule)));
  CHECK(path == dir / "ckpt-000001234.safetensors");

  Model other(50);
  Rule other_rule(60);
  const Tensor before = other.weight.value();
  const LoadedCheckpoint loaded = load_newest_checkpoint(dir.path(), unexpected_warning);
  restore_state(loaded.archive, parts_of(other, other_rule));
  CHECK(same_bits(other.weight.value(), model.weight.value()));
  CHECK(same_bits(other.bias.value(), model.bias.value()));
  CHECK(same_bits(other.mean, model.mean));
  CHECK(same_bits(other_rule.momentum, rule.momentum));
  CHECK(same_bits(other_rule.steps, rule.steps));
  CHECK(same_bits(other_rule.memory, rule.memory));
  CHECK(other.weight.value().shares_storage(before));
  CHECK(to_json(loaded.position) == to_json(position));
  CHECK(loaded.position.seed == 18446744073709551615u);
  CHECK(loaded.position.best_metric == 0.1 + 0.2);
  CHECK(loaded.archive.at("model.conv.weight").shape == Shape{4, 2, 3, 3});
}

TEST_CASE("checkpoint: a metric that does not exist yet survives") {
  const TrainingPosition back = training_position(parse_json(to_json(position_at(1)).compact()));
  CHECK(std::isnan(back.best_metric));
  CHECK(to_json(back) == to_json(position_at(1)));
}

TEST_CASE("checkpoint: the newest are kept, whatever their names' length, others' files are left alone") {
  TemporaryDirectory dir;
  write_file_atomically(dir / "ckpt-best.safetensors", "mine");
  write_file_atomically(dir / "ckpt-1.safetensors.bak", "mine");
  for (const std::int64_t step : {10, 20, 30}) save(dir, step);
  CHECK(dir.names() == Names{"ckpt-000000020.safetensors", "ckpt-000000030.safetensors",
                             "ckpt-1.safetensors.bak", "ckpt-best.safetensors"});
  save(dir, 1'000'000'000'000);
  CHECK(load_newest_checkpoint(dir.path(), unexpected_warning).position.step == 1'000'000'000'000);
  CHECK(list_checkpoints(dir.path()).size() == 2);
  save(dir, 1'000'000'000'000, 1);
  CHECK(list_checkpoints(dir.path()).size() == 1);
  CHECK_THROWS_AS(save(dir, 5, 0), ArgumentError);
}

TEST_CASE(
    "checkpoint: saving removes later ones, of a run that starts again, and never what it has just written") {
  TemporaryDirectory dir;
  for (const std::int64_t step : {100, 200, 300}) save(dir, step, 3);
  save(dir, 150);
  CHECK(dir.names() == Names{"ckpt-000000100.safetensors", "ckpt-000000150.safetensors"});
}

TEST_CASE("checkpoint: a torn or damaged older file does not count among those kept") {
  for (const bool torn : {true, false}) {
    CAPTURE(torn);
    TemporaryDirectory dir;
    for (const std::int64_t step : {100, 200}) save(dir, step);
    const std::string newer = dir / "ckpt-000000200.safetensors";
    std::string content = read_file(newer);
    if (torn)
      content.resize(700);
    else
      content[content.size() - 20] ^= 1;  // one bit of a number: the header is whole
    write_file_atomically(newer, content);
    save(dir, 300);
    CHECK(dir.names() == Names{"ckpt-000000100.safetensors", "ckpt-000000300.safetensors"});
  }
}

TEST_CASE("checkpoint: damaged files are passed over with a warning, with none whole the error lists all") {
  TemporaryDirectory dir;
  const std::string older = save(dir, 100), newer = save(dir, 200);
  const std::string good = read_file(newer);
  std::string warning;
  const auto warn = [&](const std::string& message) { warning += message; };
  std::string flipped = good;
  flipped[good.size() - 20] ^= 1;
  for (const std::string& bad : {good.substr(0, good.size() - 1), flipped, std::string()}) {
    write_file_atomically(newer, bad);
    warning.clear();
    CHECK(load_newest_checkpoint(dir.path(), warn).position.step == 100);
    CHECK(contains(warning, newer));
    CHECK(contains(warning, "going on from " + older));
  }
  write_file_atomically(older, "short");
  const std::string error = checkpoint_error_of([&] { load_newest_checkpoint(dir.path(), warn); });
  CHECK(contains(error, older + ": has 5 bytes"));
  CHECK(contains(error, newer + ": has 0 bytes"));

  TemporaryDirectory empty;
  CHECK(contains(checkpoint_error_of([&] { load_newest_checkpoint(empty.path(), warn); }),
                 "has no checkpoint"));
  CHECK(contains(checkpoint_error_of([&] { load_newest_checkpoint(empty / "no", warn); }), "No such file"));
}

TEST_CASE("checkpoint: one that the system does not let us read stops, it is not passed over or removed") {
  TemporaryDirectory dir;
  const std::string older = save(dir, 100), newer = save(dir, 200);
  const std::pair<SystemFault, const char*> faults[] = {
      {[](const char* call) { return std::string(call) == "open" ? EACCES : 0; }, "Permission denied"},
      {[](const char* call) { return std::string(call) == "open" ? EMFILE : 0; }, "Too many open files"},
      {[](const char* call) { return std::string(call) == "fstat" ? EIO : 0; }, "Input/output error"},
      {[](const char* call) { return std::string(call) == "pread" ? EIO : 0; }, "Input/output error"}};
  for (const auto& [fault, reason] : faults) {
    const SystemFault none = set_system_fault(fault);
    const std::string error =
        checkpoint_error_of([&] { load_newest_checkpoint(dir.path(), unexpected_warning); });
    set_system_fault(none);
    CHECK(contains(error, newer + " may be whole, but cannot be read"));
    CHECK(contains(error, reason));
  }

  // A passing EMFILE on the older one, which the third open of a save looks at.
  static int opens = 0;
  opens = 0;
  const SystemFault none = set_system_fault(
      [](const char* call) { return std::string(call) == "open" && ++opens == 3 ? EMFILE : 0; });
  save(dir, 300);
  set_system_fault(none);
  CHECK(opens >= 3);
  CHECK(dir.names() ==
        Names{"ckpt-000000100.safetensors", "ckpt-000000200.safetensors", "ckpt-000000300.safetensors"});
  save(dir, 400);
  CHECK(dir.names() == Names{"ckpt-000000300.safetensors", "ckpt-000000400.safetensors"});
}

TEST_CASE("checkpoint: failing to remove or to list is a warning, the new one is there") {
  TemporaryDirectory dir;
  Model model(1);
  Rule rule(9);
  std::string said;
  const auto warn = [&](const std::string& line) { said += line; };
  for (const std::int64_t step : {10, 20}) save(dir, step);
  for (const SystemFault fault :
       {SystemFault([](const char* call) { return std::string(call) == "unlink" ? EPERM : 0; }),
        SystemFault([](const char* call) { return std::string(call) == "readdir" ? EIO : 0; })}) {
    said.clear();
    const SystemFault none = set_system_fault(fault);
    const std::string path =
        save_checkpoint(dir.path(), position_at(30), state_entries(parts_of(model, rule)), 2, {}, warn);
    set_system_fault(none);
    CHECK(load_checkpoint(path).position.step == 30);
    CHECK(contains(said, "stay"));
    CHECK(list_checkpoints(dir.path()).size() == 3);
  }
}

TEST_CASE("checkpoint: a newer format stops, it is not passed over") {
  TemporaryDirectory dir;
  save(dir, 100);
  TrainingPosition later = position_at(200);
  later.format = 2;
  save_checkpoint(dir.path(), later, {});
  CHECK_THROWS_AS(load_newest_checkpoint(dir.path(), unexpected_warning), NewerFormatError);
  CHECK(contains(checkpoint_error_of([&] { load_checkpoint(dir / "ckpt-000000200.safetensors"); }),
                 "has format 2, this program reads up to 1"));
}

TEST_CASE("checkpoint: a run that differs is refused with the field and both values") {
  const TrainingPosition saved = position_at(1);
  CHECK_NOTHROW(check_compatible(saved, position_at(7)));
  const auto refused = [&](auto change) {
    TrainingPosition wanted = position_at(7);
    change(wanted);
    return checkpoint_error_of([&] { check_compatible(saved, wanted); });
  };
  CHECK(contains(refused([](auto& p) { p.model = "resnet32"; }), "model resnet20 (this run: resnet32)"));
  CHECK(contains(refused([](auto& p) { p.optimizer = "adam"; }), "optimizer sgd (this run: adam)"));
  CHECK(contains(refused([](auto& p) { p.rule = "gam"; }), "rule sam (this run: gam)"));
  CHECK(contains(refused([](auto& p) { p.average = "swa"; }), "average none (this run: swa)"));
  CHECK(contains(refused([](auto& p) { p.seed = 1; }), "seed 18446744073709551615 (this run: 1)"));
  CHECK(contains(refused([](auto& p) { p.data_hash = "d1", p.rule = "none"; }),
                 "rule sam (this run: none), data d0 (this run: d1)"));
}

TEST_CASE("checkpoint: a state that does not fit is refused as a whole") {
  TemporaryDirectory dir;
  save(dir, 1);
  const LoadedCheckpoint loaded = load_newest_checkpoint(dir.path(), unexpected_warning);
  Model wide(50, 5);
  Rule rule(60);
  rule.memory = random_tensor({2}, 4);
  const Tensor before = wide.bias.value().clone();
  const std::string error = checkpoint_error_of([&] { restore_state(loaded.archive, parts_of(wide, rule)); });
  CHECK(contains(error, "missing: optimizer.memory"));
  CHECK(contains(error,
                 "different: model.conv.weight (F32 {4,2,3,3}, expected F32 {5,2,3,3}), model.conv.bias"));
  CHECK(same_bits(wide.bias.value(), before));
  Model model(50);
  CHECK(contains(checkpoint_error_of([&] {
                   restore_state(loaded.archive, {{"model", entries_of(model)}});
                 }),
                 "unexpected: optimizer.step"));
}

TEST_CASE("checkpoint: equal weights are equal bytes, and load into a model in place") {
  TemporaryDirectory dir;
  Model model(1), twin(1), other(40), narrow(1, 3);
  save_weights(dir / "a", model);
  save_weights(dir / "b", twin);
  CHECK(read_file(dir / "a") == read_file(dir / "b"));
  save_weights(dir / "c", other);
  CHECK(read_file(dir / "a") != read_file(dir / "c"));
  load_weights(dir / "a", other);
  save_weights(dir / "c", other);
  CHECK(read_file(dir / "a") == read_file(dir / "c"));
  CHECK(
      contains(checkpoint_error_of([&] { load_weights(dir / "a", narrow); }), "conv.weight (F32 {4,2,3,3}"));
  Model doubled(1);
  doubled.mean = doubled.mean.to(Dtype::f64);
  CHECK(load_weights(dir / "a", doubled).converted_words == "from F32, exactly");

  Model from_checkpoint(70);
  load_weights(save(dir, 1), from_checkpoint);  // the model's tensors alone
  CHECK(same_bits(from_checkpoint.weight.value(), model.weight.value()));
}

TEST_CASE("checkpoint: weights of PyTorch's data parallel wrapper") {
  TemporaryDirectory dir;
  Model model(1), other(40);
  std::vector<ArchiveEntry> entries;
  for (ArchiveEntry e : state_entries({{"module", entries_of(model)}})) entries.push_back(e);
  write_archive(dir / "a", entries);
  load_weights(dir / "a", other);
  CHECK(same_bits(other.weight.value(), model.weight.value()));
  entries.push_back({"module.head", Tensor::scalar(1)});
  entries.erase(entries.begin());
  write_archive(dir / "a", entries);
  const std::string error = checkpoint_error_of([&] { load_weights(dir / "a", other); });
  CHECK(contains(error, "missing: conv.weight (F32 {4,2,3,3}); unexpected: head (F32 {})"));
}

TEST_CASE("checkpoint: an error that lists many names stays short") {
  TemporaryDirectory dir;
  Model model(1);
  std::vector<ArchiveEntry> entries;
  for (int i = 0; i < 1000; ++i) entries.push_back({"layer." + std::to_string(i), Tensor::scalar(i)});
  write_archive(dir / "a", entries);
  const std::string error = checkpoint_error_of([&] { load_weights(dir / "a", model); });
  CHECK(contains(error, "and 988 more"));
  CHECK(error.size() < 800);
}

/// Fails one system call.
struct Fault {
  static inline int calls, when, number;
  Fault(int fail_when, int fail_number) {
    calls = 0, when = fail_when, number = fail_number;
    set_system_fault([](const char*) { return calls++ == when ? number : 0; });
  }
  ~Fault() { set_system_fault(nullptr); }
};

TEST_CASE("checkpoint: whichever system call of a save fails, a whole checkpoint remains and no other file") {
  for (const int number : {ENOSPC, EIO, EACCES})
    for (int k = 0;; ++k) {
      CAPTURE(k);
      CAPTURE(number);
      TemporaryDirectory dir;
      save(dir, 10);
      save(dir, 20);
      bool failed = false, reached;
      {
        Fault fault(k, number);
        try {
          save(dir, 30);
        } catch (const OutputError& e) {
          failed = true;
          CHECK(contains(e.what(), dir.path()));
        }
        reached = Fault::calls > k;
      }
      const std::int64_t newest = load_newest_checkpoint(dir.path(), unexpected_warning).position.step;
      CHECK((newest == 30 || (failed && newest == 20)));
      CHECK(list_checkpoints(dir.path()).size() >= 2);
      CHECK(dir.names().size() == list_checkpoints(dir.path()).size());
      if (!reached) break;
    }
}

TEST_CASE("checkpoint: a process killed at any moment leaves a whole checkpoint") {
  TemporaryDirectory dir;
  save(dir, 0);
  Random random(5, Stream::user);
  for (int round = 0; round < 20; ++round) {
    const std::int64_t before = load_newest_checkpoint(dir.path(), unexpected_warning).position.step;
    const pid_t child = ::fork();
    REQUIRE(child != -1);
    if (child == 0) {
      for (std::int64_t step = before + 1;; ++step) save(dir, step);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(8000)));
    ::kill(child, SIGKILL);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    const std::int64_t after = load_newest_checkpoint(dir.path(), unexpected_warning).position.step;
    CHECK(after >= before);
  }
  save(dir, 1'000'000);
  CHECK(dir.names().size() == 2);  // and what was left half-written is gone
}

}  // namespace
}  // namespace basin::apps
