// How each op is said in ONNX, operator set 13.
#include <algorithm>
#include <numbers>

#include "nn/onnx/translation.h"

namespace basin::nn {
namespace {

/// What the op was told, as told in the pass.
template <class T>
const T& told(const TapeStep& step, std::size_t pass = 0) {
  return std::get<T>(step.node[pass]->attributes());
}

/// The order that ONNX's networks of images have: samples, channels (our last axis), the rest.
Axes channels_second(int rank) {
  Axes order{0, rank - 1};
  for (int axis = 1; axis + 1 < rank; ++axis) order.push_back(axis);
  return order;
}

std::int64_t place_of(int axis, const Axes& order) {
  return std::find(order.begin(), order.end(), axis) - order.begin();
}

std::vector<OnnxAttribute> window_attributes(const ConvGeometry& g) {
  using Numbers = std::vector<std::int64_t>;
  return {{"kernel_shape", Numbers{g.kernel_h, g.kernel_w}},
          {"strides", Numbers{g.stride_h, g.stride_w}},
          {"pads", Numbers{g.pad_h, g.pad_w, g.pad_h, g.pad_w}}};
}

}  // namespace

const std::map<std::string_view, OnnxTranslation::Rule>& OnnxTranslation::rules() {
  using T = OnnxTranslation;
  static const std::map<std::string_view, Rule> all = {
      {"neg", {&T::elementwise, "Neg"}},
      {"abs", {&T::elementwise, "Abs"}},
      {"exp", {&T::elementwise, "Exp"}},
      {"log", {&T::elementwise, "Log"}},
      {"sqrt", {&T::elementwise, "Sqrt"}},
      {"reciprocal", {&T::elementwise, "Reciprocal"}},
      {"tanh", {&T::elementwise, "Tanh"}},
      {"sigmoid", {&T::elementwise, "Sigmoid"}},
      {"erf", {&T::elementwise, "Erf"}},
      {"relu", {&T::elementwise, "Relu"}},
      {"add", {&T::broadcasting, "Add"}},
      {"sub", {&T::broadcasting, "Sub"}},
      {"mul", {&T::broadcasting, "Mul"}},
      {"div", {&T::broadcasting, "Div"}},
      {"pow", {&T::broadcasting, "Pow"}},
      {"maximum", {&T::broadcasting, "Max"}},
      {"minimum", {&T::broadcasting, "Min"}},
      {"add_scalar", {&T::with_number, "Add"}},
      {"mul_scalar", {&T::with_number, "Mul"}},
      {"square", {&T::square}},
      {"rsqrt", {&T::rsqrt}},
      {"leaky_relu", {&T::leaky_relu}},
      {"gelu", {&T::gelu}},
      {"gelu_tanh", {&T::gelu_tanh}},
      {"silu", {&T::silu}},
      {"clamp", {&T::clamp}},
      {"sum", {&T::reduction, "ReduceSum"}},
      {"max", {&T::reduction, "ReduceMax"}},
      {"reshape", {&T::reshape}},
      {"permute", {&T::permute}},
      {"slice", {&T::slice}},
      {"pad", {&T::pad}},
      {"concat", {&T::concat}},
      {"broadcast_to", {&T::broadcast_to}},
      {"matmul", {&T::matmul}},
      {"conv2d", {&T::conv2d}},
      {"max_pool", {&T::max_pool}},
      {"avg_pool", {&T::avg_pool}},
      {"batch_norm_eval", {&T::batch_norm}},
      {"layer_norm", {&T::layer_norm}},
      {"log_softmax", {&T::log_softmax}},
  };
  return all;
}

const char* OnnxTranslation::name_in_onnx(const TapeStep& step) { return rules().at(step.op()).onnx; }

// ---- Element by element: any order of axes will do, if it is the same for all operands.

OnnxTranslation::Value OnnxTranslation::elementwise(const TapeStep& step) {
  if (const TapeStep* first = absorbed(step)) return softmax("Softmax", *first);
  const Value x = operand(step, 0);
  return {emit(name_in_onnx(step), {x.name}), x.order};
}

OnnxTranslation::Value OnnxTranslation::with_number(const TapeStep& step) {
  const Value x = operand(step, 0);
  return {emit(name_in_onnx(step), {x.name, scalar(number_of(step))}), x.order};
}

OnnxTranslation::Value OnnxTranslation::broadcasting(const TapeStep& step) {
  if (step.inputs.size() == 1) return with_number(step);  // pow by a number
  if (const TapeStep* first = absorbed(step)) {
    if (first->op() == "sum") return reduce("ReduceMean", *first);
    const std::string bias = operand(step, 1).name;
    return first->op() == "conv2d" ? convolution(*first, bias) : product(*first, bias);
  }
  Value x = operand(step, 0), y = operand(step, 1);
  if (x.order.size() == y.order.size()) {
    // An operand in Basin's order is more often a parameter than an image: turn that one.
    if (x.order == plain_order(x))
      x = in_order(x, y.order);
    else
      y = in_order(y, x.order);
  } else {
    // The shorter one stretches over the axes that it lacks, which come first.
    Value& few = x.order.size() < y.order.size() ? x : y;
    Value& many = x.order.size() < y.order.size() ? y : x;
    const auto rank = static_cast<int>(many.order.size());
    const std::int64_t behind = rank - 1 - place_of(rank - 1, many.order);
    if (few.order.size() == 1 && behind > 0) {  // {C} against {N,C,H,W}: {C,1,1}
      Numbers extents(static_cast<std::size_t>(behind) + 1, 1);
      extents[0] = -1;
      few = {emit("Reshape", {few.name, numbers(extents)}), {0}};
    } else if (!few.order.empty()) {
      few = plain(few);
      many = plain(many);
    }
  }
  const Axes& order = x.order.size() < y.order.size() ? y.order : x.order;
  return {emit(name_in_onnx(step), {x.name, y.name}), order};
}

OnnxTranslation::Value OnnxTranslation::square(const TapeStep& step) {
  const Value x = operand(step, 0);
  return {emit("Mul", {x.name, x.name}), x.order};
}

OnnxTranslation::Value OnnxTranslation::rsqrt(const TapeStep& step) {
  const Value x = operand(step, 0);
  return {emit("Reciprocal", {emit("Sqrt", {x.name})}), x.order};
}

OnnxTranslation::Value OnnxTranslation::leaky_relu(const TapeStep& step) {
  const Value x = operand(step, 0);
  return {emit("LeakyRelu", {x.name}, {{"alpha", static_cast<float>(number_of(step))}}), x.order};
}

OnnxTranslation::Value OnnxTranslation::gelu(const TapeStep& step) {  // x/2 (1 + erf(x / sqrt(2)))
  const Value x = operand(step, 0);
  const std::string e = emit("Erf", {emit("Mul", {x.name, scalar(1 / std::numbers::sqrt2)})});
  const std::string half = emit("Mul", {x.name, scalar(0.5)});
  return {emit("Mul", {half, emit("Add", {e, scalar(1)})}), x.order};
}

OnnxTranslation::Value OnnxTranslation::gelu_tanh(const TapeStep& step) {
  // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
  const Value x = operand(step, 0);
  const std::string cube = emit("Mul", {emit("Mul", {x.name, x.name}), x.name});
  const std::string inner = emit("Add", {x.name, emit("Mul", {cube, scalar(0.044715)})});
  const double factor = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  const std::string t = emit("Tanh", {emit("Mul", {inner, scalar(factor)})});
  const std::string half = emit("Mul", {x.name, scalar(0.5)});
  return {emit("Mul", {half, emit("Add", {t, scalar(1)})}), x.order};
}

OnnxTranslation::Value OnnxTranslation::silu(const TapeStep& step) {
  const Value x = operand(step, 0);
  return {emit("Mul", {x.name, emit("Sigmoid", {x.name})}), x.order};
}

OnnxTranslation::Value OnnxTranslation::clamp(const TapeStep& step) {
  const auto& a = told<attribute::Interval>(step, 0);
  const auto& b = told<attribute::Interval>(step, 1);
  if (a.low != b.low || a.high != b.high) fail(step, "has bounds that depend on the number of samples");
  const Value x = operand(step, 0);
  return {emit("Clip", {x.name, scalar(a.low), scalar(a.high)}), x.order};
}

// ---- Reductions.

OnnxTranslation::Value OnnxTranslation::reduction(const TapeStep& step) {
  return reduce(name_in_onnx(step), step);
}

OnnxTranslation::Value OnnxTranslation::reduce(const char* op, const TapeStep& step) {
  const auto& how = told<attribute::Reduction>(step);
  Value x = operand(step, 0);
  const auto rank = static_cast<int>(x.order.size());
  std::vector<bool> gone(x.order.size(), how.axes.empty());
  for (int axis : how.axes) gone[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)] = true;
  const auto stays = [&](int axis) { return !gone[static_cast<std::size_t>(axis)]; };

