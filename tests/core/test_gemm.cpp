// The matrix product against a naive one in f64: all transposes, tails, leading dimensions; threads,
// instruction sets and the number of rows do not show in the bits.
#include "core/cpu/conv/gemm.h"
#include "tests/core/kernel_testing.h"

namespace {

using namespace kernel_testing;

struct Case {
  Index m, n, k;
  bool transpose_a = false, transpose_b = false;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.m << "x" << c.n << "x" << c.k << (c.transpose_a ? " T" : " N")
             << (c.transpose_b ? "T" : "N");
}

template <class T>
struct Problem {
  Case c;
  Index lda, ldb, ldc;
  std::vector<T> a, b;

  explicit Problem(const Case& shape, Index slack = 0)
      : c(shape),
        lda((c.transpose_a ? c.m : c.k) + slack),
        ldb((c.transpose_b ? c.k : c.n) + slack),
        ldc(c.n),
        a(numbers<T>(lda * (c.transpose_a ? c.k : c.m), 1)),
        b(numbers<T>(ldb * (c.transpose_b ? c.n : c.k), 2)) {}

  Result<T> run() const {
    Result<T> out(c.m * c.n);
    basin::cpu::gemm(c.transpose_a, c.transpose_b, c.m, c.n, c.k, a.data(), lda, b.data(), ldb, out.data(),
                     ldc);
    return out;
  }

  std::vector<Sum> reference() const {
    std::vector<Sum> out(static_cast<std::size_t>(c.m * c.n));
    for (Index i = 0; i < c.m; ++i)
      for (Index p = 0; p < c.k; ++p) {
        const double left =
            static_cast<double>(a[static_cast<std::size_t>(c.transpose_a ? p * lda + i : i * lda + p)]);
        for (Index j = 0; j < c.n; ++j)
          out[static_cast<std::size_t>(i * c.n + j)].add(
              left,
              static_cast<double>(b[static_cast<std::size_t>(c.transpose_b ? j * ldb + p : p * ldb + j)]));
      }
    return out;
  }
};

template <class T>
void check(const Case& c, double tolerance, Index slack = 0) {
  const Problem<T> problem(c, slack);
  const auto want = problem.reference();
  CAPTURE(c);
  CHECK(largest_error(problem.run(), want) <= tolerance);
}

}  // namespace

TEST_CASE("gemm f32: a sweep of sizes, every transpose, every instruction set") {
  for (const std::string& name : basin::cpu::instruction_sets()) {
    CAPTURE(name);
    const WithInstructionSet with(name);
    for (bool ta : {false, true})
      for (bool tb : {false, true}) {
        for (Index m : {1, 2, 5, 11, 12, 13, 25})
          for (Index n : {1, 3, 15, 16, 17, 31, 32, 33, 50})
            for (Index k : {1, 2, 3, 4, 7, 19}) check<float>({m, n, k, ta, tb}, kTolerance32);
        for (const Case& c : {Case{65, 65, 64}, Case{128, 10, 784}, Case{300, 300, 17}, Case{7, 513, 700},
                              Case{500, 33, 321}, Case{97, 260, 1300}, Case{1, 1, 5000}, Case{16, 144, 5000}})
          check<float>({c.m, c.n, c.k, ta, tb}, kTolerance32);
      }
  }
}

TEST_CASE("gemm f32: rows that are longer than the matrix") {
  for (bool ta : {false, true})
    for (bool tb : {false, true}) check<float>({37, 45, 53, ta, tb}, kTolerance32, 9);
}

TEST_CASE("gemm f64") {
  for (bool ta : {false, true})
    for (bool tb : {false, true})
      for (const Case& c : {Case{1, 1, 1}, Case{5, 3, 7}, Case{130, 129, 40}, Case{64, 300, 11}})
        check<double>({c.m, c.n, c.k, ta, tb}, kTolerance64, 3);
}

TEST_CASE("gemm: an empty sum gives zeros, an empty result nothing") {
  const float number = 1;
  float c[6] = {5, 5, 5, 5, 5, 5};
  basin::cpu::gemm(false, false, 2, 2, 0, &number, 1, &number, 1, c, 3);
  const float want[6] = {0, 0, 5, 0, 0, 5};
  for (int i = 0; i < 6; ++i) CHECK(c[i] == want[i]);
  basin::cpu::gemm(false, false, 0, 2, 3, &number, 3, &number, 2, c, 2);
  basin::cpu::gemm(true, true, 2, 0, 3, &number, 2, &number, 3, c, 2);
  for (int i = 0; i < 6; ++i) CHECK(c[i] == want[i]);
}

TEST_CASE("gemm: the same bits for any number of threads, and for AVX2 as for AVX-512") {
  for (const Case& c : {Case{500, 300, 400}, Case{100, 64, 9000, true}, Case{33, 70, 650, true, true},
                        Case{8, 1000, 2000, false, true}}) {
    CAPTURE(c);
    const Problem<float> problem(c);
    const WithThreads one(1);
    const Result<float> want = problem.run();
    for (int threads : {2, 3, 4}) {
      const WithThreads with(threads);
      CHECK(same_bits(problem.run(), want));
    }
    if (basin::cpu::instruction_sets().front() == "avx512") {
      const WithInstructionSet avx512("avx512");
      const Result<float> wide = problem.run();
      const WithInstructionSet avx2("avx2");
      CHECK(same_bits(problem.run(), wide));
    }
  }
}

TEST_CASE("gemm: a row of C does not depend on the rows beside it") {
  const Index n = 40, k = 3000;
  const std::vector<float> a = numbers<float>(150 * k, 1), b = numbers<float>(n * k, 2);
  Result<float> all(150 * n);
  basin::cpu::gemm(false, true, 150, n, k, a.data(), k, b.data(), k, all.data(), n);
  for (Index m : {1, 2, 13, 100}) {
    Result<float> some(m * n);
    basin::cpu::gemm(false, true, m, n, k, a.data() + 50 * k, k, b.data(), k, some.data(), n);
    CAPTURE(m);
    CHECK(std::memcmp(some.data(), all.data() + 50 * n, static_cast<std::size_t>(m * n) * sizeof(float)) ==
          0);
  }
}

TEST_CASE("gemm: inside parallel_for it runs on that thread") {
  const Problem<float> problem({20, 30, 1500, true});
  const Result<float> want = problem.run();
  const WithThreads with(3);
  std::vector<Result<float>> got(6, Result<float>(20 * 30));
  basin::parallel_for(6, [&](Index i, int) { got[static_cast<std::size_t>(i)] = problem.run(); });
  for (const Result<float>& one : got) CHECK(same_bits(one, want));
}

TEST_CASE("BASIN_ARCH: unknown names are errors that list what there is") {
  const WithInstructionSet keep(basin::cpu::instruction_set());
  CHECK(basin::cpu::instruction_sets().back() == "portable");
  CHECK_THROWS_WITH_AS(basin::cpu::use_instruction_set("mmx"),
                       doctest::Contains("'mmx' is no instruction set"), basin::UsageError);
  basin::cpu::use_instruction_set("portable");
  CHECK(std::string(basin::cpu::instruction_set()) == "portable");
}
