// Variable: a Tensor plus its place in the history of how it was computed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace basin {

class Deferred;
class Node;

/// A value handle. A Variable made from a Tensor is a constant; parameter() makes a leaf that gradients can
/// be taken with respect to; ops make the rest. There is no gradient slot: gradients are values
/// (autograd/gradients.h).
///
/// Within a DeferralScope the result of an op may be formed later than it was called, at the latest when its
/// value() or node() is asked for (autograd/ops/deferred.h). Nothing else shows: not in the numbers, nor in
/// the order of the history.
class Variable {
 public:
  Variable() = default;
  Variable(Tensor value) : value_(std::move(value)) {}  // NOLINT: a Tensor is a constant, on purpose
  Variable(Tensor value, std::shared_ptr<Node> node) : value_(std::move(value)), node_(std::move(node)) {}
  explicit Variable(std::shared_ptr<Deferred> later) : later_(std::move(later)) {}

  /// A leaf: something to differentiate with respect to. `name` appears in errors.
  static Variable parameter(Tensor value, std::string name = "");

  bool defined() const { return later_ != nullptr || value_.defined(); }
  const Tensor& value() const { return later_ ? formed().value_ : value_; }
  const Shape& shape() const { return later_ ? expected_shape() : value_.shape(); }
  int rank() const { return shape().rank(); }
  Index size(int axis) const { return shape()[shape().axis(axis, "size")]; }
  Dtype dtype() const { return later_ ? expected_dtype() : value_.dtype(); }

  /// True if a derivative can flow through this value.
  bool tracked() const { return later_ ? will_be_tracked() : node_ != nullptr; }
  const std::shared_ptr<Node>& node() const { return later_ ? formed_node() : node_; }
  /// The same numbers as a constant.
  Variable detach() const { return Variable(value()); }

  /// What forms this value, if its op was called within a DeferralScope; else null.
  const std::shared_ptr<Deferred>& deferred() const { return later_; }

 private:
  const Variable& formed() const;
  const std::shared_ptr<Node>& formed_node() const;
  const Shape& expected_shape() const;
  Dtype expected_dtype() const;
  bool will_be_tracked() const;

  Tensor value_;
  std::shared_ptr<Node> node_;
  std::shared_ptr<Deferred> later_;
};

using Variables = std::vector<Variable>;

/// x + y, broadcasting. The one op that the sweep itself needs, where cotangents meet; the others are
/// declared in autograd/ops/ops.h.
Variable operator+(const Variable& x, const Variable& y);

}  // namespace basin
