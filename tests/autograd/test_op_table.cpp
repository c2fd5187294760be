// The table of ops: complete, and right to second order.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "autograd/check/op_cases.h"
#include "autograd/check/op_cases_support.h"
#include "core/parallel.h"
#include "tests/autograd/declarations.h"

using namespace basin;

namespace {

/// Every declaration of a differentiable op.
std::string ops_header() {
  std::stringstream all;
  for (const char* header : {"/autograd/variable.h", "/autograd/ops/ops.h"}) {
    std::ifstream file(std::string(BASIN_SOURCE_DIR) + header);
    all << file.rdbuf();
  }
  return all.str();
}

std::vector<std::string> without_row(const std::string& header) {
  std::set<std::string> covered;
  for (const OpCase& op : op_cases()) covered.insert(op.declarations.begin(), op.declarations.end());
  std::vector<std::string> missing;
  for (const std::string& d : declared_functions(header))
    if (covered.count(d) == 0) missing.push_back(d);
  return missing;
}

void check_rows(const std::vector<OpCase>& rows) {
  const WithThreads one(
      1);  // these tensors are tiny: handing them to other threads takes longer than the sums
  for (const OpCase& op : rows) {
    const CheckRow row = check_op(op, 2);
    CHECK_MESSAGE(row.passed, op.name, ": ", row.first_failure);
    CHECK(row.cases == static_cast<int>(op.instances.size()));
    CHECK(row.cases > 0);
  }
}

}  // namespace

TEST_CASE("derivatives of arithmetic, orders 1 and 2") { check_rows(arithmetic_cases()); }
TEST_CASE("derivatives of functions, orders 1 and 2") { check_rows(function_cases()); }
TEST_CASE("derivatives of reductions and shaping, orders 1 and 2") {
  check_rows(reduction_cases());
  check_rows(shaping_cases());
}
TEST_CASE("derivatives of products, convolution, pooling, orders 1 and 2") { check_rows(product_cases()); }
TEST_CASE("derivatives of normalisation and losses, orders 1 and 2") {
  check_rows(normalization_cases());
  check_rows(loss_cases());
}

TEST_CASE("third derivatives of smooth ops") {
  for (const OpCase& op : op_cases())
    if (std::set<std::string>{"exp", "tanh", "sigmoid", "gelu", "log_softmax", "div", "matmul"}.count(
            op.name)) {
      const OpInstance& some = op.instances.at(2);
      const auto orders = check_gradients(some.function, some.inputs, {.order = 3});
      REQUIRE(orders.size() == 3);
      CHECK_MESSAGE(orders[2].passed, op.name, ": ", orders[2].first_failure);
    }
}

TEST_CASE("every op declared in ops.h has a row") {
  const std::string header = ops_header();
  CHECK(declared_functions(header).size() > 60);
  for (const std::string& missing : without_row(header)) FAIL_CHECK("no row for ", missing);
}

TEST_CASE("an op without a row is noticed, an overload too") {
  const auto planted = [](const std::string& declaration) {
    std::string header = ops_header();
    header.insert(header.find("// ---- Functions"), declaration);
    return without_row(header);
  };
  CHECK(planted("\nVariable cosh(const Variable& x);\n") == std::vector<std::string>{"cosh(Variable)"});
  CHECK(planted("Variable tanh(const Variable& x,\n    double scale = 1);  // scaled\n") ==
        std::vector<std::string>{"tanh(Variable, double)"});
  CHECK(planted("Variable operator%(const Variable& x, const Variable& y);\n") ==
        std::vector<std::string>{"operator%(Variable, Variable)"});
  CHECK(planted("BatchNormResult group_norm(const Variable& x, const GroupOptions& o = {});\n") ==
        std::vector<std::string>{"group_norm(Variable, GroupOptions)"});
  CHECK(planted("// Variable cosh(const Variable& x);\n").empty());
}

TEST_CASE("rows have names of their own and cover only what is declared") {
  std::set<std::string> names, declared;
  for (const std::string& d : declared_functions(ops_header())) declared.insert(d);
  for (const OpCase& op : op_cases()) {
    CHECK_MESSAGE(names.insert(op.name).second, op.name);
    for (const std::string& d : op.declarations) CHECK_MESSAGE(declared.count(d) == 1, d);
  }
}
