// A graph in the words of ONNX (onnx.ai), and its file.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/io/archive.h"

namespace basin::nn {

struct OnnxAttribute {
  std::string name;
  std::variant<std::int64_t, float, std::vector<std::int64_t>> value;
};

/// One operator of the standard operator set; every operator used here has one output.
struct OnnxNode {
  std::string op;
  std::vector<std::string> inputs;
  std::string output;  // the value's name, and the node's
  std::vector<OnnxAttribute> attributes;
};

/// A number or an array that the file holds: weights, statistics, shapes.
struct OnnxInitializer {
  std::string name;
  Tensor tensor;
  FileLayout layout = FileLayout::plain;  // convolution: the file has {O,I,KH,KW}
};

/// What enters or leaves the graph.
struct OnnxPort {
  static constexpr Index kBatch = -1;  // an extent: as many as there are samples, "N" in the file

  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<Index> extents;
};

struct OnnxGraph {
  static constexpr int kOperatorSet = 13;  // the operators' version; 13 is read by everything since 2020
  static constexpr int kFileVersion = 7;   // IR version: the file's own, which came with operator set 12

  std::string name;
  std::vector<OnnxNode> nodes;  // a value is computed before it is used
  std::vector<OnnxInitializer> initializers;
  OnnxPort input, output;
};

/// Writes the graph to `path`, atomically, with `metadata` as the model's properties. The bytes depend on the
/// graph and the metadata only. Memory beyond the graph: one tensor. Errors: ArgumentError for a graph of
/// 2 GiB or more, which the format's readers refuse; OutputError.
void write_onnx(const std::string& path, const OnnxGraph& graph, const ArchiveMetadata& metadata = {});

/// The initializers of a file that write_onnx() wrote, as they are in the file: convolution weights
/// {O,I,KH,KW}. Errors: CheckpointError for a file that cannot be read or is not of that form.
std::vector<OnnxInitializer> read_onnx_initializers(const std::string& path);

}  // namespace basin::nn
