// `basin gradcheck`: every differentiable op against finite differences in f64.
#include <sstream>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"
#include "apps/cli/terminal.h"
#include "apps/config/device.h"
#include "apps/options/suggest.h"
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

class GradcheckCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("what", "What is checked");
    t.add_call("op", free_text(op_, "NAME", "a name"), "check this operation only, not all");
    t.add_call("order", whole(order_, 1, 2), "1: gradients; 2: also gradients of gradients");
    add_device(t, device_);
    add(t, output_);
  }
  ExitCode run(Terminal& terminal) override {
    apply(device_);
    return interruptible([&] { return check_ops(terminal); });
  }

 private:
  /// Checks and reports. Errors: InterruptedError.
  ExitCode check_ops(Terminal& terminal) const;

  std::string op_;  // empty: every op
  std::int64_t order_ = 1;
  DeviceConfig device_;
};

ExitCode GradcheckCall::check_ops(Terminal& terminal) const {
  const LongWork work(terminal);
  const std::vector<OpCase> ops = chosen(op_);
  std::vector<Table::Column> columns{{.title = "op", .left = true}, {.title = "cases"}};
  for (std::int64_t order = 1; order <= order_; ++order) {
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
    const CheckRow row = check_op(ops[i], static_cast<int>(order_), device_.device);
    cases += row.cases;
    if (!row.passed) failures.push_back(text(row.op, ": ", row.first_failure));
    std::vector<std::string> cells{row.op, std::to_string(row.cases)};
    for (const CheckErrors& e : row.orders) {
      cells.push_back(error_text(e.relative));
      cells.push_back(error_text(e.absolute));
    }
    cells.resize(2 + 2 * static_cast<std::size_t>(order_),
                 "-");  // orders after a failed one are not run
    cells.push_back(row.passed ? "pass" : "FAIL");
    table.add(std::move(cells));
    rows.append(row_json(row));
  }
  work.done();

  terminal.result(table.text(terminal.unicode()));
  terminal.result(text("\n", ops.size() - failures.size(), " of ", ops.size(), " ops pass (", cases,
                       " cases, orders 1 to ", order_,
                       ", f64). Errors are the largest found; a relative one counts "
                       "where it exceeds the rounding error of the difference quotient itself\n"));
  for (const std::string& failure : failures) terminal.result(failure + "\n");
  Json document;
  document.set("order", order_).set("passed", failures.empty()).set("ops", rows);
  terminal.result(document);
  return failures.empty() ? ExitCode::success : ExitCode::check_failed;
}

}  // namespace

Command gradcheck_command() {
  return {"gradcheck", "[options]", "every operation's derivatives against finite differences", 0,
          make_call<GradcheckCall>};
}

}  // namespace basin::apps
