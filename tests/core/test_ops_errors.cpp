// Every misuse of a tensor function is one line that names the function, the shapes and the mistake.
#include <functional>

#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

Tensor f32(const Shape& s) { return Tensor::zeros(s); }
Tensor f64(const Shape& s) { return Tensor::zeros(s, Dtype::f64); }
Tensor i64(const std::vector<Index>& v) { return Tensor::from(v); }

ConvGeometry geometry(const Shape& x, const Shape& w, const ConvOptions& o = {}) {
  return conv_geometry(x, w, o);
}
ConvGeometry pooling(const Shape& x, Index kernel, const ConvOptions& o = {}) {
  return pool_geometry(x, kernel, kernel, o, "max_pool");
}

struct Misuse {
  std::function<void()> call;
  const char* message;
};

const Misuse kMisuses[] = {
    {[] { unary(UnaryOp::exp, Tensor()); }, "[exp] x is an undefined tensor"},
    {[] { unary(UnaryOp::exp, i64({1})); }, "[exp] x is i64, expects f32 or f64 (convert with to())"},
    {[] {
       f32({2, 3}) + f32({4});
     },
     "[add] shapes {2,3} and {4} do not broadcast: 3 against 4"},
    {[] { f32({2}) * f64({2}); }, "[mul] x is f32 {2} but z is f64 {2}: convert one with to()"},
    {[] { f32({2}) / Tensor(); }, "[div] z is an undefined tensor"},
    {[] { where(i64({1}), f32({1}), f32({1})); }, "[where] condition is i64, expects f32 or u8"},
    {[] { where(f32({3}), f32({2}), f32({})); }, "[where] shapes {3} and {2} do not broadcast: 3 against 2"},
    {[] {
       sum(f32({2, 3}), {2});
     },
     "[sum] axis 2 is outside shape {2,3}"},
    {[] {
       sum(f32({2, 3}), {0, -2});
     },
     "[sum] axis 0 is given twice, shape {2,3}"},
    {[] { sum(i64({1})); }, "[sum] x is i64, expects f32 or f64 (convert with to())"},
    {[] { argmax(f32({2}), 1); }, "[argmax] axis 1 is outside shape {2}"},
    {[] {
       count_correct(f32({2, 3}), i64({1}));
     },
     "[count_correct] expects logits {N,K} and labels i64 {N}, got {2,3} and i64 {1}"},
    {[] {
       broadcast_to(f32({3}), {3, 2});
     },
     "[broadcast_to] shapes {3} and {3,2} do not broadcast: 3 against 2"},
    {[] {
       broadcast_to(f32({3, 2}), {2});
     },
     "[broadcast_to] {3,2} does not stretch to {2}"},
    {[] { broadcast_to(f32({2}), {1}); }, "[broadcast_to] {2} does not stretch to {1}"},
    {[] {
       sum_to(f32({2}), {2, 2});
     },
     "[sum_to] {2} is not a broadcast of {2,2}"},
    {[] {
       sum_to(f32({2, 1}), {3});
     },
     "[sum_to] {2,1} is not a broadcast of {3}"},
    {[] {
       permute(f32({2, 3}), {0});
     },
     "[permute] expects each of the 2 axes of {2,3} once, got 1 axes"},
    {[] {
       permute(f32({2, 3}), {1, 1});
     },
     "[permute] expects each of the 2 axes of {2,3} once, got 2 axes"},
    {[] {
       permute(f32({2, 3}), {0, 2});
     },
     "[permute] axis 2 is outside shape {2,3}"},
    {[] {
       slice(f32({2, 3}), {0, 0}, {2, 4});
     },
     "[slice] block from {0,0} to {2,4} is not inside shape {2,3}"},
    {[] {
       slice(f32({2, 3}), {0}, {1});
     },
     "[slice] block from {0} to {1} is not inside shape {2,3}"},
    {[] { slice(f32({2}), {2}, {1}); }, "[slice] block from {2} to {1} is not inside shape {2}"},
    {[] {
       pad(f32({2}), {1, 1}, {0});
     },
     "[pad] expects 1 counts before and after for shape {2}, got {1,1} and {0}"},
    {[] { concat({}, 0); }, "[concat] no tensors to join"},
    {[] {
       concat({f32({2, 3}), f32({2, 4})}, 0);
     },
     "[concat] shapes {2,3} and {2,4} differ outside axis 0"},
    {[] {
       concat({f32({2}), f64({2})}, 0);
     },
     "[concat] part 0 is f32 {2} but part 1 is f64 {2}: convert one with to()"},
    {[] { concat({f32({2})}, 1); }, "[concat] axis 1 is outside shape {2}"},
    {[] {
       gather(f32({3}), i64({0, 3}), 0);
     },
     "[gather] index 3 at position 1 is outside [0, 3)"},
    {[] { gather(f32({3}), i64({-1}), 0); }, "[gather] index -1 at position 0 is outside [0, 3)"},
    {[] { gather(f32({3}), f32({1}), 0); }, "[gather] index is f32, expects i64"},
    {[] {
       gather(f32({3}), Tensor::zeros({1, 1}, Dtype::i64), 0);
     },
     "[gather] index has shape {1,1}, expects one axis"},
    {[] {
       scatter_add(f32({2}), i64({0, 5}), 0, 5);
     },
     "[scatter_add] index 5 at position 1 is outside [0, 5)"},
    {[] { scatter_add(f32({2}), i64({0}), 0, 5); },
     "[scatter_add] index has shape {1}, axis 0 of x {2} expects {2}"},
    {[] {
       scatter_add(f32({2}), i64({0, 0}), 0, -1);
     },
     "[scatter_add] extent is 0 or more, got -1"},
    {[] {
       gather_last(f32({2, 3}), i64({0}));
     },
     "[gather_last] index {1} and x {2,3} differ outside the last axis"},
    {[] { gather_last(f32({3}), i64({7})); }, "[gather_last] index 7 at position 0 is outside [0, 3)"},
    {[] { scatter_add_last(f32({2}), i64({0}), 3); }, "[scatter_add_last] index has shape {1}, expects {2}"},
    {[] { scatter_add_last(f32({1}), i64({3}), 3); },
     "[scatter_add_last] index 3 at position 0 is outside [0, 3)"},
    {[] {
       one_hot(i64({0, 10}), 10, Dtype::f32);
     },
     "[one_hot] label 10 at position 1 is outside [0, 10)"},
    {[] { one_hot(i64({-1}), 10, Dtype::f32); }, "[one_hot] label -1 at position 0 is outside [0, 10)"},
    {[] { one_hot(i64({0}), 0, Dtype::f32); }, "[one_hot] expects at least one class, got 0"},
    {[] { one_hot(i64({0}), 2, Dtype::u8); }, "[one_hot] expects f32 or f64, got u8"},
    {[] {
       matmul(f32({2, 3}), f32({4, 5}));
     },
     "[matmul] inner extents differ, 3 and 4 (a {2,3}, b {4,5})"},
    {[] {
       matmul(f32({2, 3}), f32({2, 3}), true, true);
     },
     "[matmul] inner extents differ, 2 and 3 (a {2,3} transposed, b {2,3} transposed)"},
    {[] {
       matmul(f32({3}), f32({3, 1}));
     },
     "[matmul] expects two axes or more, got a {3} and b {3,1}"},
    {[] {
       matmul(f32({2, 3, 4}), f32({5, 4, 3}));
     },
     "[matmul] leading axes differ: a {2,3,4}, b {5,4,3}"},
    {[] {
       matmul(f32({2, 2}), f64({2, 2}));
     },
     "[matmul] a is f32 {2,2} but b is f64 {2,2}: convert one with to()"},
    {[] {
       geometry({8, 32, 32, 3}, {3, 3, 16, 16});
     },
     "[conv2d] weight expects 16 input channels, x has 3 (x {8,32,32,3}, weight {3,3,16,16})"},
    {[] {
       geometry({8, 32, 32, 6}, {3, 3, 2, 16}, {.groups = 2});
     },
     "[conv2d] weight expects 4 input channels, x has 6 (x {8,32,32,6}, weight {3,3,2,16}, groups 2)"},
    {[] {
       geometry({8, 32, 32, 3}, {3, 3, 1, 4}, {.groups = 2});
     },
     "[conv2d] 2 groups do not divide 3 input and 4 output channels"},
    {[] {
       geometry({8, 32, 32}, {3, 3, 3, 16});
     },
     "[conv2d] expects x {N,H,W,C} and weight {KH,KW,C/groups,K}, got {8,32,32} and {3,3,3,16}"},
    {[] {
       geometry({8, 2, 9, 3}, {3, 3, 3, 16});
     },
     "[conv2d] the window of 3 is larger than the image, 2 + 2*0 pixels (x {8,2,9,3})"},
    {[] {
       geometry({8, 9, 9, 3}, {3, 3, 3, 16}, {.stride_h = 0});
     },
     "[conv2d] strides are 1 or more, got 0x1"},
    {[] {
       geometry({8, 9, 9, 3}, {3, 3, 3, 16}, {.pad_w = -1});
     },
     "[conv2d] padding is 0 or more, got 0x-1"},
    {[] {
       geometry({8, 9, 9, 3}, {3, 3, 3, 16}, {.groups = 0});
     },
     "[conv2d] groups are 1 or more, got 0"},
    {[] {
       geometry({8, 9, 9, 3}, {0, 3, 3, 16});
     },
     "[conv2d] kernel and channels are 1 or more (x {8,9,9,3}, weight {0,3,3,16})"},
    {[] {
       conv2d(f32({1, 5, 5, 2}), f32({3, 3, 2, 4}), geometry({1, 6, 5, 2}, {3, 3, 2, 4}));
     },
     "[conv2d] x has shape {1,5,5,2}, expects {1,6,5,2}"},
    {[] {
       conv2d_input_grad(f32({1, 5, 5, 4}), f32({3, 3, 2, 4}), geometry({1, 5, 5, 2}, {3, 3, 2, 4}));
     },
     "[conv2d_input_grad] dy has shape {1,5,5,4}, expects {1,3,3,4}"},
    {[] {
       conv2d_weight_grad(f32({1, 5, 5, 3}), f32({1, 3, 3, 4}), geometry({1, 5, 5, 2}, {3, 3, 2, 4}));
     },
     "[conv2d_weight_grad] x has shape {1,5,5,3}, expects {1,5,5,2}"},
    {[] {
       pooling({1, 5, 5}, 2);
     },
     "[max_pool] expects x {N,H,W,C}, got {1,5,5}"},
    {[] {
       pooling({1, 5, 5, 1}, 0);
     },
     "[max_pool] the window is 1x1 or more, got 0x0"},
    {[] {
       pooling({1, 5, 5, 1}, 2, {.pad_h = 2});
     },
     "[max_pool] padding 2x0 is not smaller than the window 2x2: some windows would see no pixel"},
    {[] {
       pooling({1, 5, 5, 1}, 6);
     },
     "[max_pool] the window of 6 is larger than the image, 5 + 2*0 pixels (x {1,5,5,1})"},
    {[] {
       pooling({1, 5, 5, 4}, 2, {.groups = 2});
     },
     "[max_pool] pooling has no groups, got 2"},
    {[] { dot(f32({2}), f32({3})); }, "[dot] x {2} and y {3} have different element counts"},
    {[] { dot(f32({2}), f64({2})); }, "[dot] x is f32 {2} but y is f64 {2}: convert one with to()"},
    {[] { norm(i64({1})); }, "[norm] x is i64, expects f32 or f64 (convert with to())"},
    {[] { all_finite(Tensor()); }, "[all_finite] x is an undefined tensor"},
    {[] {
       Tensor y = f32({3});
       axpby(1, f32({2}), 1, y);
     },
     "[axpby] x {2} and y {3} have different element counts"},
};

