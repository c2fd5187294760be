#include "tests/cuda/graphs/survey.h"

#include "cuda/dnn/plan.h"
#include "tests/cuda/doubles/cudnn_double.h"

namespace basin::testing {
namespace {

using cuda::dnn::Pass;
using cuda::dnn::Plan;

constexpr std::size_t kWorkspace = std::size_t{256} << 20;

Verdict compiled(const cuda::dnn::Descriptor& graph, cudnnHandle_t handle, bool tensor_cores,
                 bool deterministic) {
  const Plan plan = cuda::dnn::plans_of(
      graph, handle,
      {.tensor_cores = tensor_cores, .nondeterministic = !deterministic, .workspace = kWorkspace}, 1)[0];
  return {true, !plan.nondeterministic, plan.tensor_cores, plan.compiled_here, plan.workspace, ""};
}

Verdict compile(const Numbers& n, const Asked& asked, Index batch, cudnnHandle_t handle) {
  ConvGeometry g = asked.geometry;
  g.batch = batch;
  try {
    const cuda::dnn::Descriptor graph =
        cuda::dnn::graph_of(cuda::dnn::convolution(g, asked.pass, n.activations, n.activations), handle);
    try {
      return compiled(graph, handle, n.tensor_cores, true);
    } catch (const cuda::dnn::Refusal&) {
      return compiled(graph, handle, n.tensor_cores, false);
    }
  } catch (const cuda::dnn::Refusal& e) {
    Verdict v;
    v.why = e.what();
    return v;
  }
}

}  // namespace

Survey::Survey() { cuda::dnn::check(cudnnCreate(&handle_), "cudnnCreate"); }
Survey::~Survey() { cudnnDestroy(handle_); }

const Verdict& Survey::verdict(const fake::DescribedCard& card, const Numbers& numbers, const Asked& asked,
                               Index batch) {
  const auto [it, fresh] = verdicts_.try_emplace({card.name, numbers.name, batch, asked});
  if (fresh) {
    const fake::WithDescribedCard scope(fake::description_of(card));
    it->second = compile(numbers, asked, batch, handle_);
  }
  return it->second;
}

}  // namespace basin::testing
