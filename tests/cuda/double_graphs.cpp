// Every kind of convolution graph that the models ask for, compiled by the real cuDNN for described cards.
// All graphs of all models: cuda_graph_table, docs/results/cuda_graphs.md.
#include <doctest/doctest.h>

#include "nn/models/registry.h"
#include "tests/cuda/graphs/survey.h"

using namespace basin;
using namespace basin::testing;

TEST_CASE("every registered model says which convolutions it asks for") {
  std::set<Asked> all;
  for (const std::string& model : nn::model_names()) {
    CAPTURE(model);
    const std::set<Asked> asked = asked_by(model);
    CHECK(asked.empty() == (model == "mlp"));
    all.insert(asked.begin(), asked.end());
  }
  // Of each weight there is a gradient, and a forward pass that it belongs to.
  std::size_t forward = 0, weights = 0;
  for (const Asked& a : all) {
    forward += a.pass == cuda::dnn::Pass::forward;
    weights += a.pass == cuda::dnn::Pass::weight_grad;
  }
  CHECK(forward == weights);
  CHECK(forward > 300);
}

TEST_CASE("the graphs of small models compile for each card in all numbers, by deterministic engines") {
  Survey survey;
  for (const fake::DescribedCard& card : {fake::kA100, fake::kH100, fake::kH200})
    for (const Numbers& n : kNumbers)
      for (const char* model : {"lenet5", "resnet20"})
        for (const Asked& a : asked_by(model))
          for (const Index batch : {1, 128}) {
            const Verdict& v = survey.verdict(card, n, a, batch);
            CAPTURE(card.name);
            CAPTURE(n.name);
            CAPTURE(a.geometry.w_shape());
            CHECK_MESSAGE(v.compiled, v.why);
            CHECK(v.deterministic);
            if (!n.tensor_cores) CHECK_FALSE(v.tensor_cores);
          }
}

TEST_CASE("the graphs of large models compile for an H200 in f32 and bf16") {
  Survey survey;
  for (const char* model :
       {"resnet50-imagenet", "wrn-28-10", "vit-b-16", "densenet-40-12", "pyramidnet-110-48"})
    for (const Numbers& n : {kNumbers[0], kNumbers[2]}) {
      int left = 60;  // of each, so that this takes seconds
      for (const Asked& a : asked_by(model)) {
        if (left-- == 0) break;
        const Verdict& v = survey.verdict(fake::kH200, n, a, 128);
        CAPTURE(model);
        CAPTURE(n.name);
        CAPTURE(a.geometry.w_shape());
        CHECK_MESSAGE(v.compiled, v.why);
        CHECK(v.deterministic);
      }
    }
}
