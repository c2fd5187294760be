#include "cuda/dnn/plan.h"

#include <algorithm>
#include <string>

#include "cuda/dnn/graph.h"

namespace basin::cuda::dnn {
namespace {

std::vector<Descriptor> configurations(const Descriptor& graph, cudnnBackendHeurMode_t mode) {
  Descriptor search(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  search.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, mode)
      .finish("a search for engines");
  return search.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
}

template <class Note>
bool contains(const std::vector<Note>& notes, Note note) {
  return std::find(notes.begin(), notes.end(), note) != notes.end();
}

// What was found, for the error where nothing is left.
struct Tally {
  int offered = 0, imprecise = 0, nondeterministic = 0, large = 0;
  std::string refusal;
};

class Search {
 public:
  Search(cudnnHandle_t handle, const Allowed& allowed) : handle_(handle), allowed_(allowed) {}

  /// Adds the plan of a configuration, if it is allowed and can be made.
  void add(const Descriptor& configuration, std::vector<Plan>& plans) {
    ++tally.offered;
    Plan plan;
    if (!engine_allowed(configuration, plan)) return;
    try {
      plan.compiled = Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.compiled.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle_)
          .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration)
          .finish("a plan");
    } catch (const Refusal& e) {  // offered and yet not possible: the next one may be
      tally.refusal = e.what();
      return;
    }
    plan.workspace =
        static_cast<std::size_t>(plan.compiled.integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
    if (plan.workspace > allowed_.workspace) {
      ++tally.large;
      return;
    }
    plans.push_back(std::move(plan));
  }

  Tally tally;

 private:
  bool engine_allowed(const Descriptor& configuration, Plan& plan) {
    const std::vector<Descriptor> engines =
        configuration.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    if (engines.empty()) return false;
    const Descriptor& engine = engines[0];
    plan.engine = engine.integer(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
    const auto notes = engine.values<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                                  CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
    const auto behaviour = engine.values<cudnnBackendBehaviorNote_t>(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE,
                                                                     CUDNN_BEHAVIOR_NOTE_TYPE_COUNT);
    plan.tensor_cores = contains(notes, CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
    plan.nondeterministic = contains(notes, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
    plan.compiled_here = contains(behaviour, CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION);
    if (contains(notes, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION) ||
        contains(notes, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) ||
        (plan.tensor_cores && !allowed_.tensor_cores)) {
      ++tally.imprecise;
      return false;
    }
    if (plan.nondeterministic && !allowed_.nondeterministic) {
      ++tally.nondeterministic;
      return false;
    }
    return true;
  }

  cudnnHandle_t handle_;
  Allowed allowed_;
};

}  // namespace

void Plan::execute(cudnnHandle_t handle, const void* x, const void* w, const void* y,
                   std::byte* memory) const {
  const auto address = [](const void* p) { return const_cast<void*>(p); };
  Descriptor tensors(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  tensors.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::array<std::int64_t, 3>{kX, kW, kY})
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, std::array<void*, 3>{address(x), address(w), address(y)})
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, std::array<void*, 1>{memory})
      .finish("the tensors of a plan");
  check(cudnnBackendExecute(handle, compiled.get(), tensors.get()), "cudnnBackendExecute");
}

std::vector<Plan> plans_of(const Descriptor& graph, cudnnHandle_t handle, const Allowed& allowed,
                           std::size_t most) {
  Search search(handle, allowed);
  std::vector<Plan> plans;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    if (!plans.empty()) break;  // the fallbacks are for where there is nothing else
    std::vector<Descriptor> offered;
    try {
      offered = configurations(graph, mode);
    } catch (const Refusal& e) {
      search.tally.refusal = e.what();
    }
    for (const Descriptor& configuration : offered) {
      if (plans.size() == most) break;
      search.add(configuration, plans);
    }
  }
  if (plans.empty()) {
    const Tally& t = search.tally;
    throw Refusal("[cuda] cuDNN ", cudnnGetVersion(), " has no engine: ", t.offered, " offered, ",
                  t.imprecise, " of too little precision, ", t.nondeterministic, " not deterministic, ",
                  t.large, " with more than ", allowed.workspace, " bytes beside the tensors",
                  t.refusal.empty() ? "" : "; ", t.refusal);
  }
  return plans;
}

}  // namespace basin::cuda::dnn
