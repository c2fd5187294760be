#include "autograd/gradients.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "autograd/node.h"
#include "autograd/recording.h"
#include "core/ops.h"

namespace basin {

/// One walk from a result back to what was asked for, in falling order of sequence numbers.
class Sweep {
 public:
  /// The numbers of what is found for wrt[i] will be read by nobody if unread[i]; empty: they will.
  Sweep(const Variable& loss, const Variables& wrt, const std::vector<char>& unread = {}) : unread_(unread) {
    for (std::size_t i = 0; i < wrt.size(); ++i)
      if (wrt[i].tracked()) asked_[wrt[i].node().get()].push_back(i);
    if (asked_.empty() || !loss.tracked()) return;
    collect(loss.node(), oldest_asked());
    mark_wanted();
  }

  /// Runs every vjp on the way; result[i] is the cotangent of wrt[i], undefined if nothing arrived.
  Variables run(const Variable& loss, const Variable& cotangent, std::size_t count, bool keep_graph) {
    Variables result(count);
    if (nodes_.empty()) return result;
    cotangents_.resize(nodes_.size());
    cotangents_[position_.at(loss.node().get())] = cotangent;
    for (std::size_t n = nodes_.size(); n-- > 0;) {
      const std::shared_ptr<Node> node = std::move(nodes_[n]);
      const Variable grad = std::move(cotangents_[n]);
      cotangents_[n] = Variable();
      if (!grad.defined()) continue;
      if (auto it = asked_.find(node.get()); it != asked_.end())
        for (std::size_t i : it->second) result[i] = grad;
      if (!wants_any(*node)) continue;
      step(node, grad);
      if (!keep_graph) node->consume();
    }
    return result;
  }

 private:
  // A node older than everything asked for cannot depend on it: the walk stops there.
  std::uint64_t oldest_asked() const {
    std::uint64_t oldest = ~std::uint64_t{0};
    for (const auto& entry : asked_) oldest = std::min(oldest, entry.first->sequence());
    return oldest;
  }

  void collect(const std::shared_ptr<Node>& root, std::uint64_t oldest) {
    if (root->sequence() < oldest) return;
    std::vector<std::shared_ptr<Node>> open{root};
    position_[root.get()] = 0;
    while (!open.empty()) {
      std::shared_ptr<Node> node = std::move(open.back());
      open.pop_back();
      for (const Node::Input& in : node->inputs_)
        if (in.node && in.node->sequence() >= oldest && position_.emplace(in.node.get(), 0).second)
          open.push_back(in.node);
      nodes_.push_back(std::move(node));
    }
    std::sort(nodes_.begin(), nodes_.end(),
              [](const auto& a, const auto& b) { return a->sequence() < b->sequence(); });
    for (std::size_t n = 0; n < nodes_.size(); ++n) position_[nodes_[n].get()] = n;
  }

  void mark_wanted() {
    std::vector<char> leads(nodes_.size()), unread(nodes_.size());
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      Node& node = *nodes_[n];
      node.wanted_.assign(node.inputs_.size(), 0);
      bool any = false;
      for (std::size_t i = 0; i < node.inputs_.size(); ++i) {
        const auto it = position_.find(node.inputs_[i].node.get());
        if (it == position_.end() || !leads[it->second]) continue;
        node.wanted_[i] = unread[it->second] ? Node::wanted_unread : Node::wanted;
        any = true;
      }
      leads[n] = any || asked_.count(&node);
      unread[n] = !any && leads[n] && nobody_reads(asked_.at(&node));
    }
  }

  bool nobody_reads(const std::vector<std::size_t>& found) const {
    return std::all_of(found.begin(), found.end(),
                       [&](std::size_t i) { return i < unread_.size() && unread_[i]; });
  }

  static bool wants_any(const Node& node) {
    return std::any_of(node.wanted_.begin(), node.wanted_.end(), [](char w) { return w != 0; });
  }

  void step(const std::shared_ptr<Node>& node, const Variable& grad) {
    if (node->consumed_)
      throw ArgumentError(
          "[gradients] the history at '", node->op(),
          "' was already consumed; pass keep_graph to the first call, or compute the loss again");
    Variables grads = node->vjp_(Backward(node, grad));
    if (grads.size() != node->inputs_.size())
      throw InternalError("[", node->op(), "] its derivative returned ", grads.size(), " cotangents for ",
                          node->inputs_.size(), " inputs");
    for (std::size_t i = 0; i < grads.size(); ++i)
      if (node->wanted_[i] && grads[i].defined()) arrive(*node, i, std::move(grads[i]));
  }

