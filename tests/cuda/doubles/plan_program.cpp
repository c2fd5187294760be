#include "tests/cuda/doubles/plan_program.h"

#include <cstring>
#include <stdexcept>

#include "core/backend.h"
#include "core/io/json.h"

namespace fake {
namespace {

using basin::Dtype;
using basin::Index;
using basin::Json;
using basin::Tensor;

[[noreturn]] void refuse(const std::string& why) { throw std::runtime_error(why); }

std::string without_prefix(const std::string& s, const std::string& prefix) {
  return s.starts_with(prefix) ? s.substr(prefix.size()) : s;
}

template <std::size_t n>
std::array<std::int64_t, n> integers(const Json& list) {
  if (list.array().size() != n) refuse("a list of the plan has " + std::to_string(list.array().size()));
  std::array<std::int64_t, n> out{};
  for (std::size_t i = 0; i < n; ++i) out[i] = list.array()[i].integer();
  return out;
}

PlanTensor tensor_of(const Json& j) {
  PlanTensor t;
  t.type = without_prefix(j.at("dataType").string(), "CUDNN_DATA_");
  t.extents = integers<4>(j.at("dim"));
  t.strides = integers<4>(j.at("stride"));
  if (j.at("isVirtual").boolean() || j.at("isByValue").boolean()) refuse("a tensor without memory");
  if (j.at("ptrAlignment").integer() > 16) refuse("a tensor at multiples of more than 16 bytes");
  return t;
}

std::int64_t port(const Json& node, const char* name) { return std::stoll(node.at(name).string()); }

PlanStep convolution_of(const Json& node, const std::string& operation) {
  PlanStep s;
  const bool forward = operation.find("FORWARD") != std::string::npos;
  const bool input = operation.find("BACKWARD_DATA") != std::string::npos;
  s.kind = forward ? PlanStep::Kind::forward
           : input ? PlanStep::Kind::input_grad
                   : PlanStep::Kind::weight_grad;
  s.x = port(node, input ? "dX" : "X");
  s.w = port(node, forward || input ? "W" : "dW");
  s.y = port(node, forward ? "Y" : "dY");
  s.pads = integers<2>(node.at("pad"));
  s.strides = integers<2>(node.at("stride"));
  if (const Json* groups = node.find("groupCount")) s.groups = groups->integer();
  if (integers<2>(node.at("dilation")) != std::array<std::int64_t, 2>{1, 1}) refuse("a dilation");
  if (node.at("mode").string() != "CUDNN_CROSS_CORRELATION") refuse("a filter that is turned round");
  if (node.at("alpha").number() != 1 || node.at("beta").number() != 0) refuse("a result that is added to");
  return s;
}

// The double computes in f32 where the card's numbers are bf16 with f32 sums.
Dtype dtype_of(const PlanTensor& t) { return t.type == "DOUBLE" ? Dtype::f64 : Dtype::f32; }

// A tensor in the order in which Basin has it: x and y as they lie in memory, w {R,S,C,K} out of KRSC.
basin::Shape shape_of(const PlanTensor& t, bool filter) {
  const auto& e = t.extents;
  return filter ? basin::Shape{e[2], e[3], e[1], e[0]} : basin::Shape{e[0], e[2], e[3], e[1]};
}

template <class From, class To>
void convert(const From* from, To* to, std::int64_t rows, std::int64_t columns, bool turned) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      to[turned ? j * rows + i : i * columns + j] = static_cast<To>(from[i * columns + j]);
}

class Run {
 public:
  Run(const PlanProgram& program, const std::map<std::int64_t, std::byte*>& memories)
      : program_(program), memories_(memories) {}