  Axes left;
  std::copy_if(x.order.begin(), x.order.end(), std::back_inserter(left), stays);
  if (!how.keep && !std::is_sorted(left.begin(), left.end())) x = plain(x);
  Numbers axes;
  for (std::size_t k = 0; k < x.order.size(); ++k)
    if (!stays(x.order[k])) axes.push_back(static_cast<std::int64_t>(k));

  Axes order = x.order;
  if (!how.keep) {
    order.clear();
    for (std::size_t k = 0; k < left.size(); ++k) order.push_back(static_cast<int>(k));
  }
  const OnnxAttribute keep{"keepdims", std::int64_t{how.keep}};
  // In operator set 13 the axes of a sum are an input, those of the others an attribute.
  if (std::string_view(op) == "ReduceSum") return {emit(op, {x.name, numbers(axes)}, {keep}), order};
  return {emit(op, {x.name}, {{"axes", axes}, keep}), order};
}

// ---- Shaping.

OnnxTranslation::Value OnnxTranslation::reshape(const TapeStep& step) {
  const Value x = plain(operand(step, 0));
  Numbers extents;
  int open = 0;
  Axes order;
  for (int axis = 0; axis < step.shape.rank(); ++axis) {
    open += !step.shape.fixed(axis);
    extents.push_back(step.shape.fixed(axis) ? step.shape.pass[0][axis] : -1);
    order.push_back(axis);
  }
  if (open > 1)
    fail(step, text("gives {", step.shape.pass[0],
                    "}, of which more than one extent depends on the number of samples"));
  return {emit("Reshape", {x.name, numbers(extents)}), order};
}

