// The translation but for the rules: leaves, constants, orders of axes, pairs of ops that are one in ONNX.
#include "nn/onnx/translation.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

#include "nn/onnx/onnx.h"

namespace basin::nn {
namespace {

Axes identity(std::size_t rank) {
  Axes order(rank);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

const Axes kImage{0, 3, 1, 2};  // {N,H,W,C} as {N,C,H,W}

}  // namespace

OnnxTranslation::OnnxTranslation(Module& model, const Tape& tape, const std::string& name)
    : tape_(tape), dtype_(tape.result[0].dtype()) {
  graph_.name = name;
  const Entries entries = entries_of(model);
  for (const NamedParameter& p : entries.parameters) parameters_.emplace(p.parameter->node().get(), p);
  for (const NamedBuffer& b : entries.buffers)
    if (b.buffer->defined()) buffers_.emplace(b.buffer->raw(), b);
}

OnnxGraph OnnxTranslation::run() {
  find_pairs();
  values_.resize(tape_.steps.size());
  for (std::size_t s = 0; s < tape_.steps.size(); ++s) {
    const TapeStep& step = tape_.steps[s];
    if (absorbing_.contains(&step)) continue;
    if (step.leaf()) {
      values_[s] = leaf(step);
      continue;
    }
    const auto rule = rules().find(step.op());
    if (rule == rules().end()) fail(step, "has no translation");
    values_[s] = (this->*rule->second.apply)(step);
  }
  values_.back() = plain(values_.back());
  if (graph_.nodes.empty()) values_.back().name = emit("Identity", {values_.back().name});
  name_result("logits");
  graph_.output = port("logits", tape_.steps.back().shape, values_.back().order);
  expect_distinct_names();
  return std::move(graph_);
}

/// Pairs that are one op in ONNX. The first of a pair is computed with the second, which must be its only
/// user.
void OnnxTranslation::find_pairs() {
  for (const TapeStep& second : tape_.steps) {
    if (second.leaf() || second.inputs[0].step == TapeInput::kConstant) continue;
    const TapeStep& first = tape_.steps[second.inputs[0].step];
    if (first.uses != 1) continue;
    const std::string pair = first.op() + "+" + second.op();
    const auto is_bias = [&](const TapeInput& in) {
      return in.step != TapeInput::kConstant && tape_.steps[in.step].leaf() && in.shape.rank() == 1 &&
             in.shape.pass[0][0] == first.shape.pass[0][first.shape.rank() - 1];
    };
    const auto is_count = [&](const TapeInput& in) {
      bool count = in.step == TapeInput::kConstant;
      for (std::size_t p = 0; p < 2; ++p)
        count = count && in.shape.rank() == 0 && in.constant[p].defined() &&
                in.constant[p].item() * static_cast<double>(first.shape.pass[p].elements()) ==
                    static_cast<double>(first.inputs[0].shape.pass[p].elements());
      return count;
    };
    const bool one = pair == "conv2d+add" ? is_bias(second.inputs[1])
                     : pair == "matmul+add"
                         ? first.inputs[0].shape.rank() == 2 && first.inputs[1].shape.rank() == 2 &&
                               is_bias(second.inputs[1])
                     : pair == "sum+div" ? is_count(second.inputs[1])
                                         : pair == "log_softmax+exp";
    if (!one) continue;
    absorbed_.emplace(&second, &first);
    absorbing_.emplace(&first, &second);
  }
}

const TapeStep* OnnxTranslation::absorbed(const TapeStep& step) const {
  const auto found = absorbed_.find(&step);
  return found == absorbed_.end() ? nullptr : found->second;
}

OnnxTranslation::Value OnnxTranslation::leaf(const TapeStep& step) {
  const auto rank = static_cast<std::size_t>(step.shape.rank());
  if (step.node[0] == tape_.image) {
    const Axes order = rank == 4 ? kImage : identity(rank);
    graph_.input = port("image", step.shape, order);
    return {"image", order};
  }
  const auto found = parameters_.find(step.node[0]);
  if (found == parameters_.end())
    throw ArgumentError("[onnx] the model uses a parameter {", step.shape.pass[0],
                        "} that its describe() does not name");
  const NamedParameter& p = found->second;
  if (p.layout == ParameterLayout::convolution)
    return {initializer(p.name, p.parameter->value(), FileLayout::convolution), kFilters};
  return {initializer(p.name, p.parameter->value()), identity(rank)};
}

OnnxTranslation::Value OnnxTranslation::operand(const TapeStep& step, std::size_t i) {
  const TapeInput& in = step.inputs.at(i);
  return in.step == TapeInput::kConstant ? constant(step, in) : values_[in.step];
}

OnnxTranslation::Value OnnxTranslation::constant(const TapeStep& step, const TapeInput& in) {
  const Tensor &a = in.constant[0], &b = in.constant[1];
  if (!a.defined() || !b.defined())
    fail(step, text("takes a constant ", in.shape.pass[0], " whose numbers the history does not keep"));
  if (a.shape() != b.shape() || a.dtype() != b.dtype() || std::memcmp(a.raw(), b.raw(), a.bytes()) != 0)
    fail(step, text("takes a constant ", a.shape(), " that depends on the samples or on their number"));
  const Axes order = identity(static_cast<std::size_t>(a.rank()));
  if (a.rank() == 0) return {scalar(a.item()), order};
  const auto buffer = buffers_.find(a.raw());
  if (buffer != buffers_.end() && buffer->second.buffer->shape() == a.shape())
    return {initializer(buffer->second.name, a), order};
  return {initializer(text("constant_", graph_.initializers.size()), a), order};
}

std::string OnnxTranslation::scalar(double value) {
  std::string& name = written_[text("scalar ", std::hexfloat, value)];
  if (name.empty())
    name = initializer(text("constant_", graph_.initializers.size()), Tensor::scalar(value, dtype_));
  return name;
}

std::string OnnxTranslation::numbers(const Numbers& values) {
  std::string key = "numbers";
  for (std::int64_t v : values) key += text(" ", v);
  std::string& name = written_[key];
  if (name.empty()) name = initializer(text("shape_", graph_.initializers.size()), Tensor::from(values));
  return name;
}

std::string OnnxTranslation::initializer(const std::string& name, const Tensor& tensor, FileLayout layout) {
  for (const OnnxInitializer& known : graph_.initializers)
    if (known.name == name && known.tensor.raw() == tensor.raw()) return name;
  graph_.initializers.push_back({name, tensor, layout});
  return name;
}

/// How many samples there are: i64 {1}.
std::string OnnxTranslation::samples() {
  if (samples_.empty())
    samples_ = emit("Slice", {emit("Shape", {"image"}), numbers({0}), numbers({1}), numbers({0})});
  return samples_;
}

std::string OnnxTranslation::emit(const char* op, std::vector<std::string> inputs,
                                  std::vector<OnnxAttribute> attributes) {
  const std::string output = text(op, "_", graph_.nodes.size());
  graph_.nodes.push_back({op, std::move(inputs), output, std::move(attributes)});
  return output;
}

OnnxTranslation::Value OnnxTranslation::in_order(const Value& v, const Axes& order) {
  if (v.order == order) return v;
  Numbers perm;
  for (int axis : order) perm.push_back(std::find(v.order.begin(), v.order.end(), axis) - v.order.begin());
  return {emit("Transpose", {v.name}, {{"perm", perm}}), order};
}

/// The tape's own order.
Axes OnnxTranslation::plain_order(const Value& v) { return identity(v.order.size()); }
OnnxTranslation::Value OnnxTranslation::plain(const Value& v) { return in_order(v, plain_order(v)); }

/// The number that an op was told, which must not depend on the batch.
double OnnxTranslation::number_of(const TapeStep& step) const {
  const double a = std::get<double>(step.node[0]->attributes());
  if (a != std::get<double>(step.node[1]->attributes()))
    fail(step, "is told a number that depends on the number of samples");
  return a;
}

OnnxPort OnnxTranslation::port(const std::string& name, const TapeShape& shape, const Axes& order) const {
  OnnxPort p{name, dtype_, {}};
  for (int axis : order) {
    if (!shape.fixed(axis) && !shape.per_sample(axis))
      throw ArgumentError("[onnx] the extent of axis ", axis, " of the ", name, " ", shape.pass[0],
                          " is neither fixed nor the number of samples");
    p.extents.push_back(shape.fixed(axis) ? shape.pass[0][axis] : OnnxPort::kBatch);
  }
  return p;
}

/// Errors: two values of one name, which only the model's own names can bring about.
void OnnxTranslation::expect_distinct_names() const {
  std::set<std::string> names{graph_.input.name};
  const auto add = [&](const std::string& name) {
    if (!names.insert(name).second)
      throw ArgumentError("[onnx] the graph has two values named '", name, "'; rename the model's parameter");
  };
  for (const OnnxInitializer& i : graph_.initializers) add(i.name);
  for (const OnnxNode& n : graph_.nodes) add(n.output);
}

/// Gives the last value its name in every place.
void OnnxTranslation::name_result(const std::string& name) {
  const std::string before = values_.back().name;
  for (OnnxNode& n : graph_.nodes) {
    if (n.output == before) n.output = name;
    std::replace(n.inputs.begin(), n.inputs.end(), before, name);
  }
}

void OnnxTranslation::fail(const TapeStep& step, const std::string& reason) {
  throw ArgumentError("[onnx] the model's op '", step.op(), "' ", reason);
}

OnnxGraph onnx_graph(Module& model, const Shape& sample, const std::string& name, Dtype dtype) {
  const Tape tape = trace_forward(model, sample, dtype);
  return OnnxTranslation(model, tape, name).run();
}

}  // namespace basin::nn
