// Node: one op in the history. Outputs hold their node, a node holds the nodes of its inputs: ownership runs
// one way, from the loss to the leaves. Sequence numbers rise, so sorting reachable nodes by them gives the
// tape.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "autograd/attributes.h"
#include "autograd/variable.h"

namespace basin {

/// Which numbers an op's derivative needs; combine with |. Everything else keeps only its place in the graph.
enum class Keep : unsigned { nothing = 0, first = 1, second = 2, third = 4, inputs = 0xff, output = 0x100 };
constexpr Keep operator|(Keep a, Keep b) {
  return static_cast<Keep>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(Keep set, unsigned bit) { return (static_cast<unsigned>(set) & bit) != 0; }

/// What a vector-Jacobian product sees. Values come back as Variables with their history, so that a vjp
/// written in differentiable ops can be differentiated again.
class Backward {
 public:
  Backward(const std::shared_ptr<Node>& node, const Variable& cotangent)
      : node_(node), cotangent_(cotangent) {}

  /// d loss / d output.
  const Variable& grad() const { return cotangent_; }
  /// Input i, if kept. Errors: not kept; its storage was written to after the op used it.
  Variable input(std::size_t i) const;
  /// The op's own output, if kept.
  Variable output() const;
  /// Whether anyone asks for the derivative with respect to input i.
  bool needs(std::size_t i) const;
  /// Whether nobody reads the numbers of input i's cotangent, only its history: a vjp may leave them zero.
  bool unread(std::size_t i) const;
  /// Shape of input i (always known).
  const Shape& input_shape(std::size_t i) const;
  /// Its dtype, which its cotangent has too.
  Dtype input_dtype(std::size_t i) const;

 private:
  const std::shared_ptr<Node>& node_;
  const Variable& cotangent_;
};

/// Cotangent of the output -> one cotangent per input; an undefined Variable stands for "none" (or not
/// needed).
using Vjp = std::function<Variables(const Backward&)>;

class Node {
 public:
  struct Input {
    std::shared_ptr<Node> node;  // null: a constant
    Shape shape;
    Dtype dtype;
    Tensor value;  // defined if kept
    std::uint64_t version = 0;
  };

  Node(Op&& op, std::string name, std::uint64_t place);
  ~Node();  // a loop, never recursion: depth is the user's choice
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const char* op() const { return op_.name; }
  const Attributes& attributes() const { return op_.attributes; }
  const std::string& name() const { return name_; }
  std::uint64_t sequence() const { return sequence_; }
  bool leaf() const { return inputs_.empty(); }
  bool consumed() const { return consumed_; }
  const std::vector<Input>& inputs() const { return inputs_; }

  /// Drops saved numbers and the vjp: this node has been swept.
  void consume();

  /// Takes over what `other` was recorded as, but for its place: the same result, by other inputs.
  void become(Node&& other);

  /// Nodes alive in this process (leak tests).
  static std::int64_t live_count();

 private:
  friend class Backward;
  friend class Sweep;
  friend Variable record(Op&&, Tensor, const Variables&, Keep, Vjp);

  Op op_;
  std::string name_;  // leaves only
  std::uint64_t sequence_;
  bool consumed_ = false;
  std::vector<Input> inputs_;
  Tensor output_;
  std::uint64_t output_version_ = 0;
  Vjp vjp_;
  // Set by the sweep: which inputs lead to what is asked for, and how their cotangents are used.
  enum Use : char { unwanted, wanted, wanted_unread };
  std::vector<char> wanted_;
};

/// An op's result: `value`, with history if recording and any input is tracked. `op` names it in errors;
/// `{"name", attributes}` also says how it was asked to compute, for readers of the history.
///
///     Variable tanh(const Variable& x) {   // d/dx tanh(x) = 1 - tanh(x)^2
///       return record("tanh", unary(UnaryOp::tanh, x.value()), {x}, Keep::output,
///                     [](const Backward& b) -> Variables { return {b.grad() * (1.0 - square(b.output()))};
///                     });
///     }
///
/// A vjp must not capture the op's own output or inputs (it would own itself, or dodge the version check):
/// use Keep.
Variable record(Op&& op, Tensor value, const Variables& inputs, Keep keep, Vjp vjp);

}  // namespace basin
