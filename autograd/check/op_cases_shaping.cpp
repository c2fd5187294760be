// Rows of the table: reductions, shaping, indexing.
#include "autograd/check/op_cases_support.h"

namespace basin {
namespace {

using Reduction = Variable (*)(const Variable&, const Axes&, bool);

OpCase reduction(const std::string& name, Reduction f, bool empty_too) {
  struct Place {
    Shape shape;
    Axes axes;
  };
  std::vector<Place> places{{{}, {}},
                            {{1}, {}},
                            {{1}, {0}},
                            {{7}, {0}},
                            {{2, 3, 5}, {}},
                            {{2, 3, 5}, {0}},
                            {{2, 3, 5}, {1}},
                            {{2, 3, 5}, {-1}},
                            {{2, 3, 5}, {0, 2}},
                            {{2, 3, 5}, {2, 1}},
                            {{2, 3, 2, 3}, {1, 2}},
                            {{3, 1}, {1}}};
  if (empty_too) places.push_back({{0, 3}, {0}});
  places.push_back({{3, 0}, {0}});
  OpCase row{name, {name + "(Variable, Axes, bool)"}, {}};
  Draws draws(21);
  for (const auto& [shape, axes] : places)
    for (bool keep : {false, true}) {
      std::string over = axes.empty() ? "all axes" : "axes";
      for (int a : axes) over += text(' ', a);
      row.instances.push_back({text(shape, " over ", over, keep ? ", kept" : ""),
                               [f, axes = axes, keep](const Variables& in) { return f(in[0], axes, keep); },
                               {draws.distinct(shape, 0.1)}});
    }
  return row;
}

/// A row of one function at several input lists.
class Row {
 public:
  Row(const std::string& name, const std::string& declaration) : case_{name, {declaration}, {}} {}
  Row& at(const std::string& label, Tensors inputs, Function f) {
    case_.instances.push_back({label, std::move(f), std::move(inputs)});
    return *this;
  }
  operator OpCase() const { return case_; }

