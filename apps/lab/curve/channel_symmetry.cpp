#include "apps/lab/curve/channel_symmetry.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "nn/onnx/tape.h"

namespace basin::apps {
namespace {

/// What stands at one place of a tracked axis: an unknown that other places may be tied to.
using Element = std::size_t;
using Channels = std::vector<Element>;
/// A number that is the same for all such channels: padding's zeros and what becomes of them.
constexpr Element kConstant = std::numeric_limits<Element>::max();

/// Of two values, number by number, broadcasting.
bool joins(std::string_view op) {
  constexpr std::string_view ops[] = {"add", "sub", "mul", "div", "pow", "maximum", "minimum"};
  return std::find(std::begin(ops), std::end(ops), op) != std::end(ops);
}

/// Of one value, and told nothing of axes: each number by itself, or (a softmax) with all of its row alike.
bool by_itself(const nn::TapeStep& step) {
  const Attributes& told = step.node[0]->attributes();
  return step.inputs.size() == 1 && step.inputs[0].shape == step.shape &&
         (std::holds_alternative<std::monostate>(told) || std::holds_alternative<double>(told) ||
          std::holds_alternative<Dtype>(told) || std::holds_alternative<attribute::Interval>(told));
}

/// One walk over the tape. Two channels are of one class if they stand in the same axes of everything that
/// the pass computed or read, equally often: a permutation of them then permutes each of these axes.
class Walk {
 public:
  Walk(nn::Module& model, const nn::Tape& tape) : tape_(tape), of_value_(tape.steps.size()) {
    const Entries entries = entries_of(model);
    for (const NamedParameter& p : entries.parameters) parameters_[p.parameter->node().get()] = p.name;
    for (const NamedBuffer& b : entries.buffers)
      if (b.buffer->defined()) buffers_[b.buffer->raw()] = b.name;
  }

  std::vector<ChannelClass> classes() {
    for (std::size_t s = 0; s < tape_.steps.size(); ++s) {
      const nn::TapeStep& step = tape_.steps[s];
      if (!step.leaf()) {
        of_value_[s] = result(step);
      } else if (step.node[0] == tape_.image) {
        of_value_[s] = fresh(step.shape.pass[0][step.shape.rank() - 1], /*fixed=*/true);
      } else {
        continue;
      }
      axes_.push_back({"", 0, of_value_[s]});
    }
    for (const Element e : of_value_.back())
      if (e != kConstant) fixed_[root(e)] = 1;
    return grouped();
  }

 private:
  struct Axis {
    std::string tensor;  // empty: of a value
    int axis;
    Channels channels;
  };

  [[noreturn]] static void fail(const nn::TapeStep& step, const std::string& why) {
    throw UsageError("--align: the channels of this model cannot be matched: '", step.op(), "' of ",
                     step.inputs.empty() ? step.shape.pass[0] : step.inputs[0].shape.pass[0], " ", why);
  }

  Channels fresh(Index count, bool fixed = false) {
    Channels made;
    for (Index i = 0; i < count; ++i) {
      made.push_back(parent_.size());
      parent_.push_back(parent_.size());
      fixed_.push_back(fixed);
    }
    return made;
  }

  Element root(Element e) {
    while (parent_[e] != e) e = parent_[e] = parent_[parent_[e]];
    return e;
  }

  /// The same channels in both; constants take on the other's.
  Channels tied(const nn::TapeStep& step, const Channels& a, const Channels& b) {
    if (a.size() != b.size()) fail(step, "joins axes of different lengths");
    Channels both;
    for (std::size_t i = 0; i < a.size(); ++i) {
      both.push_back(a[i] == kConstant ? b[i] : a[i]);
      if (a[i] == kConstant || b[i] == kConstant) continue;
      const Element x = root(a[i]), y = root(b[i]);
      const Element first = std::min(x, y), later = std::max(x, y);
      parent_[later] = first;
      fixed_[first] = fixed_[first] || fixed_[later];
    }
    return both;
  }

  /// An axis of a parameter, or the last axis of a value.
  Channels channels(const nn::TapeStep& step, std::size_t input, int axis = -1) {
    const nn::TapeInput& in = step.inputs.at(input);
    if (in.step == nn::TapeInput::kConstant)
      fail(step, "takes a constant that is not the same for each channel");
    const nn::TapeStep& from = tape_.steps[in.step];
    if (!from.leaf() || from.node[0] == tape_.image) return of_value_[in.step];
    const auto known = parameters_.find(from.node[0]);
    if (known == parameters_.end()) fail(step, "reads a parameter that describe() does not name");
    const int of = axis < 0 ? in.shape.rank() - 1 : axis;
    return named(known->second, of, in.shape.pass[0][of]);
  }

