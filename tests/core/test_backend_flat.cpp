// Flat vectors: sums in f64, SGD and Adam against their recurrences written out.
#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

const Index kLengths[] = {0, 1, 5, 16, 63, 64, 65, 1000, 20011};

TEST_CASE("dot and norm accumulate in f64") {
  for_instruction_sets([] {
    for (Index n : kLengths)
      for (Dtype dtype : kBothDtypes) {
        CAPTURE(n);
        const Tensor x = random({n}, dtype, 1), y = random({n}, dtype, 2);
        const Values px = values_of(x), py = values_of(y);
        long double want = 0, magnitude = 0, square = 0;
        for (std::size_t i = 0; i < px.size(); ++i) {
          want += static_cast<long double>(px[i]) * py[i];
          magnitude += std::fabs(px[i] * py[i]);
          square += static_cast<long double>(px[i]) * px[i];
        }
        CHECK(std::fabs(dot(x, y) - static_cast<double>(want)) <= 1e-14 * static_cast<double>(magnitude));
        CHECK(norm(x) == doctest::Approx(std::sqrt(static_cast<double>(square))).epsilon(1e-14));
      }
    // Numbers whose squares leave f32's range.
    CHECK(norm(Tensor::full({4}, 1e30)) == doctest::Approx(2e30).epsilon(1e-6));
    CHECK(norm(Tensor::full({4}, 1e-30)) == doctest::Approx(2e-30).epsilon(1e-6));
  });
}

TEST_CASE("axpby: y <- a x + b y, with b = 0 what y held does not matter") {
  for_instruction_sets([] {
    for (Index n : kLengths)
      for (Dtype dtype : kBothDtypes) {
        const Tensor x = random({n}, dtype, 1);
        Tensor y = random({n}, dtype, 2), z = Tensor::full({n}, NAN, dtype);
        const Values px = values_of(x), py = values_of(y);
        Values want(px.size()), scaled(px.size());
        for (std::size_t i = 0; i < px.size(); ++i) {
          want[i] = 0.75 * px[i] - 1.5 * py[i];
          scaled[i] = 0.75 * px[i];
        }
        axpby(0.75, x, -1.5, y);
        axpby(0.75, x, 0, z);
        CHECK(largest_error(y, want) < tolerance(dtype));
        CHECK(largest_error(z, scaled) < tolerance(dtype));
      }
  });
}

TEST_CASE("all_finite finds one infinity or NaN anywhere") {
  for_instruction_sets([] {
    for (Dtype dtype : kBothDtypes) {
      CHECK(all_finite(Tensor::zeros({0}, dtype)));
      for (Index n : {1, 15, 16, 17, 9000, 40000}) {
        Tensor x = Tensor::full({n}, dtype == Dtype::f32 ? 3e38 : 1e308, dtype);
        CHECK(all_finite(x));
        for (Index place : {Index{0}, n / 2, n - 1})
          for (double bad : {NAN, INFINITY, -INFINITY}) {
            CAPTURE(place);
            Tensor one = x.clone();
            Tensor spot = one.view(place, {1});
            spot.fill(bad);
            CHECK(!all_finite(one));
          }
      }
    }
  });
}

struct Sgd {
  double lr = 0.1, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false, mask = false;
};

