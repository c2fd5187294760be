#include "apps/lab/sharpness/flatness_check.h"

#include <cmath>

#include "apps/cli/format.h"
#include "apps/cli/table.h"
#include "apps/lab/sharpness/flatness.h"
#include "apps/statistics/statistics.h"
#include "autograd/ops/ops.h"

namespace basin::apps {
namespace {

constexpr Index kDimension = 40;

struct Bowl {
  Variable w;
  Tensor a, c;

  Bowl() {
    std::vector<double> curvatures, centre;
    for (Index i = 0; i < kDimension; ++i) {
      curvatures.push_back(static_cast<double>(i + 1));
      centre.push_back(0.1 * static_cast<double>(i % 7) - 0.3);
    }
    a = Tensor::from(curvatures);
    c = Tensor::from(centre);
    w = Variable::parameter(Tensor::from(centre));
  }
  void describe(Inventory& it) { it.parameter("w", w); }
  Variable loss() const {
    const Variable away = w - Variable(c);
    return 0.5 * sum(Variable(a) * away * away);
  }
};

struct Row {
  double rho;
  const char* what;
  double expected, found, tolerance;  // absolute
  bool holds() const { return std::abs(found - expected) <= tolerance; }
};

std::vector<Row> rows_of() {
  Bowl bowl;
  auto w = optim::ParameterVector::of(bowl);
  const LossAround l{
      .w = w,
      .loss = [&] { return bowl.loss().value().item(); },
      .gradient = [&] { return optim::evaluate(bowl.loss(), w); },
      .hessian_vector = [&](const Tensor& v) { return optim::hessian_vector_product(bowl.loss(), w, v); }};
  const optim::Ascent ball("sharpness", {});
  const auto most = static_cast<double>(kDimension);
  std::vector<Row> rows;
  for (const double rho : {0.01, 0.1, 1.0}) {
    const double square = rho * rho;
    // At the minimum the gradient shows no way: the search begins at a random point.
    const Search search{.steps = 2000, .seed = 1, .start = 1};
    rows.push_back(
        {rho, "R0", square * most / 2, zeroth_order(l, ball, rho, search).value, 1e-6 * square * most});
    rows.push_back({rho, "R1", square * most, first_order(l, ball, rho, search).value, 1e-6 * square * most});
    std::vector<double> rises;
    for (std::int64_t draw = 0; draw < 400; ++draw) rises.push_back(random_rise(l, ball, rho, 0, 1, draw));
    const MeanInterval e = mean_interval(rises);
    rows.push_back({rho, "random", square * (most + 1) / 4, e.mean, 2.5 * (e.high - e.mean)});
  }
  return rows;
}

}  // namespace

ExitCode check_flatness(Terminal& terminal) {
  Table table(
      {{.title = "rho", .left = true}, {.title = ""}, {.title = "known"}, {.title = "found"}, {.title = ""}});
  Json document = Json::Array{};
  bool all = true;
  for (const Row& row : rows_of()) {
    table.add({significant(row.rho, 3), row.what, significant(row.expected, 6), significant(row.found, 6),
               row.holds() ? "equal" : "DIFFERENT"});
    document.append(Json::Object{{"rho", row.rho},
                                 {"what", row.what},
                                 {"known", row.expected},
                                 {"found", recorded(row.found)},
                                 {"equal", row.holds()}});
    all = all && row.holds();
  }
  terminal.result(text("flatness of a quadratic of 40 weights, curvatures 1 to 40, at its minimum\n",
                       table.text(terminal.unicode())));
  terminal.result(document);
  return all ? ExitCode::success : ExitCode::check_failed;
}

}  // namespace basin::apps
