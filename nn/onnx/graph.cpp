// The file: protocol buffers in the schema of github.com/onnx/onnx, onnx/onnx.proto.
#include "nn/onnx/graph.h"

#include <cstring>
#include <optional>

#include "core/io/protobuf.h"
#include "core/io/utf8.h"

namespace basin::nn {
namespace {

// Field numbers, one enumeration per message of the schema.
namespace model {
enum { ir_version = 1, producer_name = 2, graph = 7, opset_import = 8, metadata_props = 14 };
}
namespace operator_set {
enum { version = 2 };
}
namespace property {
enum { key = 1, value = 2 };
}
namespace graph_field {
enum { node = 1, name = 2, initializer = 5, input = 11, output = 12 };
}
namespace node {
enum { input = 1, output = 2, name = 3, op_type = 4, attribute = 5 };
}
namespace attribute {
enum { name = 1, f = 2, i = 3, ints = 8, type = 20 };
enum Type { float_type = 1, int_type = 2, ints_type = 7 };
}  // namespace attribute
namespace tensor {
enum { dims = 1, data_type = 2, name = 8, raw_data = 9 };
}
namespace value_info {
enum { name = 1, type = 2 };
}
namespace type {
enum { tensor_type = 1 };
}
namespace tensor_type {
enum { elem_type = 1, shape = 2 };
}
namespace shape {
enum { dim = 1 };
}
namespace dimension {
enum { dim_value = 1, dim_param = 2 };
}

/// What protobuf's own readers refuse.
constexpr std::uint64_t kSizeLimit = std::uint64_t{1} << 31;

/// TensorProto.DataType.
int data_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return 1;
    case Dtype::f64:
      return 11;
    case Dtype::bf16:
      return 16;
    case Dtype::i64:
      return 7;
    case Dtype::u8:
      break;
  }
  return 2;
}

ProtobufMessage encode(const OnnxAttribute& a) {
  ProtobufMessage m;
  m.string(attribute::name, a.name);
  if (const auto* whole = std::get_if<std::int64_t>(&a.value))
    m.integer(attribute::i, *whole).integer(attribute::type, attribute::int_type);
  if (const auto* real = std::get_if<float>(&a.value))
    m.number(attribute::f, *real).integer(attribute::type, attribute::float_type);
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&a.value)) {
    for (std::int64_t value : *list) m.integer(attribute::ints, value);
    m.integer(attribute::type, attribute::ints_type);
  }
  return m;
}

ProtobufMessage encode(const OnnxNode& n) {
  ProtobufMessage m;
  for (const std::string& input : n.inputs) m.string(node::input, input);
  m.string(node::output, n.output).string(node::name, n.output).string(node::op_type, n.op);
  for (const OnnxAttribute& a : n.attributes) m.message(node::attribute, encode(a));
  return m;
}

ProtobufMessage encode(const OnnxPort& port) {
  ProtobufMessage extents;
  for (Index extent : port.extents) {
    ProtobufMessage dim;
    if (extent == OnnxPort::kBatch)
      dim.string(dimension::dim_param, "N");
    else
      dim.integer(dimension::dim_value, extent);
    extents.message(shape::dim, dim);
  }
  ProtobufMessage dense, any, m;
  dense.integer(tensor_type::elem_type, data_type(port.dtype)).message(tensor_type::shape, extents);
  any.message(type::tensor_type, dense);
  return m.string(value_info::name, port.name).message(value_info::type, any);
}

