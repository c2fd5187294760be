// ONNX: the file's bytes worked by hand; what the file holds is the model; each model's ops; refusals. (That
// other runtimes compute the same logits: tests/onnx/check.py.)
#include "nn/onnx/onnx.h"

#include <doctest/doctest.h>

#include <cstring>
#include <set>

#include "core/ops.h"
#include "nn/attention.h"
#include "nn/models/registry.h"
#include "tests/core/temporary_directory.h"
#include "tests/nn/protobuf_fields.h"
#include "tests/nn/tiny_models.h"

using namespace basin;
using test::Fields;

namespace {

/// A module that is one function, for graphs of a few nodes.
class Function : public nn::Module {
 public:
  explicit Function(std::function<Variable(const Variable&)> body) : body_(std::move(body)) {}
  Function& owns(const std::string& name, const Variable& parameter) {
    parameters_.emplace_back(name, parameter);
    return *this;
  }
  void describe(Inventory& it) override {
    for (auto& entry : parameters_) it.parameter(entry.first, entry.second);
  }
  const char* kind() const override { return "function"; }

 protected:
  Variable forward(const Variable& x, nn::Context&) override { return body_(x); }

 private:
  std::function<Variable(const Variable&)> body_;
  std::vector<std::pair<std::string, Variable>> parameters_;
};

std::string ops(const nn::OnnxGraph& graph) {
  std::string line;
  for (const nn::OnnxNode& n : graph.nodes) line += (line.empty() ? "" : " ") + n.op;
  return line;
}

std::string ops(std::function<Variable(const Variable&)> body, const Shape& sample = {4, 6, 2}) {
  Function model(std::move(body));
  return ops(nn::onnx_graph(model, sample, "test"));
}

std::string refusal(std::function<Variable(const Variable&)> body) {
  try {
    return ops(std::move(body));
  } catch (const ArgumentError& e) {
    return e.what();
  }
}

std::map<std::string, int> counts(const nn::OnnxGraph& graph) {
  std::map<std::string, int> all;
  for (const nn::OnnxNode& n : graph.nodes) ++all[n.op];
  return all;
}

/// The node number `k`, from 0, of those with that op.
nn::OnnxNode nth(const nn::OnnxGraph& graph, const std::string& op, int k) {
  for (const nn::OnnxNode& n : graph.nodes)
    if (n.op == op && k-- == 0) return n;
  FAIL("no such node: ", op);
  return {};
}

nn::OnnxAttribute attribute_of(const nn::OnnxNode& node, const std::string& name) {
  for (const nn::OnnxAttribute& a : node.attributes)
    if (a.name == name) return a;
  FAIL("no attribute ", name);
  return {};
}

using Numbers = std::vector<std::int64_t>;

Numbers numbers_of(const nn::OnnxGraph& graph, const std::string& name) {
  for (const nn::OnnxInitializer& i : graph.initializers)
    if (i.name == name) return i.tensor.to_vector<std::int64_t>();
  FAIL("no initializer ", name);
  return {};
}

}  // namespace

TEST_CASE("onnx: the bytes of a graph of one node, by hand") {
  Function model([](const Variable& x) { return relu(x); });
  nn::OnnxGraph graph = nn::onnx_graph(model, {5}, "g");
  graph.initializers.push_back(
      {"w", Tensor::from(std::vector<float>{1.0f}, {1})});  // unused: only to be seen
  const test::TemporaryDirectory directory;
  nn::write_onnx(directory / "a.onnx", graph, {{"k", "v"}});
  const auto port = [](const std::string& name) {
    const std::string type(  // tensor_type: elem_type 1 (float), shape: N and 5
        "\x0a\x0d\x08\x01\x12\x09\x0a\x03\x12\x01N\x0a\x02\x08\x05", 15);
    return std::string("\x0a") + static_cast<char>(name.size()) + name + "\x12" +
           static_cast<char>(type.size()) + type;
  };
  const std::string input = port("image"), output = port("logits");
  const auto field = [](char key, const std::string& value) {
    return std::string(1, key) + static_cast<char>(value.size()) + value;
  };
  const std::string node = "\x0a\x05image\x12\x06logits\x1a\x06logits\x22\x04Relu";
  const std::string weight = std::string("\x08\x01\x10\x01\x42\x01w\x4a\x04\x00\x00\x80\x3f", 13);
  const std::string content = field('\x0a', node) + field('\x12', "g") + field('\x5a', input) +
                              field('\x62', output) + field('\x2a', weight);
  const std::string expected = std::string("\x08\x07\x12\x05") + "basin" + "\x42\x02\x10\x0d" +
                               field('\x72', "\x0a\x01k\x12\x01v") + field('\x3a', content);
  CHECK(read_file(directory / "a.onnx") == expected);
}

