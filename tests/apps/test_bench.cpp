// `basin bench`: what it measures is there, counted right, and adds up. Nothing here depends on a time.
#include "apps/bench/bench.h"

#include <doctest/doctest.h>

#include "apps/bench/work_timer.h"
#include "core/cpu/conv/kernels.h"
#include "core/cpu/conv/peak.h"
#include "core/cpu/memory/arena.h"
#include "core/io/json.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "tests/apps/calls.h"

using namespace basin;
using namespace basin::apps;

namespace {

/// What `basin bench WORDS --json` prints.
Json bench(std::vector<std::string> words) {
  words.push_back("--json");
  const test::Said said = test::run_command("bench", words);
  REQUIRE(said.code == 0);
  return parse_json(said.out);
}

TEST_CASE("spread: the median of an even number lies between the middle two") {
  CHECK(spread({3}).median == 3);
  const Spread s = spread({4, 1, 3, 2});
  CHECK(s.median == 2.5);
  CHECK(s.low == 1);
  CHECK(s.high == 4);
  CHECK_THROWS_AS(spread({}), ArgumentError);
}

TEST_CASE("contenders: in the order asked for, unknown and repeated ones refused") {
  const std::vector<Contender> chosen = contenders("gam,plain,sam", "plain");
  REQUIRE(chosen.size() == 3);
  CHECK(chosen[0].name == "plain");
  CHECK(chosen[1].name == "gam");
  CHECK(chosen[2].name == "sam");
  CHECK(test::failure([] { contenders("gam,sam,gam", "plain"); }) == "2: --rules: 'gam' is there twice");
  CHECK(test::failure([] { contenders("sma", ""); }).find("did you mean sam") != std::string::npos);
}

TEST_CASE("contenders: each is what `basin train` makes of the same options") {
  const std::vector<std::pair<std::string, test::Words>> all = {
      {"plain", {}},
      {"sam", {"--sharpness", "sam"}},
      {"asam", {"--sharpness", "asam"}},
      {"gsam", {"--sharpness", "gsam"}},
      {"gnp", {"--sharpness", "gnp"}},
      {"fsam", {"--sharpness", "fsam"}},
      {"looksam", {"--sharpness", "looksam"}},
      {"sam-interval", {"--sharpness", "sam", "--every", "10"}},
      {"sam-on", {"--sharpness", "sam", "--perturb", "norms"}},
      {"m-sam", {"--sharpness", "sam", "--micro", "own"}},
      {"msam", {"--sharpness", "msam"}},
      {"vasso", {"--sharpness", "vasso"}},
      {"gam", {"--sharpness", "gam"}},
      {"gam-exact", {"--sharpness", "gam", "--gam-form", "exact"}},
      {"lookahead", {"--lookahead", "5"}},
      {"muon", {"--optimizer", "muon"}},
      {"schedule-free-sgd", {"--optimizer", "schedule-free-sgd", "--schedule", "constant"}},
      {"schedule-free-adamw", {"--optimizer", "schedule-free-adamw", "--schedule", "constant"}},
  };
  REQUIRE(contenders().size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(all[i].first);
    CHECK(contenders()[i].name == all[i].first);
    TrainConfig trained = test::train_config(all[i].second);
    trained.device = {};  // gam-exact's convolutions: `basin bench --conv-algo` says which it takes
    CHECK(to_toml(contenders()[i].config) == to_toml(trained));
  }
}

TEST_CASE("bench rules: passes a step and relative costs, in turns") {
  const Json document = bench(
      {"rules", "--model", "lenet5", "--batch-size", "16", "--rounds", "2", "--rules", "looksam,gam,msam"});
  const Json::Array& rules = document.at("rules").array();
  REQUIRE(rules.size() == 4);
  const double passes[] = {1, 1.1, 4, 1};
  for (std::size_t i = 0; i < rules.size(); ++i) {
    CHECK(rules[i].at("passes").number() == doctest::Approx(passes[i]));
    CHECK(rules[i].at("relative_low").number() > 0);
  }
  CHECK(rules[0].at("rule").string() == "plain");
  CHECK(rules[0].at("relative").number() == 1);
}

TEST_CASE("bench step: the shares of a step add up to it") {
  for (const char* augment : {"none", "crop=4,flip"}) {
    test::Words words = {"step",    "--model", "resnet8", "--batch-size", "8",         "--rounds", "1",
                         "--steps", "2",       "--rules", "sam",          "--augment", augment};
    if (words.back() != "none") words.insert(words.end(), {"--workers", "1"});
    const Json document = bench(words);
    const Json& row = document.at("rules").array().at(0);
    CHECK(row.at("passes").number() == 2);
    const Json& shares = row.at("shares");
    double sum = 0;
    for (const auto& part : shares.object()) {
      CAPTURE(part.first);
      CHECK(part.second.number() >= -1e-9);
      sum += part.second.number();
    }
    CHECK(sum == doctest::Approx(1));
    CHECK(shares.at("conv fwd").number() > 0);
    CHECK(shares.at("conv bwd").number() > 0);
    CHECK((shares.at("loader").number() == 0) == (std::string(augment) == "none"));
  }
}

TEST_CASE("bench memory: a larger batch needs more, and SAM a copy of the weights") {
  const Json document = bench({"memory", "--model", "resnet8", "--batch-size", "8"});
  const Json::Array& rows = document.at("rows").array();
  REQUIRE(rows.size() == 8);  // two rules, batches of 1, 2, 4, 8
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].at("batch_size").number() == 1 << i % 4);
    CHECK(rows[i].at("resident_peak").number() > rows[i].at("weights").number());
    const double tensors = rows[i].at("tensors_peak").number();
    if (tensors == 0) continue;                           // AddressSanitizer's heap stands in for the arena
    CHECK(tensors > 3 * rows[i].at("weights").number());  // weights, gradient, momentum
    if (i % 4 > 0) CHECK(tensors > rows[i - 1].at("tensors_peak").number());
    if (i >= 4) CHECK(tensors > rows[i - 4].at("tensors_peak").number());
  }
}

