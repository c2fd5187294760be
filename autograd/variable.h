// Variable: a Tensor plus its place in the history of how it was computed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace basin {

class Node;

/// A value handle. A Variable made from a Tensor is a constant; parameter() makes a leaf that gradients can
/// be taken with respect to; ops make the rest. There is no gradient slot: gradients are values
/// (autograd/gradients.h).
class Variable {
 public:
  Variable() = default;
  Variable(Tensor value) : value_(std::move(value)) {}  // NOLINT: a Tensor is a constant, on purpose
  Variable(Tensor value, std::shared_ptr<Node> node) : value_(std::move(value)), node_(std::move(node)) {}

  /// A leaf: something to differentiate with respect to. `name` appears in errors.
  static Variable parameter(Tensor value, std::string name = "");

  bool defined() const { return value_.defined(); }
  const Tensor& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }
  int rank() const { return value_.rank(); }
  Index size(int axis) const { return value_.size(axis); }
  Dtype dtype() const { return value_.dtype(); }

  /// True if a derivative can flow through this value.
  bool tracked() const { return node_ != nullptr; }
  const std::shared_ptr<Node>& node() const { return node_; }
  /// The same numbers as a constant.
  Variable detach() const { return Variable(value_); }

 private:
  Tensor value_;
  std::shared_ptr<Node> node_;
};

using Variables = std::vector<Variable>;

}  // namespace basin