  Channels named(const std::string& tensor, int axis, Index count) {
    for (const Axis& a : axes_)
      if (a.tensor == tensor && a.axis == axis) return a.channels;
    axes_.push_back({tensor, axis, fresh(count)});
    return axes_.back().channels;
  }

  bool is_parameter(const nn::TapeStep& step, std::size_t input) const {
    const std::size_t from = step.inputs.at(input).step;
    return from != nn::TapeInput::kConstant && tape_.steps[from].leaf() &&
           tape_.steps[from].node[0] != tape_.image;
  }

  Channels result(const nn::TapeStep& step) {
    const std::string op = step.op();
    if (op == "reshape") return reshaped(step);
    if (by_itself(step) || op == "max_pool" || op == "avg_pool" || op == "broadcast_to")
      return same_axis(step);
    if (joins(op)) return joined(step);
    if (op == "conv2d") return convolved(step);
    if (op == "matmul") return multiplied(step);
    if (op == "batch_norm_eval" || op == "layer_norm") return normalised(step);
    if (op == "sum" || op == "max") return reduced(step);
    if (op == "permute") return permuted(step);
    if (op == "slice" || op == "pad") return cut(step, op == "pad");
    if (op == "concat") return concatenated(step);
    fail(step, "is no op whose channels can be followed");
  }

  Channels same_axis(const nn::TapeStep& step) {
    Channels x = channels(step, 0);
    if (std::ssize(x) != step.shape.pass[0][step.shape.rank() - 1]) fail(step, "stretches the channels");
    return x;
  }

  Channels joined(const nn::TapeStep& step) {
    Channels all;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const Shape& shape = step.inputs[i].shape.pass[0];
      if (shape.rank() == 0 || shape[shape.rank() - 1] == 1) continue;  // the same number for each channel
      const Channels x = channels(step, i);
      all = all.empty() ? x : tied(step, all, x);
    }
    return all.empty() ? channels(step, 0) : all;
  }

  Channels convolved(const nn::TapeStep& step) {
    const auto& g = std::get<ConvGeometry>(step.node[0]->attributes());
    if (!is_parameter(step, 1)) fail(step, "convolves with weights that were computed");
    const Channels x = channels(step, 0);
    const Channels y = channels(step, 1, 3);
    if (g.groups == 1) {
      tied(step, x, channels(step, 1, 2));
      return y;
    }
    if (x.size() != y.size() || std::ssize(x) != g.groups) fail(step, "has groups of several channels");
    return tied(step, x, y);
  }

  Channels multiplied(const nn::TapeStep& step) {
    const auto& t = std::get<attribute::Transposed>(step.node[0]->attributes());
    const int rank = step.inputs[1].shape.rank();
    if (t.first || rank != 2 || !is_parameter(step, 1))
      fail(step, "multiplies two computed values, as attention does");
    tied(step, channels(step, 0), channels(step, 1, t.second ? 1 : 0));
    return channels(step, 1, t.second ? 0 : 1);
  }

  /// x, gamma, beta, mean, 1/deviation, perhaps a residual.
  Channels normalised(const nn::TapeStep& step) {
    Channels x = tied(step, channels(step, 0), channels(step, 1));
    x = tied(step, x, channels(step, 2));
    if (step.op() == "layer_norm") return x;
    const auto& how = std::get<attribute::Normalisation>(step.node[0]->attributes());
    for (const Tensor& statistic : {step.inputs[3].constant[0], how.var}) {
      const auto known = buffers_.find(statistic.raw());
      if (known == buffers_.end()) fail(step, "normalises by numbers that describe() does not name");
      x = tied(step, x, named(known->second, 0, std::ssize(x)));
    }
    return step.inputs.size() > 5 ? tied(step, x, channels(step, 5)) : x;
  }

  Channels reduced(const nn::TapeStep& step) {
    const auto& how = std::get<attribute::Reduction>(step.node[0]->attributes());
    const int rank = step.inputs[0].shape.rank();
    for (const int axis : how.axes)
      if ((axis < 0 ? axis + rank : axis) == rank - 1) fail(step, "adds channels up");
    if (how.axes.empty()) fail(step, "adds channels up");
    return channels(step, 0);
  }