TEST_CASE("onnx: a file holds the weights of its model, bit for bit, and values before their use") {
  for (const TinyModel& tiny : tiny_models()) {
    INFO(tiny.name);
    nn::Initializer init(5);
    const auto model = tiny.make(init);
    const test::TemporaryDirectory directory;
    nn::write_onnx(directory / "m.onnx", nn::onnx_graph(*model, {kTinySide, kTinySide, 3}, tiny.name));
    const Fields file(read_file(directory / "m.onnx"));
    CHECK(file.one(1) == "7");                  // ir_version
    CHECK(Fields(file.one(8)).one(2) == "13");  // opset_import
    const Fields graph(file.one(7));
    CHECK(graph.one(2) == tiny.name);

    std::map<std::string, Fields> held;
    for (const std::string& initializer : graph.all(5)) {
      const Fields fields(initializer);
      CHECK(held.emplace(fields.one(8), fields).second);
    }
    const auto expect = [&](const std::string& name, const Tensor& numbers) {
      REQUIRE_MESSAGE(held.count(name) == 1, name);
      const Fields& fields = held.at(name);
      std::vector<std::string> extents;
      for (Index extent : numbers.shape()) extents.push_back(std::to_string(extent));
      CHECK(fields.all(1) == extents);
      CHECK(fields.one(2) == "1");
      CHECK(fields.one(9) == std::string(reinterpret_cast<const char*>(numbers.raw()), numbers.bytes()));
    };
    const Entries entries = entries_of(*model);
    for (const NamedParameter& p : entries.parameters)
      expect(p.name, p.layout == ParameterLayout::convolution ? to_file_layout(p.parameter->value())
                                                              : p.parameter->value());
    for (const NamedBuffer& b : entries.buffers)
      if (b.kind == BufferKind::statistics) expect(b.name, *b.buffer);

    std::set<std::string> known{"image"};
    for (const auto& entry : held) known.insert(entry.first);
    for (const std::string& bytes : graph.all(1)) {
      const Fields node(bytes);
      for (const std::string& input : node.all(1)) CHECK_MESSAGE(known.count(input) == 1, input);
      CHECK(known.insert(node.one(2)).second);
    }
    CHECK(known.count("logits") == 1);
  }
}

TEST_CASE("onnx: equal models give equal bytes") {
  const test::TemporaryDirectory directory;
  for (const char* name : {"a.onnx", "b.onnx"}) {
    const auto model = nn::make_model({.name = "lenet5"});
    nn::write_onnx(directory / name, nn::onnx_graph(*model, {32, 32, 3}, "lenet5"), {{"a", "1"}, {"b", "2"}});
  }
  CHECK(read_file(directory / "a.onnx") == read_file(directory / "b.onnx"));
}