TEST_CASE("SgdStep is PyTorch's recurrence over 100 steps") {
  const Sgd cases[] = {{},
                       {.weight_decay = 0.05},
                       {.momentum = 0.9},
                       {.momentum = 0.9, .dampening = 0.3, .weight_decay = 0.01},
                       {.momentum = 0.9, .weight_decay = 0.01, .nesterov = true, .mask = true},
                       {.weight_decay = 0.05, .mask = true}};
  for_instruction_sets([&] {
    for (const Sgd& s : cases)
      for (Dtype dtype : kBothDtypes)
        for (Index n : {1, 16, 50}) {
          Tensor w = random({n}, dtype, 1), buffer = Tensor::full({n}, NAN, dtype);
          Tensor mask = unary(UnaryOp::step, random({n}, dtype, 2));
          const Values pm = values_of(mask);
          std::vector<long double> pw, v(static_cast<std::size_t>(n));
          for (double x : values_of(w)) pw.push_back(x);
          for (int step = 0; step < 100; ++step) {
            const Tensor g = random({n}, dtype, static_cast<std::uint32_t>(100 + step));
            backend().update(SgdStep{s.momentum, s.dampening, s.weight_decay, s.nesterov}, {s.lr, step},
                             {g, s.mask ? &mask : nullptr, w, {s.momentum != 0 ? &buffer : nullptr}});
            const Values pg = values_of(g);
            for (std::size_t i = 0; i < pg.size(); ++i) {
              const long double d = pg[i] + s.weight_decay * (s.mask ? pm[i] : 1) * pw[i];
              v[i] = step == 0 ? d : s.momentum * v[i] + (1 - s.dampening) * d;
              const long double direction = s.momentum == 0 ? d : s.nesterov ? d + s.momentum * v[i] : v[i];
              pw[i] -= s.lr * direction;
            }
          }
          CHECK(largest_error(w, Values(pw.begin(), pw.end())) < (dtype == Dtype::f32 ? 2e-5 : 1e-12));
        }
  });
}

TEST_CASE("AdamStep is the textbook recurrence over 100 steps") {
  struct Case {
    double coupled, decoupled;
    bool mask;
  };
  for_instruction_sets([] {
    for (const Case& c :
         {Case{0, 0, false}, Case{0.01, 0, false}, Case{0, 0.05, false}, Case{0.01, 0.05, true}})
      for (Dtype dtype : kBothDtypes)
        for (Index n : {1, 16, 50}) {
          const double lr = 0.01, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
          Tensor w = random({n}, dtype, 1), m = Tensor::zeros({n}, dtype), v = m.clone();
          const Tensor mask = unary(UnaryOp::step, random({n}, dtype, 2));
          const Values pm = values_of(mask);
          std::vector<long double> pw, first(static_cast<std::size_t>(n)), second(first);
          for (double x : values_of(w)) pw.push_back(x);
          for (int step = 1; step <= 100; ++step) {
            const Tensor g = random({n}, dtype, static_cast<std::uint32_t>(100 + step));
            backend().update(AdamStep{beta1, beta2, eps, c.coupled, c.decoupled}, {lr, step - 1},
                             {g, c.mask ? &mask : nullptr, w, {&m, &v}});
            const Values pg = values_of(g);
            for (std::size_t i = 0; i < pg.size(); ++i) {
              const long double on = c.mask ? pm[i] : 1, d = pg[i] + c.coupled * on * pw[i];
              pw[i] -= lr * c.decoupled * on * pw[i];
              first[i] = beta1 * first[i] + (1 - beta1) * d;
              second[i] = beta2 * second[i] + (1 - beta2) * d * d;
              const long double mean = first[i] / (1 - std::pow(static_cast<long double>(beta1), step));
              const long double square = second[i] / (1 - std::pow(static_cast<long double>(beta2), step));
              pw[i] -= lr * mean / (std::sqrt(square) + eps);
            }
          }
          CHECK(largest_error(w, Values(pw.begin(), pw.end())) < (dtype == Dtype::f32 ? 2e-5 : 1e-12));
        }
  });
}

TEST_CASE("RmsPropStep is the textbook recurrence over 100 steps") {
  struct Case {
    double momentum, decay;
    bool eps_inside_root, mask;
  };
  for_instruction_sets([] {
    for (const Case& c : {Case{0, 0, false, false}, Case{0.9, 0.01, false, false}, Case{0.9, 0, true, false},
                          Case{0.5, 0.05, true, true}})
      for (Dtype dtype : kBothDtypes)
        for (Index n : {1, 16, 50}) {
          const double lr = 0.01, alpha = 0.9, eps = 1e-3;
          Tensor w = random({n}, dtype, 1), square = Tensor::full({n}, 1, dtype);
          Tensor buffer = Tensor::zeros({n}, dtype);
          const Tensor mask = unary(UnaryOp::step, random({n}, dtype, 2));
          const Values pm = values_of(mask);
          std::vector<long double> pw, s(static_cast<std::size_t>(n), 1), v(static_cast<std::size_t>(n));
          for (double x : values_of(w)) pw.push_back(x);
          for (int step = 0; step < 100; ++step) {
            const Tensor g = random({n}, dtype, static_cast<std::uint32_t>(100 + step));
            backend().update(
                RmsPropStep{alpha, eps, c.momentum, c.decay, c.eps_inside_root}, {lr, step},
                {g, c.mask ? &mask : nullptr, w, {&square, c.momentum != 0 ? &buffer : nullptr}});
            const Values pg = values_of(g);
            for (std::size_t i = 0; i < pg.size(); ++i) {
              const long double d = pg[i] + c.decay * (c.mask ? pm[i] : 1) * pw[i];
              s[i] = alpha * s[i] + (1 - alpha) * d * d;
              v[i] =
                  c.momentum * v[i] + d / (c.eps_inside_root ? std::sqrt(s[i] + eps) : std::sqrt(s[i]) + eps);
              pw[i] -= lr * v[i];
            }
          }
          CHECK(largest_error(w, Values(pw.begin(), pw.end())) < (dtype == Dtype::f32 ? 2e-5 : 1e-12));
        }
  });
}