  /// Rows of all that is in memory order: place j of a longer last axis holds channel j mod C.
  Channels reshaped(const nn::TapeStep& step) {
    const Channels x = channels(step, 0);
    const Index extent = step.shape.pass[0][step.shape.rank() - 1];
    if (x.empty() || extent % std::ssize(x) != 0) fail(step, "cuts the channels apart, as attention's heads");
    Channels y;
    for (Index j = 0; j < extent; ++j) y.push_back(x[static_cast<std::size_t>(j % std::ssize(x))]);
    return y;
  }

  Channels permuted(const nn::TapeStep& step) {
    const int last = std::get<Axes>(step.node[0]->attributes()).back();
    if (last != -1 && last != step.shape.rank() - 1) fail(step, "moves the axis of channels");
    return channels(step, 0);
  }

  Channels cut(const nn::TapeStep& step, bool pads) {
    const auto& block = std::get<attribute::Block>(step.node[0]->attributes());
    const Channels x = channels(step, 0);
    const int last = step.shape.rank() - 1;
    const auto first = static_cast<std::ptrdiff_t>(block.first[last]),
               second = static_cast<std::ptrdiff_t>(block.second[last]);
    if (!pads) return {x.begin() + first, x.begin() + second};
    Channels y(static_cast<std::size_t>(first), kConstant);
    y.insert(y.end(), x.begin(), x.end());
    y.resize(y.size() + static_cast<std::size_t>(second), kConstant);
    return y;
  }

  Channels concatenated(const nn::TapeStep& step) {
    const int axis = std::get<Axes>(step.node[0]->attributes())[0];
    Channels all;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const Channels x = channels(step, i);
      if (axis == step.shape.rank() - 1)
        all.insert(all.end(), x.begin(), x.end());
      else
        all = i == 0 ? x : tied(step, all, x);
    }
    return all;
  }

  /// Elements that stand in the same axes, equally often, make a class.
  std::vector<ChannelClass> grouped() {
    std::map<Element, std::vector<std::pair<std::size_t, Index>>> places;  // root -> (axis, place), rising
    std::vector<Element> order;                                            // of first sight
    for (std::size_t a = 0; a < axes_.size(); ++a)
      for (std::size_t i = 0; i < axes_[a].channels.size(); ++i) {
        const Element e = axes_[a].channels[i];
        if (e == kConstant || fixed_[root(e)]) continue;
        if (places[root(e)].empty()) order.push_back(root(e));
        places[root(e)].emplace_back(a, static_cast<Index>(i));
      }
    std::map<std::vector<std::size_t>, std::size_t> number;
    std::vector<std::vector<Element>> members;
    for (const Element e : order) {
      std::vector<std::size_t> axes;
      for (const auto& [axis, place] : places[e]) axes.push_back(axis);
      const auto [at, made] = number.emplace(axes, members.size());
      if (made) members.emplace_back();
      members[at->second].push_back(e);
    }
    std::vector<ChannelClass> all;
    for (const std::vector<Element>& channels : members) {
      if (channels.size() < 2) continue;
      ChannelClass made{.size = std::ssize(channels)};
      std::size_t before = std::numeric_limits<std::size_t>::max();
      for (std::size_t k = 0; k < places[channels[0]].size(); ++k) {
        const std::size_t a = places[channels[0]][k].first;
        if (axes_[a].tensor.empty()) continue;
        if (a != before) made.uses.push_back({axes_[a].tensor, axes_[a].axis});
        before = a;
        std::vector<Index>& row = made.uses.back().places.emplace_back();
        for (const Element e : channels) row.push_back(places[e][k].second);
      }
      if (!made.uses.empty()) all.push_back(std::move(made));
    }
    return all;
  }

  const nn::Tape& tape_;
  std::unordered_map<const Node*, std::string> parameters_;
  std::unordered_map<const std::byte*, std::string> buffers_;
  std::vector<Element> parent_;
  std::vector<char> fixed_;
  std::vector<Channels> of_value_;  // by step: the last axis
  std::vector<Axis> axes_;
};

}  // namespace

std::vector<ChannelClass> channel_symmetries(nn::Module& model, const Shape& sample) {
  const nn::Tape tape = nn::trace_forward(model, sample, Dtype::f32);
  return Walk(model, tape).classes();
}

}  // namespace basin::apps
