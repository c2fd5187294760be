// Values of reductions, shaping and indexing against loops.
#include <limits>

#include "autograd/check/op_cases_support.h"
#include "tests/autograd/naive.h"

namespace basin {

using naive::Array;
using Place = std::vector<Index>;

namespace {

/// An array of `shape` whose element at a place is f(place).
Array built(const Shape& shape, const std::function<double(const Place&)>& f) {
  Array out(shape);
  naive::for_places(shape, [&](const Place& p) { out(p) = f(p); });
  return out;
}

void add_reductions(std::vector<ValueCase>& all) {
  Draws d(71);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [shape, axes] : std::vector<std::pair<Shape, Axes>>{{{}, {}},
                                                                       {{5}, {}},
                                                                       {{2, 3, 5}, {}},
                                                                       {{2, 3, 5}, {1}},
                                                                       {{2, 3, 5}, {-1, 0}},
                                                                       {{2, 3, 5, 7}, {0, 1, 2}}})
    for (bool keep : {false, true}) {
      const Tensor x = d.normal(shape);
      const Array a(x);
      const Array total = naive::fold(a, axes, keep, 0, [](double s, double v) { return s + v; });
      const double count = static_cast<double>(a.values.size() / total.values.size());
      all.push_back(
          {"sum", [=, axes = axes](const Variables& in) { return sum(in[0], axes, keep); }, {x}, total});
      all.push_back({"mean",
                     [=, axes = axes](const Variables& in) { return mean(in[0], axes, keep); },
                     {x},
                     naive::map(total, [=](double v) { return v / count; })});
      all.push_back(
          {"max",
           [=, axes = axes](const Variables& in) { return max(in[0], axes, keep); },
           {x},
           naive::fold(a, axes, keep, -infinity, [](double m, double v) { return v > m ? v : m; })});
    }
  const Tensor x = d.normal({2, 3}), y = d.normal({2, 3});
  const Array products = naive::zip(Array(x), Array(y), [](double a, double b) { return a * b; });
  const Array product = naive::fold(products, {}, false, 0, [](double s, double v) { return s + v; });
  all.push_back({"dot", [](const Variables& in) { return dot(in[0], in[1]); }, {x, y}, product});
  all.push_back({"dot_lists",
                 [](const Variables& in) {
                   return dot(Variables{in[0], in[1]}, Variables{in[1], in[0]});
                 },
                 {x, y},
                 naive::map(product, [](double v) { return 2 * v; })});
}

void add_shaping(std::vector<ValueCase>& all) {
  Draws d(72);
  const Tensor t = d.normal({2, 3, 5}), u = d.normal({2, 1, 5});
  const Array x(t), z(u);
  Array flat = x;
  flat.shape = {6, 5};
  all.push_back({"reshape", [](const Variables& in) { return reshape(in[0], {6, 5}); }, {t}, flat});
  all.push_back({"permute",
                 [](const Variables& in) {
                   return permute(in[0], {2, 0, -2});
                 },
                 {t},
                 built({5, 2, 3}, [&](const Place& p) {
                   return x({p[1], p[2], p[0]});
                 })});
  all.push_back({"transpose",
                 [](const Variables& in) { return transpose(in[0]); },
                 {t},
                 built({2, 5, 3}, [&](const Place& p) {
                   return x({p[0], p[2], p[1]});
                 })});
  all.push_back({"slice",
                 [](const Variables& in) {
                   return slice(in[0], {1, 0, 2}, {2, 2, 5});
                 },
                 {t},
                 built({1, 2, 3}, [&](const Place& p) {
                   return x({p[0] + 1, p[1], p[2] + 2});
                 })});
  all.push_back({"pad",
                 [](const Variables& in) {
                   return pad(in[0], {0, 1, 0}, {1, 0, 2});
                 },
                 {t},
                 built({3, 4, 7}, [&](const Place& p) {
                   return p[0] < 2 && p[1] >= 1 && p[2] < 5 ? x({p[0], p[1] - 1, p[2]}) : 0;
                 })});
  all.push_back({"concat",
                 [](const Variables& in) {
                   return concat({in[0], in[1], in[0]}, -2);
                 },
                 {t, u},
                 built({2, 7, 5}, [&](const Place& p) {
                   return p[1] == 3 ? z({p[0], 0, p[2]}) : x({p[0], p[1] < 3 ? p[1] : p[1] - 4, p[2]});
                 })});
  all.push_back({"broadcast_to",
                 [](const Variables& in) {
                   return broadcast_to(in[0], {4, 2, 3, 5});
                 },
                 {u},
                 naive::broadcast(z, {4, 2, 3, 5})});
  all.push_back({"sum_to",
                 [](const Variables& in) {
                   return sum_to(in[0], {2, 1, 5});
                 },
                 {t},
                 naive::fold(x, {1}, true, 0, [](double s, double v) { return s + v; })});
}

void add_indexing(std::vector<ValueCase>& all) {
  Draws d(73);
  const Tensor t = d.normal({2, 3, 4});
  const Array x(t);
  const std::vector<Index> i{2, 0, 2};
  const Tensor index = Tensor::from(i);
  all.push_back({"gather",
                 [index](const Variables& in) { return gather(in[0], index, 1); },
                 {t},
                 built({2, 3, 4}, [&](const Place& p) {
                   return x({p[0], i[static_cast<std::size_t>(p[1])], p[2]});
                 })});
  Array scattered({2, 5, 4});
  naive::for_places(x.shape, [&](const Place& p) {
    scattered({p[0], i[static_cast<std::size_t>(p[1])], p[2]}) += x(p);
  });
  all.push_back({"scatter_add",
                 [index](const Variables& in) { return scatter_add(in[0], index, 1, 5); },
                 {t},
                 scattered});

  const std::vector<Index> j{3, 0, 1, 1, 2, 3, 0, 0, 2, 1, 1, 3};
  const Tensor places = Tensor::from(j, {2, 3, 2});
  const auto chosen = [&](const Place& p) {
    return j[static_cast<std::size_t>((p[0] * 3 + p[1]) * 2 + p[2])];
  };
  all.push_back({"gather_last",
                 [places](const Variables& in) { return gather_last(in[0], places); },
                 {t},
                 built({2, 3, 2}, [&](const Place& p) {
                   return x({p[0], p[1], chosen(p)});
                 })});
  const Tensor small = d.normal({2, 3, 2});
  const Array s(small);
  Array spread({2, 3, 5});
  naive::for_places(s.shape, [&](const Place& p) { spread({p[0], p[1], chosen(p)}) += s(p); });
  all.push_back({"scatter_add_last",
                 [places](const Variables& in) { return scatter_add_last(in[0], places, 5); },
                 {small},
                 spread});
}

}  // namespace

std::vector<ValueCase> shaping_values() {
  std::vector<ValueCase> all;
  add_reductions(all);
  add_shaping(all);
  add_indexing(all);
  return all;
}

}  // namespace basin