TEST_CASE("bench scaling: each batch with each number of threads, over one thread of the same round") {
  const WithThreads back(thread_count());  // --threads sets it for the process
  const Json document = bench(
      {"scaling", "--model", "mlp", "--batch-size", "16", "--threads", "2", "--rounds", "1", "--steps", "1"});
  CHECK(thread_count() == 2);
  const Json::Array& rows = document.at("rows").array();
  REQUIRE(rows.size() == 8);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].at("batch_size").number() == 2 << i / 2);
    CHECK(rows[i].at("threads").number() == 1 + i % 2);
    if (i % 2 == 0) CHECK(rows[i].at("over_one_thread").number() == 1);
  }
}

TEST_CASE("bench: a card counts for training steps, its options with a card, bf16 without exact GAM") {
  const auto failure = [](const test::Words& words) { return test::parse_failure("bench", words); };
  for (const char* subject : {"rules", "step", "memory"})
    CHECK(failure({subject, "--device", "cuda:1", "--precision", "bf16", "--deterministic", "--no-graph"})
              .empty());
  CHECK(failure({"scaling", "--device", "cuda"}) ==
        "2: --device counts only for bench rules, step or memory, not for scaling");
  for (const char* word : {"--no-graph", "--deterministic", "--no-cudnn-autotune"})
    CHECK(failure({"step", word}).find("counts only with --device cuda (here it is cpu)") !=
          std::string::npos);
  const test::Words exact = {"rules", "--rules", "gam-exact", "--device", "cuda", "--precision"};
  test::Words in_bf16 = exact, in_tf32 = exact;
  in_bf16.emplace_back("bf16");
  in_tf32.emplace_back("tf32");
  CHECK(failure(in_bf16) ==
        "2: --rules gam-exact differentiates twice, for which bf16 has too few digits: --precision f32 or "
        "tf32");
  CHECK(failure(in_tf32).empty());
}

TEST_CASE("bench scaling takes one rule") {
  CHECK(test::failure([] {
          test::run_command("bench", {"scaling", "--model", "mlp", "--rules", "sam,gam"});
        }) == "2: bench scaling measures one rule, --rules sam,gam names more");
}