  void step(const PlanStep& s) {
    const PlanTensor &x = program_.tensors.at(s.x), &w = program_.tensors.at(s.w);
    const PlanTensor& y = program_.tensors.at(s.y);
    basin::ConvGeometry g;
    g.batch = x.extents[0], g.in_c = x.extents[1], g.in_h = x.extents[2], g.in_w = x.extents[3];
    g.out_c = y.extents[1], g.out_h = y.extents[2], g.out_w = y.extents[3];
    g.kernel_h = w.extents[2], g.kernel_w = w.extents[3];
    g.pad_h = s.pads[0], g.pad_w = s.pads[1], g.stride_h = s.strides[0], g.stride_w = s.strides[1];
    g.groups = s.groups;
    basin::Backend& cpu = basin::cpu_backend();
    switch (s.kind) {
      case PlanStep::Kind::forward: {
        Tensor out = Tensor::empty(shape_of(y, false), dtype_of(y));
        cpu.conv2d({g}, read(s.x, false), read(s.w, true), out);
        return write(s.y, out, false);
      }
      case PlanStep::Kind::input_grad: {
        Tensor out = Tensor::empty(shape_of(x, false), dtype_of(x));
        cpu.conv2d_input_grad(g, read(s.y, false), read(s.w, true), out);
        return write(s.x, out, false);
      }
      default: {
        Tensor out = Tensor::empty(shape_of(w, true), dtype_of(w));
        cpu.conv2d_weight_grad({g}, read(s.x, false), read(s.y, false), out);
        write(s.w, out, true);
      }
    }
  }

 private:
  // Calls f(the numbers in the plan's memory): float, double or bfloat16.
  template <class F>
  static void with_numbers(const PlanTensor& t, std::byte* memory, F f) {
    if (t.type == "DOUBLE")
      f(reinterpret_cast<double*>(memory));
    else if (t.type == "FLOAT")
      f(reinterpret_cast<float*>(memory));
    else
      f(reinterpret_cast<basin::bfloat16*>(memory));
  }

  // KRSC is a matrix {K, R S C}; {R,S,C,K} is that matrix turned.
  Tensor read(std::int64_t id, bool filter) const {
    const PlanTensor& t = program_.tensors.at(id);
    const std::int64_t rows = t.extents[0], columns = t.elements() / rows;
    Tensor out = Tensor::empty(shape_of(t, filter), dtype_of(t));
    with_numbers(t, memories_.at(id), [&](const auto* from) {
      if (out.dtype() == Dtype::f64)
        convert(from, out.mutable_data<double>(), rows, columns, filter);
      else
        convert(from, out.mutable_data<float>(), rows, columns, filter);
    });
    return out;
  }

  void write(std::int64_t id, const Tensor& x, bool filter) const {
    const PlanTensor& t = program_.tensors.at(id);
    const std::int64_t k = t.extents[0], rows = filter ? t.elements() / k : k, columns = t.elements() / rows;
    with_numbers(t, memories_.at(id), [&](auto* to) {
      if (x.dtype() == Dtype::f64)
        convert(x.data<double>(), to, rows, columns, filter);
      else
        convert(x.data<float>(), to, rows, columns, filter);
    });
  }

  const PlanProgram& program_;
  const std::map<std::int64_t, std::byte*>& memories_;
};

}  // namespace

std::size_t PlanTensor::bytes() const {
  return static_cast<std::size_t>(elements()) * (type == "DOUBLE" ? 8 : type == "FLOAT" ? 4 : 2);
}

bool PlanTensor::channels_last() const {
  const auto& e = extents;
  return strides == std::array<std::int64_t, 4>{e[1] * e[2] * e[3], 1, e[1] * e[3], e[1]};
}

void PlanProgram::run(const std::map<std::int64_t, std::byte*>& memories) const {
  Run run(*this, memories);
  for (const PlanStep& s : steps) run.step(s);
}

PlanProgram program_of(const std::string& plan_json) {
  const Json plan = basin::parse_json(plan_json);
  const Json& graph = plan.at("operationGraph");
  PlanProgram program;
  for (const Json& t : graph.at("tensors").array())
    program.tensors[std::stoll(t.at("name").string())] = tensor_of(t);
  for (const auto& [id, t] : program.tensors) {
    if (!t.channels_last())
      refuse("tensor " + std::to_string(id) + " is not channels-last: of a filter that is not KRSC a card " +
             "would read the wrong numbers");
    if (t.type != "DOUBLE" && t.type != "FLOAT" && t.type != "BFLOAT16") refuse("numbers of type " + t.type);
  }
  for (const Json& node : graph.at("nodes").array()) {
    const std::string& operation = node.at("operation").string();
    if (operation.find("CONVOLUTION") == std::string::npos) refuse("operation " + operation);
    program.steps.push_back(convolution_of(node, operation));
  }
  return program;
}

}  // namespace fake