/// Only another view of the same array: who needs its axes in their order gets a Transpose then.
OnnxTranslation::Value OnnxTranslation::permute(const TapeStep& step) {
  const Axes& perm = told<Axes>(step);
  Value x = operand(step, 0);
  const auto rank = static_cast<int>(perm.size());
  Axes became(perm.size());
  for (int k = 0; k < rank; ++k) {
    const int from = perm[static_cast<std::size_t>(k)];
    became[static_cast<std::size_t>(from < 0 ? from + rank : from)] = k;
  }
  for (int& axis : x.order) axis = became[static_cast<std::size_t>(axis)];
  return x;
}

OnnxTranslation::Value OnnxTranslation::slice(const TapeStep& step) {
  const Value x = operand(step, 0);
  const TapeShape& from = step.inputs[0].shape;
  Numbers starts, ends, axes;
  for (std::size_t k = 0; k < x.order.size(); ++k) {
    const int axis = x.order[k];
    bool all = true;
    for (std::size_t p = 0; p < 2; ++p) {
      const auto& block = told<attribute::Block>(step, p);
      all = all && block.first[axis] == 0 && block.second[axis] == from.pass[p][axis];
    }
    if (all) continue;
    const auto &a = told<attribute::Block>(step, 0), &b = told<attribute::Block>(step, 1);
    if (a.first[axis] != b.first[axis] || a.second[axis] != b.second[axis])
      fail(step, "takes a part that depends on the number of samples");
    starts.push_back(a.first[axis]);
    ends.push_back(a.second[axis]);
    axes.push_back(static_cast<std::int64_t>(k));
  }
  if (axes.empty()) return x;
  return {emit("Slice", {x.name, numbers(starts), numbers(ends), numbers(axes)}), x.order};
}

OnnxTranslation::Value OnnxTranslation::pad(const TapeStep& step) {
  const auto &a = told<attribute::Block>(step, 0), &b = told<attribute::Block>(step, 1);
  if (a.first != b.first || a.second != b.second) fail(step, "pads by a number of samples");
  const Value x = operand(step, 0);
  Numbers pads;
  for (int axis : x.order) pads.push_back(a.first[axis]);
  for (int axis : x.order) pads.push_back(a.second[axis]);
  return {emit("Pad", {x.name, numbers(pads)}), x.order};
}

OnnxTranslation::Value OnnxTranslation::concat(const TapeStep& step) {
  const Axes order = operand(step, 0).order;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < step.inputs.size(); ++i)
    parts.push_back(in_order(operand(step, i), order).name);
  return {emit("Concat", parts, {{"axis", place_of(told<Axes>(step)[0], order)}}), order};
}

OnnxTranslation::Value OnnxTranslation::broadcast_to(const TapeStep& step) {
  const Value x = plain(operand(step, 0));
  std::vector<std::string> pieces;  // the shape, cut where it holds the number of samples
  Numbers fixed;
  Axes order;
  const auto cut = [&] {
    if (!fixed.empty()) pieces.push_back(numbers(fixed));
    fixed.clear();
  };
  for (int axis = 0; axis < step.shape.rank(); ++axis) {
    order.push_back(axis);
    if (step.shape.fixed(axis)) {
      fixed.push_back(step.shape.pass[0][axis]);
      continue;
    }
    if (!step.shape.per_sample(axis)) fail(step, "stretches to a multiple of the number of samples");
    cut();
    pieces.push_back(samples());
  }
  cut();
  const std::string shape =
      pieces.size() == 1 ? pieces[0] : emit("Concat", pieces, {{"axis", std::int64_t{0}}});
  return {emit("Expand", {x.name, shape}), order};
}

// ---- Products, windows, normalisation.

