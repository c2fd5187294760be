// cuda_graph_table: the graphs of all registered models, compiled by cuDNN for described cards, as the tables
// of docs/results/cuda_graphs.md. Takes minutes. cuda_graph_table MODEL...: of these models alone.
#include <cudnn.h>

#include <algorithm>
#include <iostream>
#include <vector>

#include "nn/models/registry.h"
#include "tests/cuda/graphs/survey.h"

namespace {

using namespace basin;
using namespace basin::testing;

constexpr fake::DescribedCard kCards[] = {fake::kA100, fake::kH100, fake::kH200};
constexpr Index kBatches[] = {1, 128};
constexpr cuda::dnn::Pass kPasses[] = {cuda::dnn::Pass::forward, cuda::dnn::Pass::input_grad,
                                       cuda::dnn::Pass::weight_grad};

/// Of some graphs together.
struct Sum {
  int asked = 0, compiled = 0, deterministic = 0, tensor_cores = 0, compiled_here = 0;
  std::size_t workspace = 0;

  void add(const Verdict& v) {
    ++asked;
    compiled += v.compiled;
    deterministic += v.deterministic;
    tensor_cores += v.tensor_cores;
    compiled_here += v.compiled_here;
    workspace = std::max(workspace, v.workspace);
  }
};

std::string megabytes(std::size_t bytes) {
  const std::size_t tenths = (bytes * 10 + (1 << 19)) >> 20;
  return text(tenths / 10, '.', tenths % 10);
}

void print_by_card(Survey& survey, const std::vector<std::string>& models) {
  std::set<Asked> all;
  for (const std::string& m : models) all.merge(asked_by(m));
  std::cout
      << "\n| card | numbers | pass | graphs | compiled | deterministic | tensor cores | made when planned | "
         "largest workspace, MiB |\n| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  std::set<std::string> refusals;
  for (const fake::DescribedCard& card : kCards)
    for (const Numbers& n : kNumbers)
      for (const cuda::dnn::Pass pass : kPasses) {
        Sum sum;
        for (const Asked& a : all) {
          if (a.pass != pass) continue;
          for (const Index batch : kBatches) {
            const Verdict& v = survey.verdict(card, n, a, batch);
            sum.add(v);
            if (!v.compiled) refusals.insert(text(card.name, ", ", n.name, ": ", v.why));
          }
        }
        std::cout << "| " << card.name << " | " << n.name << " | " << name_of(pass) << " | " << sum.asked
                  << " | " << sum.compiled << " | " << sum.deterministic << " | " << sum.tensor_cores << " | "
                  << sum.compiled_here << " | " << megabytes(sum.workspace) << " |\n"
                  << std::flush;
      }
  for (const std::string& r : refusals) std::cout << "\nRefused: " << r << '\n';
}

void print_by_model(Survey& survey, const std::vector<std::string>& models) {
  std::cout << "\n| model | geometries | graphs | f32 | tf32 | bf16 | f64 |\n"
               "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const std::string& m : models) {
    const std::set<Asked> asked = asked_by(m);
    std::set<Asked> geometries;
    for (Asked a : asked) {
      a.pass = cuda::dnn::Pass::forward;
      geometries.insert(a);
    }
    std::cout << "| " << m << " | " << geometries.size() << " | "
              << asked.size() * std::size(kBatches) * std::size(kCards);
    for (const Numbers& n : kNumbers) {
      Sum sum;
      for (const fake::DescribedCard& card : kCards)
        for (const Index batch : kBatches)
          for (const Asked& a : asked) sum.add(survey.verdict(card, n, a, batch));
      std::cout << " | " << sum.compiled << " / " << sum.asked - sum.compiled << " / "
                << megabytes(sum.workspace);
    }
    std::cout << " |\n" << std::flush;
  }
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::string> models(arguments + 1, arguments + count);
  if (models.empty()) models = nn::model_names();
  Survey survey;
  std::cout << "cuDNN " << cudnnGetVersion() << ", batches of 1 and of 128 images.\n";
  print_by_card(survey, models);
  print_by_model(survey, models);
  std::cout << '\n' << survey.graphs() << " graphs, each compiled once.\n";
}