TEST_CASE("onnx: a ResNet's ops, its images in {N,C,H,W} throughout") {
  nn::Initializer init(1);
  nn::CifarResNet model(8, 3, 10, nn::Shortcut::a, init);
  const nn::OnnxGraph graph = nn::onnx_graph(model, {8, 12, 3}, "resnet8");
  // Counted, not listed: whether a block's branch or its shortcut comes first is the compiler's choice.
  CHECK(counts(graph) == std::map<std::string, int>{{"Conv", 7},
                                                    {"BatchNormalization", 7},
                                                    {"Relu", 7},
                                                    {"Add", 3},
                                                    {"AveragePool", 2},  // option A: every second pixel,
                                                    {"Pad", 2},          // and zeros as new channels
                                                    {"ReduceMean", 1},
                                                    {"Gemm", 1}});
  CHECK(graph.input.extents == std::vector<Index>{nn::OnnxPort::kBatch, 3, 8, 12});
  CHECK(graph.output.extents == std::vector<Index>{nn::OnnxPort::kBatch, 10});
  const nn::OnnxNode pad = nth(graph, "Pad", 0);
  CHECK(numbers_of(graph, pad.inputs[1]) == Numbers{0, 8, 0, 0, 0, 8, 0, 0});
  const nn::OnnxNode strided = nth(graph, "Conv", 3);
  CHECK(strided.inputs[1] == "layer2.0.conv1.weight");
  CHECK(std::get<Numbers>(attribute_of(strided, "strides").value) == Numbers{2, 2});
  CHECK(std::get<Numbers>(attribute_of(strided, "pads").value) == Numbers{1, 1, 1, 1});
  const nn::OnnxNode pool = nth(graph, "AveragePool", 0);
  CHECK(std::get<Numbers>(attribute_of(pool, "kernel_shape").value) == Numbers{1, 1});
  CHECK(std::get<Numbers>(attribute_of(pool, "strides").value) == Numbers{2, 2});
  CHECK(std::get<Numbers>(attribute_of(graph.nodes.end()[-2], "axes").value) == Numbers{2, 3});
}

TEST_CASE("onnx: attention, its batch left open") {
  nn::Initializer init(1);
  nn::SelfAttention model(8, 2, init);
  const nn::OnnxGraph graph = nn::onnx_graph(model, {5, 8}, "attention");
  CHECK(ops(graph) ==
        "Reshape Gemm Reshape Slice Reshape Mul Slice Reshape Transpose Transpose MatMul Softmax "
        "Slice Reshape Transpose MatMul Transpose Reshape Reshape Gemm Reshape");
  CHECK(numbers_of(graph, graph.nodes[0].inputs[1]) == Numbers{-1, 8});
  CHECK(numbers_of(graph, graph.nodes[2].inputs[1]) == Numbers{-1, 5, 24});
  CHECK(numbers_of(graph, graph.nodes[4].inputs[1]) == Numbers{-1, 5, 2, 4});
  // k enters transposed: {N,S,H,d} to {N,H,d,S} in one step.
  CHECK(std::get<Numbers>(attribute_of(graph.nodes[9], "perm").value) == Numbers{0, 2, 3, 1});
  CHECK(graph.output.extents == std::vector<Index>{nn::OnnxPort::kBatch, 5, 8});
}

TEST_CASE("onnx: pairs of ops that are one") {
  const Variable weight = Variable::parameter(Tensor::full({3, 2}, 1)),
                 bias = Variable::parameter(Tensor::full({3}, 1));
  const auto layer = [&](std::function<Variable(const Variable&)> body) {
    Function model(std::move(body));
    model.owns("weight", weight).owns("bias", bias);
    return ops(nn::onnx_graph(model, {2}, "test"));
  };
  CHECK(layer([&](const Variable& x) { return linear(x, weight, bias); }) == "Gemm");
  CHECK(layer([&](const Variable& x) { return linear(x, weight, {}); }) == "Gemm");
  // The product alone is asked for as well: it must be there.
  CHECK(layer([&](const Variable& x) {
          const Variable product = linear(x, weight, {});
          return (product + bias) * product;
        }) == "Gemm Add Mul");
  CHECK(ops([](const Variable& x) { return mean(x, {1, 2}); }) == "ReduceMean");
  CHECK(ops([](const Variable& x) { return mean(x, {0}, true); }) == "ReduceMean Transpose");
  CHECK(ops([](const Variable& x) { return sum(x, {1, 2}) / 3; }) == "ReduceSum Div");
  CHECK(ops([](const Variable& x) { return softmax(sum(x, {1, 2})); }) == "ReduceSum Softmax");
  CHECK(ops([](const Variable& x) { return log_softmax(sum(x, {1, 2})); }) == "ReduceSum LogSoftmax");
}

TEST_CASE("onnx: layer norm is said in the ops of the operator set") {
  const Tensor ones = Tensor::full({2}, 1);
  CHECK(ops([&](const Variable& x) {
          return layer_norm(sum(x, {1, 2}), ones, ones);
        }) == "ReduceSum ReduceMean Sub Mul ReduceMean Add Sqrt Reciprocal Mul Mul Add");
}

