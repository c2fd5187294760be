#include "autograd/node.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "autograd/recording.h"

namespace basin {
namespace {
std::atomic<std::uint64_t> next_sequence{1};
std::atomic<std::int64_t> live{0};
thread_local bool is_recording = true;
thread_local std::uint64_t reserved_place = 0;  // of the op that is recorded next; 0: the next free one

std::uint64_t take_place() {
  return reserved_place != 0 ? std::exchange(reserved_place, 0) : next_sequence++;
}
}  // namespace

bool recording() { return is_recording; }
std::uint64_t reserve_place() { return next_sequence++; }

RecordingScope::RecordingScope(bool on) : before_(is_recording) { is_recording = on; }
RecordingScope::~RecordingScope() { is_recording = before_; }

PlaceScope::PlaceScope(std::uint64_t place) : before_(reserved_place) { reserved_place = place; }
PlaceScope::~PlaceScope() { reserved_place = before_; }

Node::Node(Op&& op, std::string name, std::uint64_t place)
    : op_(std::move(op)), name_(std::move(name)), sequence_(place) {
  ++live;
}

Node::~Node() {
  --live;
  // The last owner of a chain would recurse once per op; instead inputs that die with us hand over their own.
  std::vector<Input> dying = std::move(inputs_);
  while (!dying.empty()) {
    std::shared_ptr<Node> node = std::move(dying.back().node);
    dying.pop_back();
    if (node && node.use_count() == 1) {
      for (Input& in : node->inputs_) dying.push_back(std::move(in));
      node->inputs_.clear();
    }
  }
}

void Node::consume() {
  consumed_ = true;
  vjp_ = nullptr;
  output_ = Tensor();
  for (Input& in : inputs_) in.value = Tensor();
}

void Node::become(Node&& other) {
  op_ = std::move(other.op_);
  inputs_ = std::move(other.inputs_);
  output_ = std::move(other.output_);
  output_version_ = other.output_version_;
  vjp_ = std::move(other.vjp_);
}

std::int64_t Node::live_count() { return live; }

namespace {
[[noreturn]] void overwritten(const char* op, const std::string& what) {
  throw ArgumentError("[", op, "] ", what, " changed after it was used in forward; compute the loss again");
}
}  // namespace

Variable Backward::input(std::size_t i) const {
  const Node::Input& in = node_->inputs_.at(i);
  if (!in.value.defined())
    throw InternalError("[", node_->op(), "] its derivative reads input ", i, " without keeping it");
  if (in.value.version() != in.version) {
    const bool named = in.node && !in.node->name().empty();
    overwritten(node_->op(), named ? "'" + in.node->name() + "'" : text("input ", i, " ", in.shape));
  }
  return Variable(in.value, in.node);
}

Variable Backward::output() const {
  if (!node_->output_.defined())
    throw InternalError("[", node_->op(), "] its derivative reads the output without keeping it");
  if (node_->output_.version() != node_->output_version_)
    overwritten(node_->op(), text("the output ", node_->output_.shape()));
  return Variable(node_->output_, node_);
}

bool Backward::unread(std::size_t i) const {
  return !node_->wanted_.empty() && node_->wanted_.at(i) == Node::wanted_unread;
}
bool Backward::needs(std::size_t i) const { return node_->wanted_.empty() || node_->wanted_.at(i) != 0; }
const Shape& Backward::input_shape(std::size_t i) const { return node_->inputs_.at(i).shape; }
Dtype Backward::input_dtype(std::size_t i) const { return node_->inputs_.at(i).dtype; }

Variable Variable::parameter(Tensor value, std::string name) {
  if (!has_derivatives(value.dtype()))
    throw ArgumentError("[parameter] '", name, "' is ", value.dtype(), "; derivatives need f32 or f64");
  auto node = std::make_shared<Node>(Op("parameter"), std::move(name), next_sequence++);
  return Variable(std::move(value), std::move(node));
}

Variable record(Op&& op, Tensor value, const Variables& inputs, Keep keep, Vjp vjp) {
  bool tracked = false;
  for (const Variable& in : inputs) tracked = tracked || in.tracked();
  if (!is_recording || !tracked) return Variable(std::move(value));

  auto node = std::make_shared<Node>(std::move(op), "", take_place());
  node->inputs_.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Node::Input in{inputs[i].node(), inputs[i].shape(), inputs[i].dtype(), {}, 0};
    // Inputs past the eighth (concat) are kept with the eighth.
    if (has(keep, 1u << std::min<std::size_t>(i, 7))) {
      in.value = inputs[i].value();
      in.version = in.value.version();
    }
    node->inputs_.push_back(std::move(in));
  }
  if (has(keep, static_cast<unsigned>(Keep::output))) {
    node->output_ = value;
    node->output_version_ = value.version();
  }
  node->vjp_ = std::move(vjp);
  return Variable(std::move(value), std::move(node));
}

}  // namespace basin
