// Networks against torchvision: equal weights give equal logits. golden.txt is made by
// tests/torch/make_golden.py.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "autograd/recording.h"
#include "nn/models/registry.h"
#include "tests/torch/formula.h"

using namespace basin;

namespace {

const std::string kSource = BASIN_SOURCE_DIR;

/// A line of golden.txt.
struct Golden {
  Index side = 0;
  double largest = 0;  // of all logits, in magnitude
  std::vector<double> logits{};
};

Golden golden_of(const std::string& model) {
  std::ifstream in(kSource + "/tests/torch/golden.txt");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    Golden golden;
    words >> name >> golden.side >> golden.largest;
    for (double x = 0; words >> x;) golden.logits.push_back(x);
    if (name == model && golden.logits.size() == 64) return golden;
  }
  throw DataError("golden.txt has no line for ", model);
}

/// The largest difference of logits, in parts of the largest logit.
double difference(const std::string& name) {
  const Golden golden = golden_of(name);
  const auto model = nn::make_model(
      {.name = name, .height = golden.side, .width = golden.side, .classes = 1000, .blank = true});
  test::fill_by_formula(*model);
  NoRecording off;
  nn::Context ctx = nn::Context::evaluation();
  const Variable x(test::picture_batch(kSource + "/tests/data/images/photo.png", golden.side));
  const Tensor logits = (*model)(x, ctx).value();
  double worst = 0, largest = 0;
  for (Index k = 0; k < 1000; ++k) largest = std::max(largest, std::abs(double{logits.data<float>()[k]}));
  for (std::size_t k = 0; k < golden.logits.size(); ++k)
    worst = std::max(worst, std::abs(golden.logits[k] - double{logits.data<float>()[k]}));
  CHECK(largest == doctest::Approx(golden.largest).epsilon(1e-4));
  return worst / golden.largest;
}

}  // namespace

TEST_CASE("torchvision: ResNet-18 gives the same logits") { CHECK(difference("resnet18-imagenet") < 1e-4); }

TEST_CASE("slow: torchvision: ResNet-50 gives the same logits") {
  CHECK(difference("resnet50-imagenet") < 1e-4);
}

TEST_CASE("slow: torchvision: ViT-B/32 gives the same logits") { CHECK(difference("vit-b-32") < 1e-4); }