OnnxTranslation::Value OnnxTranslation::product(const TapeStep& step, const std::string& bias) {
  const auto& transposed = told<attribute::Transposed>(step);
  Value a = operand(step, 0), b = operand(step, 1);
  if (a.order.size() == 2 && b.order.size() == 2) {
    std::vector<std::string> inputs{plain(a).name, plain(b).name};
    if (!bias.empty()) inputs.push_back(bias);
    return {emit("Gemm", inputs,
                 {{"transA", std::int64_t{transposed.first}}, {"transB", std::int64_t{transposed.second}}}),
            {0, 1}};
  }
  const auto matrix = [&](const Value& v, bool turned) {
    Axes order = plain_order(v);
    if (turned) std::swap(order[order.size() - 1], order[order.size() - 2]);
    return in_order(v, order).name;
  };
  const std::string left = matrix(a, transposed.first), right = matrix(b, transposed.second);
  return {emit("MatMul", {left, right}), a.order.size() < b.order.size() ? plain_order(b) : plain_order(a)};
}

OnnxTranslation::Value OnnxTranslation::convolution(const TapeStep& step, const std::string& bias) {
  const auto& g = told<ConvGeometry>(step);
  const Axes order = channels_second(4);
  std::vector<std::string> inputs{in_order(operand(step, 0), order).name,
                                  in_order(operand(step, 1), kFilters).name};
  if (!bias.empty()) inputs.push_back(bias);
  std::vector<OnnxAttribute> attributes = window_attributes(g);
  attributes.push_back({"group", std::int64_t{g.groups}});
  return {emit("Conv", inputs, attributes), order};
}

OnnxTranslation::Value OnnxTranslation::max_pool(const TapeStep& step) {
  const Axes order = channels_second(4);
  const std::string x = in_order(operand(step, 0), order).name;
  return {emit("MaxPool", {x}, window_attributes(told<ConvGeometry>(step))), order};
}

OnnxTranslation::Value OnnxTranslation::avg_pool(const TapeStep& step) {
  const auto& how = told<attribute::Averaging>(step);
  const Axes order = channels_second(4);
  std::vector<OnnxAttribute> attributes = window_attributes(how.window);
  attributes.push_back({"count_include_pad", std::int64_t{how.count_pad}});
  return {emit("AveragePool", {in_order(operand(step, 0), order).name}, attributes), order};
}

OnnxTranslation::Value OnnxTranslation::batch_norm(const TapeStep& step) {
  // x, gamma, beta, mean, 1/sqrt(var + eps), perhaps a residual (autograd/ops/normalization.cpp).
  const auto& how = told<attribute::Normalisation>(step, 0);
  if (step.shape.rank() < 2) fail(step, "normalises a value without an axis of samples");
  TapeInput var;
  for (std::size_t p = 0; p < 2; ++p) var.constant[p] = told<attribute::Normalisation>(step, p).var;
  const Axes order = channels_second(step.shape.rank());
  std::string y = in_order(operand(step, 0), order).name;
  y = emit("BatchNormalization",
           {y, operand(step, 1).name, operand(step, 2).name, operand(step, 3).name, constant(step, var).name},
           {{"epsilon", static_cast<float>(how.eps)}});
  if (step.inputs.size() > 5) y = emit("Add", {y, in_order(operand(step, 5), order).name});
  if (how.relu) y = emit("Relu", {y});
  return {y, order};
}

OnnxTranslation::Value OnnxTranslation::layer_norm(const TapeStep& step) {
  // x, gamma, beta, and each row's statistics, which come from x (autograd/ops/normalization.cpp).
  const Value x = plain(operand(step, 0));
  const std::vector<OnnxAttribute> rows{{"axes", Numbers{std::int64_t{step.shape.rank()} - 1}},
                                        {"keepdims", std::int64_t{1}}};
  const std::string d = emit("Sub", {x.name, emit("ReduceMean", {x.name}, rows)});
  const std::string var = emit("ReduceMean", {emit("Mul", {d, d})}, rows);
  const std::string inv_std =
      emit("Reciprocal", {emit("Sqrt", {emit("Add", {var, scalar(number_of(step))})})});
  const std::string xhat = emit("Mul", {d, inv_std});
  return {emit("Add", {emit("Mul", {xhat, operand(step, 1).name}), operand(step, 2).name}), x.order};
}

OnnxTranslation::Value OnnxTranslation::log_softmax(const TapeStep& step) {
  return softmax("LogSoftmax", step);
}

OnnxTranslation::Value OnnxTranslation::softmax(const char* op, const TapeStep& step) {
  const Value x = operand(step, 0);
  const auto last = static_cast<int>(x.order.size()) - 1;
  return {emit(op, {x.name}, {{"axis", place_of(last, x.order)}}), x.order};
}

}  // namespace basin::nn
