// batch_norm_conv2d_train and batch_norm_conv2d_eval against the two ops that they stand for: the value and
// dL/dw in the same bits, by every instruction set and algorithm of the convolution.
#include <algorithm>
#include <cmath>

#include "autograd/gradients.h"
#include "autograd/ops/ops.h"
#include "core/conv_algorithm.h"
#include "tests/autograd/leaks.h"
#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

struct Case {
  Shape x, w;
  ConvOptions options = {};
};

ConvOptions window(Index stride, Index pad, Index groups = 1) {
  return {.stride_h = stride, .stride_w = stride, .pad_h = pad, .pad_w = pad, .groups = groups};
}

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "x " << c.x << ", w " << c.w << ", stride " << c.options.stride_h << ", pad "
             << c.options.pad_h << ", groups " << c.options.groups;
}

const Case kCases[] = {
    {{5, 8, 8, 16}, {3, 3, 16, 32}, window(1, 1)},    // Winograd, where it is asked for
    {{2, 7, 9, 17}, {3, 3, 17, 19}, window(1, 1)},    // the same, ragged
    {{5, 9, 7, 19}, {3, 3, 19, 20}, window(2, 1)},    // direct
    {{1, 7, 9, 6}, {5, 5, 6, 10}, window(1, 2)},      // direct, one image
    {{5, 7, 9, 25}, {1, 1, 25, 33}, {}},              // a matrix product
    {{1, 14, 15, 512}, {1, 1, 512, 24}, {}},          // the same, its sums in parts
    {{5, 7, 9, 100}, {1, 1, 100, 12}, window(2, 0)},  // 1x1 of stride 2
    {{2, 7, 9, 51}, {3, 3, 17, 30}, window(1, 1, 3)},
    {{5, 7, 9, 35}, {3, 3, 1, 35}, window(1, 1, 35)},  // depthwise
};

enum class Form { train, eval };

/// The inputs of one normalisation and the convolution behind it, and the cotangent of the result.
struct Problem {
  Case c;
  Variable x, gamma, beta, w;
  Tensor mean, var, dy;

  Problem(const Case& which, Dtype dtype) : c(which) {
    const Shape channels{c.x[3]};
    x = Variable::parameter(random(c.x, dtype, 1, -1, 3));
    gamma = Variable::parameter(random(channels, dtype, 2, -1.5, 1.5));
    beta = Variable::parameter(random(channels, dtype, 3));
    w = Variable::parameter(random(c.w, dtype, 4), "w");
    mean = random(channels, dtype, 5, 0.5, 1.5);
    var = random(channels, dtype, 6, 0.5, 1.5);
    dy = random(conv_geometry(c.x, c.w, c.options).y_shape(), dtype, 7);
  }

  Variables inputs() const { return {x, gamma, beta, w}; }

  Variable together(Form form, bool relu) const {
    const BatchNormOptions o{.relu = relu};
    return form == Form::train ? batch_norm_conv2d_train(x, gamma, beta, w, o, c.options).y
                               : batch_norm_conv2d_eval(x, gamma, beta, mean, var, w, o, c.options);
  }
  Variable apart(Form form, bool relu) const {
    const BatchNormOptions o{.relu = relu};
    return conv2d(form == Form::train ? batch_norm_train(x, gamma, beta, o).y
                                      : batch_norm_eval(x, gamma, beta, mean, var, o),
                  w, c.options);
  }

  /// The value, dL/dx, dL/dgamma, dL/dbeta, dL/dw.
  Tensors all_of(const Variable& y) const {
    Tensors all{y.value()};
    for (const Tensor& g : gradients(y, inputs(), {.cotangent = dy})) all.push_back(g);
    return all;
  }
};

/// The largest difference over the largest entry.
double distance(const Tensor& got, const Tensor& want) {
  double largest = 0;
  for (double v : values_of(want)) largest = std::max(largest, std::abs(v));
  double error = 0;
  const Values a = values_of(got), b = values_of(want);
  for (std::size_t i = 0; i < b.size(); ++i) error = std::max(error, std::abs(a[i] - b[i]));
  return error / largest;
}

void check(const Tensors& got, const Tensors& want) {
  CHECK(same_bits(got[0], want[0]));
  CHECK(same_bits(got[4], want[4]));
  // The sums over a channel may be formed in another order: dgamma and dbeta, and dx, which holds them.
  const double rounding = got[0].dtype() == Dtype::f32 ? 1e-5 : 1e-13;
  for (std::size_t i : {1, 2, 3}) {
    CAPTURE(i);
    CHECK(distance(got[i], want[i]) <= rounding);
  }
}

