// `basin gradcheck`: every differentiable op against finite differences in f64.
#include <sstream>

#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/suggest.h"
#include "apps/cli/table.h"
#include "apps/commands/commands.h"
#include "autograd/check/op_cases.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

/// "3.1e-10".
std::string error_text(double error) {
  std::ostringstream out;
  out.precision(1);
  out << std::scientific << error;
  return out.str();
}

/// The rows to check: all, or the one named. Errors: UsageError with a suggestion.
std::vector<OpCase> chosen(const std::string& name) {
  std::vector<OpCase> all = op_cases();
  if (name.empty()) return all;
  std::vector<std::string> names;
  for (OpCase& op : all) {
    if (op.name == name) return {std::move(op)};
    names.push_back(op.name);
  }
  throw UsageError("--op: unknown op ", quote(name), did_you_mean_one_of(name, names));
}

Json row_json(const CheckRow& row) {
  Json json;
  json.set("op", row.op).set("cases", row.cases).set("passed", row.passed);
  Json orders = Json::Array{};
  for (const CheckErrors& e : row.orders) {
    Json order;
    order.set("relative", recorded(e.relative)).set("absolute", recorded(e.absolute)).set("passed", e.passed);
    orders.append(order);
  }
  json.set("orders", orders);
  if (!row.passed) json.set("first_failure", row.first_failure);
  return json;
}

/// Checks and reports; the exit code. Errors: InterruptedError.
int check_ops(const GradcheckConfig& config, Terminal& terminal) {
  const LongWork work(terminal);
  const std::vector<OpCase> ops = chosen(config.op);
  std::vector<Table::Column> columns{{.title = "op", .left = true}, {.title = "cases"}};
  for (std::int64_t order = 1; order <= config.order; ++order) {
    columns.push_back({.title = text("order ", order, " relative")});
    columns.push_back({.title = "absolute"});
  }
  columns.push_back({.title = "", .left = true});
  Table table(std::move(columns));

  Json rows = Json::Array{};
  std::vector<std::string> failures;
  int cases = 0;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    work.begin(text("checking ", ops[i].name, " (", i + 1, "/", ops.size(), ")"));
    const CheckRow row = check_op(ops[i], static_cast<int>(config.order));
    cases += row.cases;
    if (!row.passed) failures.push_back(text(row.op, ": ", row.first_failure));
    std::vector<std::string> cells{row.op, std::to_string(row.cases)};
    for (const CheckErrors& e : row.orders) {
      cells.push_back(error_text(e.relative));
      cells.push_back(error_text(e.absolute));
    }
    cells.resize(2 + 2 * static_cast<std::size_t>(config.order),
                 "-");  // orders after a failed one are not run
    cells.push_back(row.passed ? "pass" : "FAIL");
    table.add(std::move(cells));
    rows.append(row_json(row));
  }
  work.done();

  terminal.result(table.text(terminal.unicode()));
  terminal.result(text("\n", ops.size() - failures.size(), " of ", ops.size(), " ops pass (", cases,
                       " cases, orders 1 to ", config.order,
                       ", f64). Errors are the largest found; a relative one counts "
                       "where it exceeds the rounding error of the difference quotient itself\n"));
  for (const std::string& failure : failures) terminal.result(failure + "\n");
  Json document;
  document.set("order", config.order).set("passed", failures.empty()).set("ops", rows);
  terminal.result(document);
  return static_cast<int>(failures.empty() ? ExitCode::success : ExitCode::check_failed);
}

}  // namespace

int gradcheck_command(const GradcheckConfig& config, Terminal& terminal) {
  return interruptible([&] { return check_ops(config, terminal); });
}

}  // namespace basin::apps
