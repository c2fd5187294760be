// `basin info MODEL`: its layers, and the sums below them.
#include <doctest/doctest.h>

#include "apps/commands.h"
#include "core/json.h"
#include "tests/apps/streams.h"

using namespace basin;

namespace {

std::string info(const std::string& model, bool json) {
  apps::InfoConfig config;
  config.target = model;
  config.data.name = "fashion-mnist";
  config.output.json = json;
  test::FakeTerminal fake(config.output);
  CHECK(apps::info_command(config, fake.terminal) == 0);
  return fake.out.str();
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