  void arrive(const Node& from, std::size_t i, Variable grad) {
    const Node::Input& in = from.inputs_[i];
    if (grad.shape() != in.shape)
      throw InternalError("[", from.op(), "] cotangent ", i, " has shape ", grad.shape(), ", the input ",
                          in.shape);
    if (grad.dtype() != in.dtype)
      throw InternalError("[", from.op(), "] cotangent ", i, " is ", grad.dtype(), ", the input ", in.dtype);
    Variable& sum = cotangents_[position_.at(in.node.get())];
    const bool in_place = !recording() && in.dtype != Dtype::bf16;  // axpby computes in f32 and f64
    if (!sum.defined()) {
      sum = std::move(grad);
    } else if (in_place && sole_owner(sum)) {
      add(grad, sum);
    } else if (in_place && sole_owner(grad)) {
      add(sum, grad);
      sum = std::move(grad);
    } else {
      sum = sum + grad;
    }
  }

  /// Nobody else holds these numbers: they may be overwritten.
  static bool sole_owner(const Variable& v) { return v.value().use_count() == 1; }
  static void add(const Variable& from, const Variable& into) {
    Tensor y = into.value();
    axpby(1, from.value(), 1, y);
  }

  std::vector<char> unread_;
  std::vector<std::shared_ptr<Node>> nodes_;
  std::unordered_map<const Node*, std::size_t> position_;
  std::unordered_map<const Node*, std::vector<std::size_t>> asked_;
  Variables cotangents_;
};

namespace {

Variable start(const Variable& loss, const Variable& cotangent) {
  if (!loss.defined()) throw ArgumentError("[gradients] the loss is undefined");
  if (cotangent.defined()) {
    if (cotangent.shape() != loss.shape())
      throw ArgumentError("[gradients] cotangent ", cotangent.shape(), " for a result of shape ",
                          loss.shape());
    return cotangent;
  }
  if (loss.value().elements() != 1)
    throw ArgumentError("[gradients] the loss has shape ", loss.shape(), "; sum it, or pass a cotangent");
  return Tensor::full(loss.shape(), 1, loss.dtype(), loss.value().device());
}

/// The numbers of a result, in storage of their own: a sum hands the same cotangent to all its operands.
Tensor own(Variable found) {
  Tensor t = found.value();
  found = Variable();
  return t.use_count() == 1 ? t : t.clone();
}

Tensor zeros_like(const Variable& v) { return Tensor::zeros(v.shape(), v.dtype(), v.value().device()); }

}  // namespace

Tensors gradients(const Variable& loss, const Variables& wrt, const GradientOptions& options) {
  const Variable seed = start(loss, options.cotangent);
  NoRecording plain;
  Variables found = Sweep(loss, wrt).run(loss, seed, wrt.size(), options.keep_graph);
  Tensors result;
  result.reserve(wrt.size());
  for (std::size_t i = 0; i < wrt.size(); ++i)
    result.push_back(found[i].defined() ? own(std::move(found[i])) : zeros_like(wrt[i]));
  return result;
}

Variables differentiable_gradients(const Variable& loss, const Variables& wrt, const Variable& cotangent) {
  return histories_of_gradients(loss, wrt, cotangent, {});
}

Variables histories_of_gradients(const Variable& loss, const Variables& wrt, const Variable& cotangent,
                                 const std::vector<char>& unread) {
  const Variable seed = start(loss, cotangent);
  RecordingScope on(true);
  Variables result = Sweep(loss, wrt, unread).run(loss, seed, wrt.size(), /*keep_graph=*/true);
  for (std::size_t i = 0; i < wrt.size(); ++i)
    if (!result[i].defined()) result[i] = zeros_like(wrt[i]);
  return result;
}

bool depends_on(const Variable& loss, const Variables& wrt) {
  std::unordered_set<const Node*> asked, seen;
  for (const Variable& w : wrt)
    if (w.tracked()) asked.insert(w.node().get());
  if (asked.empty() || !loss.tracked()) return false;
  std::vector<const Node*> open{loss.node().get()};
  while (!open.empty()) {  // depth first: the last layers are near
    const Node* node = open.back();
    open.pop_back();
    if (asked.count(node)) return true;
    for (const Node::Input& in : node->inputs())
      if (in.node && seen.insert(in.node.get()).second) open.push_back(in.node.get());
  }
  return false;
}

}  // namespace basin
