// From a tape to ONNX: values with their order of axes, and one rule per op.
#pragma once

#include <map>
#include <string_view>
#include <unordered_map>

#include "nn/onnx/graph.h"
#include "nn/onnx/tape.h"

namespace basin::nn {

/// Convolution weights {KH,KW,I,O} as {O,I,KH,KW}.
inline const Axes kFilters{3, 2, 0, 1};

/// One translation: a tape in, a graph out.
class OnnxTranslation {
 public:
  OnnxTranslation(Module& model, const Tape& tape, const std::string& name);

  /// The whole graph; to be called once.
  OnnxGraph run();

 private:
  /// A value of the tape as the graph has it: axis k of `name` is axis order[k] of the tape's.
  struct Value {
    std::string name;
    Axes order;
  };
  struct Rule {
    Value (OnnxTranslation::*apply)(const TapeStep&);
    const char* onnx = nullptr;  // the op's name there, if it is one op
  };
  using Numbers = std::vector<std::int64_t>;

  // What the rules are made of (translation.cpp).
  static const std::map<std::string_view, Rule>& rules();
  static const char* name_in_onnx(const TapeStep& step);
  void find_pairs();
  const TapeStep* absorbed(const TapeStep& step) const;
  Value leaf(const TapeStep& step);
  Value operand(const TapeStep& step, std::size_t i);
  Value constant(const TapeStep& step, const TapeInput& in);
  std::string scalar(double value);
  std::string numbers(const Numbers& values);
  std::string initializer(const std::string& name, const Tensor& tensor,
                          FileLayout layout = FileLayout::plain);
  std::string samples();
  std::string emit(const char* op, std::vector<std::string> inputs,
                   std::vector<OnnxAttribute> attributes = {});
  Value in_order(const Value& v, const Axes& order);
  static Axes plain_order(const Value& v);
  Value plain(const Value& v);
  double number_of(const TapeStep& step) const;
  OnnxPort port(const std::string& name, const TapeShape& shape, const Axes& order) const;
  void name_result(const std::string& name);
  void expect_distinct_names() const;
  [[noreturn]] static void fail(const TapeStep& step, const std::string& reason);

  // The rules (rules.cpp).
  Value elementwise(const TapeStep& step);
  Value broadcasting(const TapeStep& step);
  Value with_number(const TapeStep& step);
  Value square(const TapeStep& step);
  Value rsqrt(const TapeStep& step);
  Value leaky_relu(const TapeStep& step);
  Value gelu(const TapeStep& step);
  Value gelu_tanh(const TapeStep& step);
  Value silu(const TapeStep& step);
  Value clamp(const TapeStep& step);
  Value reduction(const TapeStep& step);
  Value reduce(const char* op, const TapeStep& step);
  Value reshape(const TapeStep& step);
  Value permute(const TapeStep& step);
  Value slice(const TapeStep& step);
  Value pad(const TapeStep& step);
  Value concat(const TapeStep& step);
  Value broadcast_to(const TapeStep& step);
  Value product(const TapeStep& step, const std::string& bias);
  Value matmul(const TapeStep& step) { return product(step, ""); }
  Value convolution(const TapeStep& step, const std::string& bias);
  Value conv2d(const TapeStep& step) { return convolution(step, ""); }
  Value max_pool(const TapeStep& step);
  Value avg_pool(const TapeStep& step);
  Value batch_norm(const TapeStep& step);
  Value layer_norm(const TapeStep& step);
  Value log_softmax(const TapeStep& step);
  Value softmax(const char* op, const TapeStep& step);

  const Tape& tape_;
  OnnxGraph graph_;
  Dtype dtype_;
  std::unordered_map<const Node*, NamedParameter> parameters_;
  std::map<const std::byte*, NamedBuffer> buffers_;                // by the address of their numbers
  std::vector<Value> values_;                                      // by step
  std::unordered_map<const TapeStep*, const TapeStep*> absorbed_;  // later step -> the one it swallowed
  std::unordered_map<const TapeStep*, const TapeStep*> absorbing_;
  std::unordered_map<std::string, std::string> written_;  // what an initializer holds -> its name
  std::string samples_;
};

}  // namespace basin::nn