template <class Body>
void for_forms(Body body) {
  for (Form form : {Form::train, Form::eval})
    for (bool relu : {false, true}) {
      const bool train = form == Form::train;
      CAPTURE(train);
      CAPTURE(relu);
      body(form, relu);
    }
}

}  // namespace

TEST_CASE("batch norm and the convolution behind it: one op gives what the two give") {
  const NoLeaks no_leaks;
  for (const Case& c : kCases)
    for (Dtype dtype : kBothDtypes) {
      CAPTURE(c);
      CAPTURE(dtype);
      const Problem problem(c, dtype);
      for_instruction_sets([&] {
        for (ConvAlgorithm algorithm :
             {ConvAlgorithm::direct, ConvAlgorithm::winograd2, ConvAlgorithm::winograd4}) {
          const std::string how = name_of(algorithm);
          CAPTURE(how);
          const WithConvAlgorithm with(algorithm);
          for_forms([&](Form form, bool relu) {
            check(problem.all_of(problem.together(form, relu)), problem.all_of(problem.apart(form, relu)));
          });
        }
      });
    }
}

TEST_CASE("batch norm and the convolution behind it: the same bits for any number of threads") {
  const WithConvAlgorithm with(ConvAlgorithm::winograd4);
  for (const Case& c : kCases) {
    CAPTURE(c);
    const Problem problem(c, Dtype::f32);
    for_forms([&](Form form, bool relu) {
      Tensors one;
      for (int threads : {1, 2, 3}) {
        CAPTURE(threads);
        const WithThreads now(threads);
        const Tensors all = problem.all_of(problem.together(form, relu));
        if (threads == 1) one = all;
        for (std::size_t i = 0; i < all.size(); ++i) CHECK(same_bits(all[i], one[i]));
      }
    });
  }
}

TEST_CASE("batch norm and the convolution behind it: each gradient by itself is the one of all") {
  const Problem problem(kCases[1], Dtype::f32);
  for_forms([&](Form form, bool relu) {
    const Tensors all = problem.all_of(problem.together(form, relu));
    const Variables inputs = problem.inputs();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      CAPTURE(i);
      // The others are constants, as a frozen network's are.
      Problem some = problem;
      Variable* const parts[] = {&some.x, &some.gamma, &some.beta, &some.w};
      for (std::size_t k = 0; k < inputs.size(); ++k)
        if (k != i) *parts[k] = parts[k]->detach();
      const Tensors alone = gradients(some.together(form, relu), {*parts[i]}, {.cotangent = problem.dy});
      CHECK(same_bits(alone[0], all[i + 1]));
    }
  });
}

TEST_CASE("batch norm and the convolution behind it: the statistics are those of the batch") {
  const Problem problem(kCases[1], Dtype::f32);
  const BatchNormResult one =
      batch_norm_conv2d_train(problem.x, problem.gamma, problem.beta, problem.w, {}, problem.c.options);
  const BatchNormResult two = batch_norm_train(problem.x, problem.gamma, problem.beta);
  CHECK(same_bits(one.mean, two.mean));
  CHECK(same_bits(one.var, two.var));
}

TEST_CASE("batch norm and the convolution behind it: an x with other uses keeps its numbers") {
  // The gradient of z is replaced in its place by that of x: nothing that others hold may be touched.
  for_forms([&](Form form, bool relu) {
    const Problem problem({{2, 4, 5, 16}, {1, 1, 16, 16}, {}}, Dtype::f64);
    const Tensor x_before = problem.x.value().clone(), dy_before = problem.dy.clone();
    const auto gradient = [&](const Variable& y) {
      return gradients(y + problem.x, {problem.x}, {.cotangent = problem.dy})[0];
    };
    CHECK(distance(gradient(problem.together(form, relu)), gradient(problem.apart(form, relu))) < 1e-13);
    CHECK(same_bits(problem.x.value(), x_before));
    CHECK(same_bits(problem.dy, dy_before));
  });
}

TEST_CASE("batch norm and the convolution behind it: weights that moved in between are an error") {
  const NoLeaks no_leaks;
  for_forms([&](Form form, bool relu) {
    const Problem problem(kCases[1], Dtype::f32);
    const Variable y = problem.together(form, relu);
    Tensor weight = problem.w.value();
    weight.fill(1);
    const std::string op = form == Form::train ? "[batch_norm_conv2d_train]" : "[batch_norm_conv2d_eval]";
    const std::string message = op + " 'w' changed after it was used in forward; compute the loss again";
    CHECK_THROWS_WITH_AS(gradients(y, {problem.x}, {.cotangent = problem.dy}), message.c_str(),
                         ArgumentError);
  });
}