TEST_CASE("onnx: axes are turned only where the order matters") {
  CHECK(ops([](const Variable& x) { return reshape(x, {x.size(0), 48}); }) == "Transpose Reshape");
  CHECK(ops([](const Variable& x) { return permute(x, {0, 3, 1, 2}); }) == "Identity");
  CHECK(ops([](const Variable& x) { return sum(gelu(x), {1, 2, 3}); }) == "Mul Erf Mul Add Mul ReduceSum");
  CHECK(ops([](const Variable& x) { return sum(x, {1}); }) == "Transpose ReduceSum");
  CHECK(ops([](const Variable& x) { return max(x, {-1}); }) == "ReduceMax");
  CHECK(ops([](const Variable& x) {
          return sum(concat({x, slice(x, {0, 1, 0, 0}, {x.size(0), 3, 6, 2})}, 1));
        }) == "Slice Concat ReduceSum");
}

TEST_CASE("onnx: refusals say which op and why") {
  CHECK(refusal([](const Variable& x) { return gather(x, Tensor::from<std::int64_t>({0}), 1); }) ==
        "[onnx] the model's op 'gather' has no translation");
  CHECK(refusal([](const Variable& x) { return x + Variable(Tensor::full({2}, 1)); }) ==
        "[onnx] the model's op 'add' takes a constant {2} whose numbers the history does not keep");
  CHECK(refusal([](const Variable& x) { return x * static_cast<double>(x.size(0)); }) ==
        "[onnx] the model's op 'mul_scalar' is told a number that depends on the number of samples");
  CHECK(refusal([](const Variable& x) { return x * Variable(Tensor::full(x.shape(), 2)); }) ==
        "[onnx] the model's op 'mul' takes a constant {2,4,6,2} that depends on the samples or on their "
        "number");
  CHECK(refusal([](const Variable& x) {
          return x * Variable(sum(x, {0}).value());
        }).find("{4,6,2} that depends on the samples") != std::string::npos);
  CHECK(refusal([](const Variable& x) {
          return slice(x, {1, 0, 0, 0}, x.shape());
        }).find("'slice' takes a part that depends") != std::string::npos);
  CHECK(refusal([](const Variable& x) { return x.size(0) == 2 ? x + 1 : x; }).find("in another way") !=
        std::string::npos);
  CHECK(refusal([](const Variable& x) { return x.size(0) == 2 ? exp(x) : relu(x); }).find("at 'exp'") !=
        std::string::npos);
  CHECK(refusal([](const Variable& x) {
          return Variable(Tensor::zeros({x.size(0), 3}));
        }).find("does not depend on the image") != std::string::npos);
  CHECK(refusal([](const Variable& x) {
          return concat({x, x}, 0);
        }).find("neither fixed nor the number of samples") != std::string::npos);
  const Variable hidden = Variable::parameter(Tensor::full({2}, 1));
  CHECK(refusal([&](const Variable& x) { return x * hidden; }).find("describe() does not name") !=
        std::string::npos);
  Function clash([&](const Variable& x) { return x * hidden; });
  clash.owns("logits", hidden);
  CHECK_THROWS_WITH_AS(nn::onnx_graph(clash, {2}, "test"),
                       "[onnx] the graph has two values named 'logits'; rename the model's parameter",
                       ArgumentError);
}

TEST_CASE("slow: onnx: every model of the registry has a graph") {
  for (const std::string& name : nn::model_names()) {
    INFO(name);
    const bool large = name.starts_with("vgg") || name.starts_with("vit");
    const Index side = large ? 32 : 16;
    const auto model =
        nn::make_model({.name = name, .height = side, .width = side, .classes = 7, .blank = true});
    const nn::OnnxGraph graph = nn::onnx_graph(*model, {side, side, 3}, name);
    CHECK(graph.input.extents == std::vector<Index>{nn::OnnxPort::kBatch, 3, side, side});
    CHECK(graph.output.extents == std::vector<Index>{nn::OnnxPort::kBatch, 7});
    CHECK(graph.nodes.back().output == "logits");
  }
}