TEST_CASE("misuse is an argument error of one clear line") {
  for (const Misuse& m : kMisuses) CHECK_THROWS_WITH_AS(m.call(), m.message, ArgumentError);
}

TEST_CASE("an operation outside its enumeration is an internal error") {
  CHECK_THROWS_AS(unary(UnaryOp::count_, f32({1})), InternalError);
  CHECK_THROWS_AS(binary(static_cast<BinaryOp>(-1), f32({1}), f32({1})), InternalError);
  CHECK_THROWS_AS(reduce(ReduceOp::count_, f32({1})), InternalError);
}

TEST_CASE("every operation has a name of its own") {
  std::vector<std::string> names;
  for (int i = 0; i < static_cast<int>(UnaryOp::count_); ++i)
    names.push_back(name_of(static_cast<UnaryOp>(i)));
  for (int i = 0; i < static_cast<int>(BinaryOp::count_); ++i)
    names.push_back(name_of(static_cast<BinaryOp>(i)));
  for (int i = 0; i < static_cast<int>(ReduceOp::count_); ++i)
    names.push_back(name_of(static_cast<ReduceOp>(i)));
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  CHECK(std::find(names.begin(), names.end(), "?") == names.end());
}

TEST_CASE("conv2d output sizes") {
  const ConvGeometry g = geometry({2, 33, 32, 4}, {3, 5, 2, 6},
                                  {.stride_h = 2, .stride_w = 1, .pad_h = 1, .pad_w = 0, .groups = 2});
  CHECK(g.y_shape() == Shape{2, 17, 28, 6});
  CHECK(g.w_shape() == Shape{3, 5, 2, 6});
  CHECK(conv2d(f32({0, 5, 5, 2}), f32({3, 3, 2, 4}), geometry({0, 5, 5, 2}, {3, 3, 2, 4})).shape() ==
        Shape{0, 3, 3, 4});
  CHECK(values_of(conv2d_weight_grad(f32({0, 5, 5, 1}), f32({0, 3, 3, 1}),
                                     geometry({0, 5, 5, 1}, {3, 3, 1, 1}))) == Values(9, 0));
}

}  // namespace