TEST_CASE("bench conv: the model's convolutions, counted, by each algorithm that applies") {
  const Json document = bench({"conv", "--model", "resnet8", "--batch-size", "2", "--rounds", "1"});
  std::vector<std::string> found;
  int times = 0;
  for (const Json& row : document.at("convolutions").array()) {
    found.push_back(row.at("convolution").string() + " " + row.at("algorithm").string());
    if (row.at("algorithm").string() == "direct") times += static_cast<int>(row.at("times").number());
    for (const char* pass : {"forward", "input_grad", "weight_grad"})
      CHECK(row.at(pass).at("flop_per_second").number() > 0);
  }
  CHECK(times == 7);
  CHECK(found ==
        std::vector<std::string>{"3x3 3 to 16 @ 32x32 direct", "3x3 16 to 16 @ 32x32 direct",
                                 "3x3 16 to 16 @ 32x32 winograd2", "3x3 16 to 16 @ 32x32 winograd4",
                                 "3x3 16 to 32 @ 32x32, stride 2 direct", "3x3 32 to 32 @ 16x16 direct",
                                 "3x3 32 to 32 @ 16x16 winograd2", "3x3 32 to 32 @ 16x16 winograd4",
                                 "3x3 32 to 64 @ 16x16, stride 2 direct", "3x3 64 to 64 @ 8x8 direct",
                                 "3x3 64 to 64 @ 8x8 winograd2", "3x3 64 to 64 @ 8x8 winograd4"});
  CHECK(test::failure([] {
          test::run_command("bench", {"conv", "--model", "mlp"});
        }) == "2: bench conv: mlp has no convolution");
}

TEST_CASE("slow: bench ops: every kernel runs and has a rate") {
  const Json document = bench({"ops", "--batch-size", "1", "--rounds", "1"});
  CHECK(document.at("ops").array().size() > 30);
  for (const Json& row : document.at("ops").array()) {
    CAPTURE(row.at("kernel").string());
    CHECK(row.at("seconds").number() > 0);
    CHECK(row.at("of_best").number() > 0);
  }
}

TEST_CASE("a timer sees what kind of work is done while it watches, and changes none of it") {
  const Tensor x = Tensor::full({4, 3}, 2), z = Tensor::full({4, 3}, 3);
  const auto product = [&] { return binary(BinaryOp::mul, x, z).to_vector<float>(); };
  const std::vector<float> plain = product();
  WorkTimer timer;
  {
    const WithWorkObserver watched(timer);
    CHECK(product() == plain);
    CHECK(timer.seconds(Work::elementwise) > 0);
    CHECK(timer.seconds(Work::matmul) == 0);
    matmul(x, Tensor::full({3, 4}, 1));
    CHECK(timer.seconds(Work::matmul) > 0);
    timer.reset();
    CHECK(timer.seconds(Work::matmul) == 0);
  }
  matmul(x, Tensor::full({3, 4}, 1));
  CHECK(timer.seconds(Work::matmul) == 0);
}

TEST_CASE("the peak counts two operations for each lane of each multiply-add") {
  const std::string before = cpu::instruction_set();
  for (const std::string& name : cpu::instruction_sets()) {
    CAPTURE(name);
    cpu::use_instruction_set(name);
    const double one = cpu::kernels().multiply_add_chains(1);
    CHECK(one >= 2 * 16 * 2);
    CHECK(cpu::kernels().multiply_add_chains(10) == 10 * one);
    CHECK(cpu::multiply_add_peak() > 0);
  }
  cpu::use_instruction_set(before);
  CHECK(cpu::copy_bandwidth() > 0);
}

TEST_CASE("an arena that forgets its peak counts from what is in use") {
  cpu::Arena arena;
  std::byte* a = arena.allocate(1 << 20);
  std::byte* b = arena.allocate(1 << 20);
  arena.release(b, 1 << 20);
  CHECK(arena.statistics().peak_in_use >= 2 << 20);
  arena.forget_peak();
  CHECK(arena.statistics().peak_in_use == arena.statistics().in_use);
  arena.release(a, 1 << 20);
}

}  // namespace