TEST_CASE("LionStep is the textbook recurrence over 100 steps") {
  for_instruction_sets([] {
    for (double decay : {0.0, 0.05})
      for (bool masked : {false, true})
        for (Dtype dtype : kBothDtypes)
          for (Index n : {1, 16, 50}) {
            const double lr = 0.01, beta1 = 0.9, beta2 = 0.99;
            Tensor w = random({n}, dtype, 1), m = Tensor::zeros({n}, dtype);
            const Tensor mask = unary(UnaryOp::step, random({n}, dtype, 2));
            const Values pm = values_of(mask);
            std::vector<long double> pw, mean(static_cast<std::size_t>(n));
            for (double x : values_of(w)) pw.push_back(x);
            for (int step = 0; step < 100; ++step) {
              const Tensor g = random({n}, dtype, static_cast<std::uint32_t>(100 + step));
              backend().update(LionStep{beta1, beta2, decay}, {lr, step},
                               {g, masked ? &mask : nullptr, w, {&m}});
              const Values pg = values_of(g);
              for (std::size_t i = 0; i < pg.size(); ++i) {
                const long double c = beta1 * mean[i] + (1 - beta1) * pg[i];
                pw[i] -= lr * ((c > 0) - (c < 0) + decay * (masked ? pm[i] : 1) * pw[i]);
                mean[i] = beta2 * mean[i] + (1 - beta2) * pg[i];
              }
            }
            CHECK(largest_error(w, Values(pw.begin(), pw.end())) < (dtype == Dtype::f32 ? 2e-5 : 1e-12));
          }
  });
}

TEST_CASE("fill and copies of large tensors") {
  Tensor x = Tensor::full({1000003}, 3, Dtype::u8);
  CHECK(sum(x.to(Dtype::f64)).item() == 3 * 1000003.0);
  const Tensor copy = x.clone();
  x.fill(0);
  CHECK(sum(copy.to(Dtype::f64)).item() == 3 * 1000003.0);
}

TEST_CASE("bits of flat steps do not depend on threads") {
  const Tensor g = random({100003}, Dtype::f32, 1), w = random({100003}, Dtype::f32, 2);
  check_threads([&] {
    Tensor a = w.clone(), b = w.clone(), m = Tensor::zeros(w.shape()), v = m.clone(), buffer = m.clone();
    backend().update(SgdStep{0.9, 0, 0.01, true}, {0.1, 1}, {g, nullptr, a, {&buffer}});
    backend().update(AdamStep{0.9, 0.99, 1e-8, 0.01, 0}, {0.1, 2}, {g, nullptr, b, {&m, &v}});
    Tensor c = w.clone(), d = w.clone(), square = Tensor::full(w.shape(), 1), mean = square.clone();
    backend().update(RmsPropStep{0.9, 1e-3, 0.9, 0.01, true}, {0.1, 1}, {g, nullptr, c, {&square, &buffer}});
    backend().update(LionStep{0.9, 0.99, 0.01}, {0.1, 1}, {g, nullptr, d, {&mean}});
    axpby(0.5, g, 2, v);
    return Tensors{a, b, c, d, m, v, square, mean, buffer, Tensor::scalar(dot(g, w), Dtype::f64)};
  });
}

}  // namespace