 private:
  OpCase case_;
};

Tensor indices(const std::vector<Index>& values) { return Tensor::from(values); }

OpCase dots() {
  Draws d(22);
  const Function f = [](const Variables& in) { return dot(in[0], in[1]); };
  return Row("dot", "dot(Variable, Variable)")
      .at("{}", {d.normal({}), d.normal({})}, f)
      .at("{2,3}", {d.normal({2, 3}), d.normal({2, 3})}, f)
      .at("{0}", {d.normal({0}), d.normal({0})}, f)
      .at("with itself", {d.normal({5})}, [](const Variables& in) { return dot(in[0], in[0]); });
}

OpCase dots_of_lists() {
  Draws d(23);
  return Row("dot_lists", "dot(Variables, Variables)")
      .at("one pair", {d.normal({3}), d.normal({3})},
          [](const Variables& in) { return dot(Variables{in[0]}, Variables{in[1]}); })
      .at("two pairs of different shapes", {d.normal({2, 3}), d.normal({1}), d.normal({2, 3}), d.normal({1})},
          [](const Variables& in) {
            return dot(Variables{in[0], in[1]}, Variables{in[2], in[3]});
          });
}

OpCase reshapes() {
  Draws d(24);
  const auto to = [](const Shape& s) {
    return [s](const Variables& in) { return reshape(in[0], s) * in[1]; };
  };
  return Row("reshape", "reshape(Variable, Shape)")
      .at("{} to {1,1}", {d.normal({}), d.normal({1, 1})}, to({1, 1}))
      .at("{2,6} to {3,4}", {d.normal({2, 6}), d.normal({3, 4})}, to({3, 4}))
      .at("{3} to {3}", {d.normal({3}), d.normal({3})}, to({3}))
      .at("{0,3} to {5,0}", {d.normal({0, 3}), d.normal({5, 0})}, to({5, 0}));
}

OpCase permutes() {
  Draws d(25);
  const auto by = [](const Axes& p) { return [p](const Variables& in) { return permute(in[0], p); }; };
  return Row("permute", "permute(Variable, Axes)")
      .at("{}", {d.normal({})}, by({}))
      .at("{2,3}", {d.normal({2, 3})}, by({1, 0}))
      .at("{2,3,5} by 2 0 1", {d.normal({2, 3, 5})}, by({2, 0, 1}))
      .at("{2,3,1,2} by -1 0 1 -2", {d.normal({2, 3, 1, 2})}, by({-1, 0, 1, -2}))
      .at("{0,3}", {d.normal({0, 3})}, by({1, 0}));
}

OpCase transposes() {
  Draws d(26);
  const Function f = [](const Variables& in) { return transpose(in[0]); };
  return Row("transpose", "transpose(Variable)")
      .at("{1,1}", {d.normal({1, 1})}, f)
      .at("{2,3}", {d.normal({2, 3})}, f)
      .at("{2,3,5}", {d.normal({2, 3, 5})}, f);
}

OpCase slices() {
  Draws d(27);
  const auto block = [](const Shape& from, const Shape& to) {
    return [=](const Variables& in) { return slice(in[0], from, to); };
  };
  return Row("slice", "slice(Variable, Shape, Shape)")
      .at("{} whole", {d.normal({})}, block({}, {}))
      .at("{5} middle", {d.normal({5})}, block({1}, {4}))
      .at("{2,3,5} block", {d.normal({2, 3, 5})}, block({1, 0, 2}, {2, 3, 4}))
      .at("{2,3} to nothing", {d.normal({2, 3})}, block({1, 1}, {1, 3}));
}

OpCase pads() {
  Draws d(28);
  const auto by = [](const Shape& before, const Shape& after) {
    return [=](const Variables& in) { return pad(in[0], before, after); };
  };
  return Row("pad", "pad(Variable, Shape, Shape)")
      .at("{1}", {d.normal({1})}, by({2}, {1}))
      .at("{2,3,5}", {d.normal({2, 3, 5})}, by({0, 1, 2}, {1, 0, 3}))
      .at("{0,2}", {d.normal({0, 2})}, by({1, 0}, {1, 1}));
}

OpCase concats() {
  Draws d(29);
  const auto along = [](int axis) { return [axis](const Variables& in) { return concat(in, axis); }; };
  Tensors ten;
  for (Index i = 0; i < 10; ++i) ten.push_back(d.normal({2, i % 3}));
  return Row("concat", "concat(Variables, int)")
      .at("one part", {d.normal({3})}, along(0))
      .at("{2,3} {1,3} along 0", {d.normal({2, 3}), d.normal({1, 3})}, along(0))
      .at("three along -1", {d.normal({2, 2}), d.normal({2, 1}), d.normal({2, 5})}, along(-1))
      .at("ten, some empty", ten, along(1))
      .at("the same part twice", {d.normal({2, 3})}, [](const Variables& in) {
        return square(concat({in[0], in[0]}, 0));
      });
}

OpCase broadcasts() {
  Draws d(30);
  const auto to = [](const Shape& s) { return [s](const Variables& in) { return broadcast_to(in[0], s); }; };
  return Row("broadcast_to", "broadcast_to(Variable, Shape)")
      .at("{} to {2,3}", {d.normal({})}, to({2, 3}))
      .at("{2,1,5} to {4,2,3,5}", {d.normal({2, 1, 5})}, to({4, 2, 3, 5}))
      .at("{3} to {3}", {d.normal({3})}, to({3}))
      .at("{1} to {0,1}", {d.normal({1})}, to({0, 1}));
}

OpCase sums_to() {
  Draws d(31);
  const auto to = [](const Shape& s) { return [s](const Variables& in) { return sum_to(in[0], s); }; };
  return Row("sum_to", "sum_to(Variable, Shape)")
      .at("{2,3} to {}", {d.normal({2, 3})}, to({}))
      .at("{4,2,3,5} to {2,1,5}", {d.normal({4, 2, 3, 5})}, to({2, 1, 5}))
      .at("{1,3} to {3}", {d.normal({1, 3})}, to({3}))
      .at("{0,3} to {3}", {d.normal({0, 3})}, to({3}));
}

OpCase gathers() {
  Draws d(32);
  const auto at = [](std::vector<Index> i, int axis) {
    return
        [index = indices(i), axis](const Variables& in) { return gather(in[0], beside(in[0], index), axis); };
  };
  return Row("gather", "gather(Variable, Tensor, int)")
      .at("{1}", {d.normal({1})}, at({0}, 0))
      .at("{4,3} rows with repeats", {d.normal({4, 3})}, at({2, 0, 2, 2, 3}, 0))
      .at("{2,4,3} middle", {d.normal({2, 4, 3})}, at({3, 1}, 1))
      .at("{2,5} last", {d.normal({2, 5})}, at({4, 4, 0}, -1))
      .at("{2,5} nothing", {d.normal({2, 5})}, at({}, 0));
}

OpCase scatters() {
  Draws d(33);
  const auto at = [](std::vector<Index> i, int axis, Index extent) {
    return [=, index = indices(i)](const Variables& in) {
      return scatter_add(in[0], beside(in[0], index), axis, extent);
    };
  };
  return Row("scatter_add", "scatter_add(Variable, Tensor, int, Index)")
      .at("{1}", {d.normal({1})}, at({0}, 0, 1))
      .at("{5,3} rows with repeats", {d.normal({5, 3})}, at({2, 0, 2, 2, 3}, 0, 4))
      .at("{2,2,3} middle", {d.normal({2, 2, 3})}, at({3, 1}, 1, 6))
      .at("{2,3} last", {d.normal({2, 3})}, at({4, 4, 0}, -1, 5));
}

OpCase gathers_last() {
  Draws d(34);
  const auto at = [](std::vector<Index> i, const Shape& s) {
    return [index = Tensor::from(i, s)](const Variables& in) {
      return gather_last(in[0], beside(in[0], index));
    };
  };
  return Row("gather_last", "gather_last(Variable, Tensor)")
      .at("{1}", {d.normal({1})}, at({0}, {1}))
      .at("{3,4} one each", {d.normal({3, 4})}, at({1, 3, 0}, {3, 1}))
      .at("{2,2,3} with repeats", {d.normal({2, 2, 3})}, at({0, 0, 2, 1, 1, 1, 0, 2}, {2, 2, 2}));
}

OpCase scatters_last() {
  Draws d(35);
  const auto at = [](std::vector<Index> i, const Shape& s, Index extent) {
    return [=, index = Tensor::from(i, s)](const Variables& in) {
      return scatter_add_last(in[0], beside(in[0], index), extent);
    };
  };
  return Row("scatter_add_last", "scatter_add_last(Variable, Tensor, Index)")
      .at("{1}", {d.normal({1})}, at({0}, {1}, 1))
      .at("{3,1} one each", {d.normal({3, 1})}, at({1, 3, 0}, {3, 1}, 4))
      .at("{2,2,2} with repeats", {d.normal({2, 2, 2})}, at({0, 0, 2, 1, 1, 1, 0, 2}, {2, 2, 2}, 3));
}

}  // namespace

std::vector<OpCase> reduction_cases() {
  return {reduction("sum", sum, true), reduction("mean", mean, false), reduction("max", max, false), dots(),
          dots_of_lists()};
}

std::vector<OpCase> shaping_cases() {
  return {reshapes(),   permutes(), transposes(), slices(),   pads(),         concats(),
          broadcasts(), sums_to(),  gathers(),    scatters(), gathers_last(), scatters_last()};
}

}  // namespace basin
