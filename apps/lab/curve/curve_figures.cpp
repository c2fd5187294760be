#include "apps/lab/curve/curve_figures.h"

#include "apps/cli/format.h"

namespace basin::apps {
namespace {

struct Quantity {
  const char* key;      // in a point
  const char* barrier;  // in barriers
  const char* words;    // of an axis
  bool error;           // shown as percent wrong, not as it is
};

/// In the words of the split that is measured.
std::string words_of(const Json& result, const Quantity& q) {
  const std::string key = q.key;
  return (key.starts_with("test_") ? "test" : result.at("split").string()) + " " + q.words;
}

constexpr Quantity kQuantities[] = {{"loss", "loss", "loss", false},
                                    {"accuracy", "error", "error (%)", true},
                                    {"test_loss", "test_loss", "loss", false},
                                    {"test_accuracy", "test_error", "error (%)", true}};

double shown(const Quantity& q, double x) { return q.error ? 100 * (1 - x) : x; }

Plot plot_of(const Json& result, const Quantity& q, bool by_length) {
  Plot plot{.title = words_of(result, q) + " between A and B",
            .x_label = by_length ? "share of the curve's length" : "t",
            .y_label = words_of(result, q)};
  for (const Json& path : result.at("paths").array()) {
    Curve line{.label = path.at("label").string(), .dashed = path.at("name").string() == "line"};
    const double whole = path.at("length").number();
    for (const Json& point : path.at("points").array()) {
      const double x =
          by_length ? (whole > 0 ? point.at("length").number() / whole : 0) : point.at("t").number();
      line.points.emplace_back(x, shown(q, recorded_number(point.at(q.key))));
    }
    plot.curves.push_back(std::move(line));
  }
  return plot;
}

bool measured(const Json& result, const Quantity& q) {
  return result.at("paths").array()[0].at("barriers").find(q.barrier) != nullptr;
}

}  // namespace

FigureTable barrier_table(const Json& result) {
  FigureTable table{.title = "Barriers between A and B",
                    .columns = {"curve", "measure", "A", "B", "highest", "at t", "lowest", "mean",
                                "> worse end", "> mean of ends", "> line of ends"}};
  for (const Json& path : result.at("paths").array())
    for (const Quantity& q : kQuantities) {
      if (!measured(result, q)) continue;
      const Json& b = path.at("barriers").at(q.barrier);
      const auto number = [&](double x) { return q.error ? percent(x, 2) : fixed(x, 4); };
      const auto of = [&](const char* key) { return number(recorded_number(b.at(key))); };
      const Json::Array& points = path.at("points").array();
      const auto end = [&](const Json& point) {
        const double x = recorded_number(point.at(q.key));
        return number(q.error ? 1 - x : x);
      };
      table.rows.push_back({path.at("label").string(), words_of(result, q), end(points.front()),
                            end(points.back()), of("highest"), fixed(b.at("at").number(), 3), of("lowest"),
                            of("mean"), of("over_ends"), of("over_mean"), of("over_line")});
    }
  return table;
}

std::vector<Figure> curve_figures(const Json& result) {
  std::vector<Figure> figures;
  for (const Quantity& q : kQuantities) {
    if (!measured(result, q)) continue;
    figures.push_back({q.barrier, plot_of(result, q, false)});
    figures.push_back({std::string(q.barrier) + "_by_length", plot_of(result, q, true)});
  }
  figures.push_back({"barriers", barrier_table(result)});
  if (const Json* training = result.find("training")) {
    Plot plot{
        .title = "training of the curve", .x_label = "epoch", .y_label = "loss at random t", .whole_x = true};
    Curve line{.label = "mean of an epoch"};
    double epoch = 0;
    for (const Json& loss : training->at("epoch_losses").array())
      line.points.emplace_back(++epoch, recorded_number(loss));
    plot.curves.push_back(std::move(line));
    figures.push_back({"training", std::move(plot)});
  }
  return figures;
}

}  // namespace basin::apps