OnnxInitializer decode_initializer(const std::string& path, std::string_view bytes) {
  OnnxInitializer i;
  Shape extents;
  std::optional<Dtype> dtype;
  std::string_view numbers;
  for (ProtobufFields f(bytes); f.next();) {
    if (f.number() == tensor::dims) extents.push_back(f.integer());
    if (f.number() == tensor::name) i.name = f.bytes();
    if (f.number() == tensor::raw_data) numbers = f.bytes();
    if (f.number() == tensor::data_type)
      for (Dtype known : {Dtype::f32, Dtype::f64, Dtype::i64, Dtype::u8})
        if (data_type(known) == f.integer()) dtype = known;
  }
  // Not elements() times the size: the product may not fit.
  const std::size_t size = dtype ? size_of(*dtype) : 1;
  if (!dtype || numbers.size() % size != 0 ||
      static_cast<std::uint64_t>(extents.elements()) != numbers.size() / size)
    throw CheckpointError("[onnx] ", path, ": '", excerpt(i.name), "' ", extents, " in ", numbers.size(),
                          " bytes");
  i.tensor = Tensor::empty(extents, *dtype);
  if (!numbers.empty()) std::memcpy(i.tensor.mutable_raw(), numbers.data(), numbers.size());
  return i;
}

/// An initializer up to its numbers, which follow.
ProtobufMessage header_of(const OnnxInitializer& i) {
  ProtobufMessage m;
  Shape extents = i.tensor.shape();
  if (i.layout == FileLayout::convolution) extents = {extents[3], extents[2], extents[0], extents[1]};
  for (Index extent : extents) m.integer(tensor::dims, extent);
  m.integer(tensor::data_type, data_type(i.tensor.dtype())).string(tensor::name, i.name);
  return m.announce(tensor::raw_data, i.tensor.bytes());
}

}  // namespace

void write_onnx(const std::string& path, const OnnxGraph& graph, const ArchiveMetadata& metadata) {
  ProtobufMessage file, structure, operators;
  file.integer(model::ir_version, OnnxGraph::kFileVersion).string(model::producer_name, "basin");
  file.message(model::opset_import, operators.integer(operator_set::version, OnnxGraph::kOperatorSet));
  for (const auto& [key, value] : metadata) {
    ProtobufMessage entry;
    file.message(model::metadata_props, entry.string(property::key, key).string(property::value, value));
  }

  for (const OnnxNode& n : graph.nodes) structure.message(graph_field::node, encode(n));
  structure.string(graph_field::name, graph.name);
  structure.message(graph_field::input, encode(graph.input));
  structure.message(graph_field::output, encode(graph.output));

  // The graph's length comes before the graph, so all headers are made first; the numbers are only counted.
  std::vector<std::string> headers;
  std::uint64_t length = structure.bytes().size();
  for (const OnnxInitializer& i : graph.initializers) {
    const std::string header = header_of(i).bytes();
    ProtobufMessage around;
    around.announce(graph_field::initializer, header.size() + i.tensor.bytes());
    headers.push_back(around.bytes() + header);
    length += headers.back().size() + i.tensor.bytes();
  }
  file.announce(model::graph, length);
  if (file.bytes().size() + length >= kSizeLimit)
    throw ArgumentError("[onnx] ", path, ": a model of ", file.bytes().size() + length,
                        " bytes; readers refuse files of 2 GiB and more (write safetensors or npz instead)");

  write_file_atomically(path, [&](FileWriter& out) {
    out.reserve(file.bytes().size() + length);
    out.write(file.bytes());
    out.write(structure.bytes());
    for (std::size_t k = 0; k < headers.size(); ++k) {
      const OnnxInitializer& i = graph.initializers[k];
      const Tensor numbers = i.layout == FileLayout::convolution ? to_file_layout(i.tensor) : i.tensor;
      out.write(headers[k]);
      out.write(numbers.raw(), numbers.bytes());
    }
  });
}

std::vector<OnnxInitializer> read_onnx_initializers(const std::string& path) {
  std::vector<OnnxInitializer> all;
  try {
    const std::string content = read_file(path, kSizeLimit);
    for (ProtobufFields file(content); file.next();) {
      if (file.number() != model::graph) continue;
      for (ProtobufFields f(file.bytes()); f.next();)
        if (f.number() == graph_field::initializer) all.push_back(decode_initializer(path, f.bytes()));
    }
  } catch (const CheckpointError&) {
    throw;
  } catch (const Error& e) {  // the file's own, or a shape that cannot be
    throw CheckpointError("[onnx] ", path, ": ", e.what());
  }
  return all;
}

}  // namespace basin::nn
