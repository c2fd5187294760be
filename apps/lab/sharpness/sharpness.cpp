#include "apps/lab/sharpness/sharpness.h"

#include <algorithm>
#include <map>

#include "apps/cli/format.h"
#include "apps/config/sharpness.h"
#include "apps/options/bindings.h"
#include "apps/statistics/statistics.h"
#include "core/error.h"
#include "core/ops.h"
#include "core/random.h"
#include "data/loading/chosen.h"

namespace basin::apps {
namespace {

constexpr std::uint64_t kMicroBatches = 3;  // epoch of the address of their draw

/// "r0/0.05/1".
std::string unit(const char* kind, double rho, std::int64_t number) {
  return text(kind, '/', print_real(rho), '/', number);
}

LossAround around(const Subject& subject, const DatasetObjective& objective) {
  return {.w = *subject.w,
          .loss = [&objective] { return objective.loss(); },
          .gradient = [&objective] { return objective(optim::Request{.true_gradient = true}); },
          .hessian_vector = [&objective](const Tensor& v) { return objective.hessian_vector(v); }};
}

Json to_json(const Peak& peak) {
  return Json::Object{{"value", recorded(peak.value)},
                      {"way", recorded(peak.way)},
                      {"gradients", peak.gradients},
                      {"products", peak.products}};
}

Json to_json(const MeanInterval& e) {
  return Json::Object{
      {"mean", recorded(e.mean)}, {"low", recorded(e.low)}, {"high", recorded(e.high)}, {"n", e.n}};
}

/// The rise of each micro-batch's own loss, one step up its own gradient (Foret et al. 2021, section 4.1).
Json micro_batches(const Subject& subject, const optim::Ascent& ball, const SharpnessQuestion& q,
                   std::int64_t m, double rho) {
  const std::int64_t images = subject.examples->size();
  const std::vector<std::int64_t> order =
      permutation(images, subject.loss.seed, Stream::probe, kMicroBatches);
  EvaluationOptions passes = evaluation_options(subject.run.config);
  passes.batch_size = m;
  passes.workers = 0;
  std::vector<double> rises;
  for (std::int64_t i = 0; i < std::min(q.batches, images / m); ++i) {
    const auto first = order.begin() + i * m;
    const DatasetObjective own(*subject.run.model, *subject.w,
                               data::chosen(subject.examples, {first, first + m}), passes, subject.loss);
    rises.push_back(zeroth_order(around(subject, own), ball, rho, {.steps = 1}).value);
  }
  return Json::Object{{"rises", recorded(rises)}};
}

/// One measurement.
struct Unit {
  enum class Kind { r0, r1, random, micro } kind;
  double rho;
  std::int64_t number;  // of the start, of the draw; or m
  std::string name;
};

std::vector<Unit> units_of(const SharpnessQuestion& q) {
  std::vector<Unit> all;
  for (const double rho : q.rho) {
    const auto add = [&](Unit::Kind kind, const char* word, std::int64_t number) {
      all.push_back({kind, rho, number, unit(word, rho, number)});
    };
    for (std::int64_t start = 0; start < q.starts; ++start) add(Unit::Kind::r0, "r0", start);
    for (std::int64_t start = 0; q.first_order && start < q.starts; ++start) add(Unit::Kind::r1, "r1", start);
    for (std::int64_t draw = 0; draw < q.draws; ++draw) add(Unit::Kind::random, "random", draw);
    for (const double m : q.m) add(Unit::Kind::micro, "m", static_cast<std::int64_t>(m));
  }
  return all;
}

/// Of all starts: the largest, and what the first step from the gradient gives.
struct Found {
  double most = 0, one_step = 0;
};

Found found(const UnitResults& units, const char* kind, double rho, std::int64_t starts, Json& work) {
  Found f;
  for (std::int64_t start = 0; start < starts; ++start) {
    const Json& peak = units.at(unit(kind, rho, start));
    const double value = recorded_number(peak.at("value"));
    if (start == 0) f = {value, recorded_numbers(peak.at("way")).front()};
    if (!(value <= f.most)) f.most = value;
    for (const char* what : {"gradients", "products"})
      work.set(what, work.at(what).integer() + peak.at(what).integer());
  }
  return f;
}

}  // namespace

Json to_json(const SharpnessQuestion& q) {
  return Json::Object{{"rho", recorded(q.rho)},
                      {"p", recorded(q.ball.p)},
                      {"scaling", name_of(scaling_names(), q.ball.scaling)},
                      {"eta", q.ball.eta},
                      {"steps", q.steps},
                      {"starts", q.starts},
                      {"draws", q.draws},
                      {"m", recorded(q.m)},
                      {"batches", q.batches},
                      {"first_order", q.first_order}};
}

void measure(const Subject& subject, const SharpnessQuestion& q, UnitResults& units, const LongWork& work) {
  const LongWork::Nested watch = work.nested("sharpness", "measurements", "images");
  const DatasetObjective objective = subject.objective(watch.within);
  const LossAround l = around(subject, objective);
  const optim::Ascent ball("sharpness", q.ball);
  ball.check(*subject.w);
  units.complete({"here"}, [&](const std::string&) {
    const optim::Evaluation here = l.gradient();
    return Json::Object{{"loss", recorded(here.loss.value())},
                        {"gradient_norm", recorded(norm(here.gradient).value())}};
  });
  const double loss_here = recorded_number(units.at("here").at("loss"));
  const auto measured = [&](const Unit& u) -> Json {
    const Search search{.steps = q.steps, .seed = subject.loss.seed, .start = u.number};
    switch (u.kind) {
      case Unit::Kind::r0:
        return to_json(zeroth_order(l, ball, u.rho, search));
      case Unit::Kind::r1:
        return to_json(first_order(l, ball, u.rho, search));
      case Unit::Kind::micro:
        return micro_batches(subject, ball, q, u.number, u.rho);
      case Unit::Kind::random:
        return Json::Object{
            {"rise", recorded(random_rise(l, ball, u.rho, loss_here, search.seed, u.number))}};
    }
    throw InternalError("[sharpness] a unit of no kind");
  };
  std::vector<std::string> names;
  std::map<std::string, Unit> by_name;
  for (const Unit& u : units_of(q)) {
    names.push_back(u.name);
    by_name.emplace(u.name, u);
  }
  units.complete(
      names, [&](const std::string& name) { return measured(by_name.at(name)); }, watch.pieces);
}

Json summary(const SharpnessQuestion& q, const UnitResults& units) {
  Json work = Json::Object{{"gradients", 1}, {"products", 0}};
  Json rows = Json::Array{};
  for (const double rho : q.rho) {
    Json row = Json::Object{{"rho", rho}};
    const Found r0 = found(units, "r0", rho, q.starts, work);
    row.set("r0_one_step", recorded(r0.one_step)).set("r0", recorded(r0.most));
    row.set("lambda_of_r0", recorded(2 * r0.most / (rho * rho)));
    if (q.first_order) {
      const Found r1 = found(units, "r1", rho, q.starts, work);
      row.set("r1_one_step", recorded(r1.one_step)).set("r1", recorded(r1.most));
      row.set("lambda_of_r1", recorded(r1.most / (rho * rho)));
    }
    if (q.draws > 0) {
      std::vector<double> rises;
      for (std::int64_t draw = 0; draw < q.draws; ++draw)
        rises.push_back(recorded_number(units.at(unit("random", rho, draw)).at("rise")));
      row.set("random", to_json(mean_interval(rises)));
    }
    Json micro = Json::Array{};
    for (const double m : q.m) {
      Json one = to_json(mean_interval(
          recorded_numbers(units.at(unit("m", rho, static_cast<std::int64_t>(m))).at("rises"))));
      one.set("m", static_cast<std::int64_t>(m));
      micro.append(one);
    }
    row.set("m", micro);
    rows.append(row);
  }
  Json all = units.at("here");
  all.set("rho", rows).set("work", work);
  return all;
}

std::vector<Figure> figures_of(const SharpnessQuestion& q, const Json& summary) {
  struct Column {
    const char *key, *title;
    bool dashed;
  };
  std::vector<Column> columns = {{"r0_one_step", "R0, one step (SAM)", true}, {"r0", "R0, ascent", false}};
  if (q.first_order) {
    columns.push_back({"r1_one_step", "R1, one step (GAM)", true});
    columns.push_back({"r1", "R1, ascent", false});
  }
  Plot flat{.title = "Flatness over the radius",
            .x_label = "rho",
            .y_label = "R0, R1",
            .log_x = true,
            .log_y = true};
  for (const Column& column : columns) {
    Curve curve{.label = column.title, .dashed = column.dashed};
    for (const Json& row : summary.at("rho").array())
      curve.points.emplace_back(row.at("rho").number(), recorded_number(row.at(column.key)));
    flat.curves.push_back(std::move(curve));
  }
  const auto interval = [](const Json& e, int digits) {
    return text(significant(recorded_number(e.at("mean")), digits), " (",
                significant(recorded_number(e.at("low")), digits), " to ",
                significant(recorded_number(e.at("high")), digits), ")");
  };
  FigureTable table{.title = "Flatness", .columns = {"rho"}, .rows = {}};
  for (const Column& column : columns) table.columns.emplace_back(column.title);
  table.columns.emplace_back("2 R0 / rho^2");
  if (q.first_order) table.columns.emplace_back("R1 / rho^2");
  if (q.draws > 0) table.columns.emplace_back("random e, 95 %");
  Plot micro{.title = "m-sharpness",
             .x_label = "rho",
             .y_label = "mean rise of a micro-batch",
             .log_x = true,
             .log_y = true};
  FigureTable micro_table{.title = "m-sharpness", .columns = {"rho"}, .rows = {}};
  for (const double m : q.m) {
    const std::string label = text("m = ", static_cast<std::int64_t>(m));
    micro.curves.push_back({.label = label, .points = {}});
    micro_table.columns.push_back(label + ", 95 %");
  }
  Curve random{.label = "random e, mean", .points = {}};
  for (const Json& row : summary.at("rho").array()) {
    const double rho = row.at("rho").number();
    std::vector<std::string> cells = {significant(rho, 3)}, micro_cells = cells;
    for (const Column& column : columns) cells.push_back(significant(recorded_number(row.at(column.key)), 4));
    cells.push_back(significant(recorded_number(row.at("lambda_of_r0")), 4));
    if (q.first_order) cells.push_back(significant(recorded_number(row.at("lambda_of_r1")), 4));
    if (q.draws > 0) {
      cells.push_back(interval(row.at("random"), 3));
      random.points.emplace_back(rho, recorded_number(row.at("random").at("mean")));
    }
    table.rows.push_back(cells);
    for (std::size_t k = 0; k < q.m.size(); ++k) {
      const Json& one = row.at("m").array()[k];
      micro.curves[k].points.emplace_back(rho, recorded_number(one.at("mean")));
      micro_cells.push_back(interval(one, 3));
    }
    micro_table.rows.push_back(micro_cells);
  }
  if (q.draws > 0) flat.curves.push_back(std::move(random));
  std::vector<Figure> all = {{"flatness", flat}, {"flatness_table", table}};
  if (!q.m.empty()) {
    all.push_back({"m_sharpness", micro});
    all.push_back({"m_sharpness_table", micro_table});
  }
  return all;
}

}  // namespace basin::apps
