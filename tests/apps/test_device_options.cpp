// --device and what goes with it: words, where they count, and what is said where there is no card.
#include <doctest/doctest.h>

#include "apps/config/cuda_plugin.h"
#include "tests/apps/calls.h"

using namespace basin;
using apps::TrainConfig;
using test::train_config, test::train_failure;

TEST_CASE("device options: cpu, cuda and cuda:N are devices, and config.toml has the word") {
  const auto device = [](const std::string& word) { return train_config({"--device", word}).device.device; };
  CHECK(device("cpu") == Device{});
  CHECK(device("cuda") == Device{Device::Kind::cuda, 0});
  CHECK(device("cuda:0") == Device{Device::Kind::cuda, 0});
  CHECK(device("cuda:15") == Device{Device::Kind::cuda, 15});
  for (const char* wrong : {"gpu", "cuda:", "cuda:16", "cuda:-1", "cuda:1x", "cuda 1", "CPU", ""})
    CHECK(train_failure({"--device", wrong}) ==
          text("2: --device '", wrong, "' is not cpu, cuda or cuda:N with N from 0 to 15"));
  const std::string words =
      to_toml(train_config({"--device", "cuda:3", "--precision", "tf32", "--no-graph"}));
  for (const char* line : {"name = \"cuda:3\"", "precision = \"tf32\"", "graph = false"})
    CHECK(words.find(line) != std::string::npos);
  CHECK(to_toml(train_config({"--device", "cuda:0"})).find("name = \"cuda\"") != std::string::npos);
}

TEST_CASE("device options: what is about cards counts with a card, and the CPU's algorithm with the CPU") {
  for (const test::Words& words : std::vector<test::Words>{
           {"--precision", "tf32"}, {"--deterministic"}, {"--no-cudnn-autotune"}, {"--no-graph"}}) {
    CHECK(train_failure(words).find("counts only with --device cuda (here it is cpu)") != std::string::npos);
    test::Words on_card = words;
    on_card.insert(on_card.end(), {"--device", "cuda:1"});
    CHECK(train_failure(on_card).empty());
  }
  CHECK(train_failure({"--device", "cuda", "--conv-algo", "direct"}).find("counts only with --device cpu") !=
        std::string::npos);
  CHECK(train_failure({"--device", "cuda", "--dtype", "f64", "--precision", "tf32"})
            .find("counts only with --dtype f32") != std::string::npos);
  CHECK(train_failure({"--device", "cuda", "--deterministic", "--no-cudnn-autotune"})
            .find("counts only with --deterministic false") != std::string::npos);
  CHECK(train_config({"--device", "cuda", "--precision", "bf16"}).device.activations() == Dtype::bf16);
  CHECK(train_config({"--device", "cuda", "--precision", "tf32"}).device.activations() == Dtype::f32);
  CHECK(
      train_failure(
          {"--device", "cuda", "--precision", "bf16", "--sharpness", "gam", "--gam-form", "exact"}) ==
      "2: --gam-form exact differentiates twice, for which bf16 has too few digits: --precision f32 or tf32");
  const TrainConfig usual = train_config({"--device", "cuda"});
  CHECK(usual.device.graph);
  CHECK(usual.device.autotune);
  CHECK_FALSE(usual.device.deterministic);
}

TEST_CASE("device options: without a plug-in beside the program a card is refused in one line") {
  REQUIRE(apps::cuda_plugin().plugin == nullptr);  // this test program has none beside it
  apps::DeviceConfig config;
  config.device = {Device::Kind::cuda, 1};
  CHECK(test::failure([&] { apply(config); }) ==
        "2: --device cuda:1: there is no plug-in libbasin_cuda.so beside the program or in ../lib: README, "
        "\"On "
        "a GPU\", has the packages that a build with CUDA needs");
}
