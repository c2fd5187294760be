// `basin info`: the layers of a model and the sums below them; what a file of weights says of its network.
#include <doctest/doctest.h>

#include <algorithm>

#include "apps/weights/weights.h"
#include "core/io/json.h"
#include "nn/models/registry.h"
#include "tests/apps/calls.h"
#include "tests/core/temporary_directory.h"

using namespace basin;

namespace {

std::string info(const std::string& target, bool json) {
  test::Words words = {target};
  const std::vector<std::string> models = nn::model_names();
  if (std::find(models.begin(), models.end(), target) != models.end())
    words.insert(words.end(), {"--data", "fashion-mnist"});
  if (json) words.push_back("--json");
  const test::Said said = test::run_command("info", words);
  CHECK(said.code == 0);
  return said.out;
}

}  // namespace

TEST_CASE("info: a model's parameters, operations and activation memory, by hand for the perceptron") {
  const Json document = parse_json(info("mlp", true));
  const Index first = 784 * 256, second = 256 * 128, last = 128 * 10;
  CHECK(document.at("parameters").integer() == first + 256 + second + 128 + last + 10);
  CHECK(document.at("flop_forward").integer() == 2 * (first + second + last));
  CHECK(document.at("activation_bytes").integer() == 4 * (784 + 256 + 128 + 10));
  const std::string page = info("mlp", false);
  CHECK(page.find("235,146 parameters (919 KiB in f32), 0.47 MFLOP forward an image") != std::string::npos);
  CHECK(page.find("activations that a training pass keeps: 4.6 KiB an image (f32)") != std::string::npos);
}

TEST_CASE(
    "info: a file of weights says its model, its data, its classes and what inputs are normalised with") {
  const test::TemporaryDirectory dir;
  const std::string file = dir / "w.safetensors", bare = dir / "bare.safetensors";
  const auto model = nn::make_model({.name = "mlp", .height = 8, .width = 8, .channels = 1, .classes = 2});
  apps::save_weights(file, *model,
                     apps::Identity{.model = "mlp",
                                    .data = "folder",
                                    .image = {8, 8, 1},
                                    .classes = 2,
                                    .class_names = {"cat", "dog"},
                                    .mean = {0.25},
                                    .deviation = {0.5}});
  const std::string page = info(file, false);
  CHECK(page.find("model    mlp, trained on folder, images 8x8x1\n") != std::string::npos);
  CHECK(page.find("classes  2: 'cat', 'dog'\n") != std::string::npos);
  CHECK(page.find("inputs   normalised by mean 0.25, deviation 0.5\n") != std::string::npos);
  CHECK(parse_json(info(file, true)).at("network").at("class_names").array()[1].string() == "dog");
  apps::save_weights(bare, *model);
  CHECK(info(bare, false).find("classes ") == std::string::npos);
  CHECK(parse_json(info(bare, true)).at("network").object().empty());
}
