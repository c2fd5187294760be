#include "nn/onnx/tape.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "autograd/recording.h"

namespace basin::nn {
namespace {

/// What the images of the two passes are filled with. They differ, so that a constant that the model computes
/// from its input, outside of the history, is not taken for one.
constexpr std::array<double, 2> kPixels{0.5, -0.25};

/// What leads to `root`, in the order of computation.
std::vector<const Node*> history_of(const Node* root) {
  std::vector<const Node*> found, open{root};
  std::unordered_set<const Node*> seen{root};
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    found.push_back(node);
    for (const Node::Input& in : node->inputs())
      if (in.node && seen.insert(in.node.get()).second) open.push_back(in.node.get());
  }
  std::sort(found.begin(), found.end(),
            [](const Node* a, const Node* b) { return a->sequence() < b->sequence(); });
  return found;
}

[[noreturn]] void differ(const std::string& where) {
  throw ArgumentError("[onnx] the model computes in another way for ", kBatches[0], " samples than for ",
                      kBatches[1], where, ": one graph cannot say both");
}

}  // namespace

Tape trace_forward(Module& model, const Shape& sample, Dtype dtype) {
  Tape tape;
  std::array<std::vector<const Node*>, 2> nodes;
  std::array<const Node*, 2> images{};
  for (std::size_t p = 0; p < 2; ++p) {
    Shape batch{kBatches[p]};
    for (Index extent : sample) batch.push_back(extent);
    const Variable image = Variable::parameter(Tensor::full(batch, kPixels[p], dtype), "image");
    Context ctx = Context::evaluation();
    const RecordingScope on(true);
    tape.result[p] = model(image, ctx);
    images[p] = image.node().get();
    if (tape.result[p].tracked()) nodes[p] = history_of(tape.result[p].node().get());
    if (std::find(nodes[p].begin(), nodes[p].end(), images[p]) == nodes[p].end())
      throw ArgumentError("[onnx] the model's result does not depend on the image");
  }
  tape.image = images[0];
  if (nodes[0].size() != nodes[1].size()) differ("");

  std::array<std::unordered_map<const Node*, std::size_t>, 2> place;
  for (std::size_t s = 0; s < nodes[0].size(); ++s) {
    TapeStep step{{nodes[0][s], nodes[1][s]}, {}, {}, 0};
    const Node &a = *nodes[0][s], &b = *nodes[1][s];
    const std::string where = text(" at '", a.op(), "'");
    if (std::strcmp(a.op(), b.op()) != 0 || a.inputs().size() != b.inputs().size() ||
        a.attributes().index() != b.attributes().index())
      differ(where);
    for (std::size_t i = 0; i < a.inputs().size(); ++i) {
      const std::array<const Node::Input*, 2> both{&a.inputs()[i], &b.inputs()[i]};
      TapeInput in;
      for (std::size_t p = 0; p < 2; ++p) {
        in.shape.pass[p] = both[p]->shape;
        in.constant[p] = both[p]->value;
      }
      if ((both[0]->node == nullptr) != (both[1]->node == nullptr) ||
          both[0]->shape.rank() != both[1]->shape.rank())
        differ(where);
      if (both[0]->node) {
        in.step = place[0].at(both[0]->node.get());
        if (in.step != place[1].at(both[1]->node.get())) differ(where);
        // What a step computed has the shape that its users saw.
        tape.steps[in.step].shape = in.shape;
        ++tape.steps[in.step].uses;
      }
      step.inputs.push_back(std::move(in));
    }
    for (std::size_t p = 0; p < 2; ++p) place[p][nodes[p][s]] = s;
    tape.steps.push_back(std::move(step));
  }
  for (std::size_t p = 0; p < 2; ++p) tape.steps.back().shape.pass[p] = tape.result[p].shape();
  return tape;
}

}  // namespace basin::nn
