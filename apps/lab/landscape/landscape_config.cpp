#include "apps/lab/landscape/landscape_config.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "apps/config/model.h"
#include "apps/options/conditional.h"

namespace basin::apps {
namespace {

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return {};
  return value;
}

std::string shortest(double x) {
  const std::string words = print_real(x);
  return words.ends_with(".0") ? words.substr(0, words.size() - 2) : words;
}

/// "51" or "51x41".
Binding grid_size(std::vector<std::int64_t>& field) {
  Binding binding{.kind = ValueKind::text,
                  .placeholder = "NX[xNY]",
                  .allowed = "numbers of points such as 51 or 51x41, each from 2 to 10001",
                  .choices = {},
                  .assign = {},
                  .print = {}};
  binding.assign = [&field, allowed = binding.allowed](const std::string& given) {
    std::vector<std::int64_t> sizes;
    for (const std::string_view part : split(given, 'x')) {
      const auto size = number<std::int64_t>(part);
      if (!size || *size < 2 || *size > 10001 || sizes.size() == 2) throw ValueError("is not ", allowed);
      sizes.push_back(*size);
    }
    field = sizes;
  };
  binding.print = [&field] { return field.size() == 1 ? text(field[0]) : text(field[0], "x", field[1]); };
  return binding;
}

/// "-1:1" or "-1:1,0:2".
Binding span_of(std::vector<GridSpan>& field) {
  Binding binding{.kind = ValueKind::text,
                  .placeholder = "LOW:HIGH[,LOW:HIGH]",
                  .allowed = "a range such as -1:1, or two between a comma",
                  .choices = {},
                  .assign = {},
                  .print = {}};
  binding.assign = [&field, allowed = binding.allowed](const std::string& given) {
    std::vector<GridSpan> spans;
    for (const std::string_view part : split(given, ',')) {
      const std::vector<std::string_view> ends = split(part, ':');
      const auto low = number<double>(ends.front()), high = number<double>(ends.back());
      if (ends.size() != 2 || spans.size() == 2 || !low || !high || !std::isfinite(*low) ||
          !std::isfinite(*high) || !(*low < *high))
        throw ValueError("is not ", allowed);
      spans.push_back({.low = *low, .high = *high});
    }
    field = spans;
  };
  binding.print = [&field] {
    std::string all;
    for (const GridSpan& span : field)
      all += (all.empty() ? "" : ",") + shortest(span.low) + ":" + shortest(span.high);
    return all;
  };
  return binding;
}

const NamesOf<Directions>& direction_names() {
  static const NamesOf<Directions> names = {{"random", Directions::random},
                                            {"eigen", Directions::eigen},
                                            {"pca", Directions::pca},
                                            {"plane", Directions::plane}};
  return names;
}

const NamesOf<Normalise>& normalise_names() {
  static const NamesOf<Normalise> names = {
      {"filter", Normalise::filter}, {"layer", Normalise::layer}, {"none", Normalise::none}};
  return names;
}

}  // namespace

const NamesOf<StatisticsAt>& statistics_names() {
  static const NamesOf<StatisticsAt> names = {{"frozen", StatisticsAt::frozen},
                                              {"interpolated", StatisticsAt::interpolated},
                                              {"recomputed", StatisticsAt::recomputed}};
  return names;
}

std::vector<GridSpan> LandscapeConfig::spans() const {
  const auto axes = static_cast<std::size_t>(dims);
  if (grid.size() > axes)
    throw UsageError("--grid ", grid[0], "x", grid[1], " is of a plane; with --dims 1 give one number");
  if (span.size() > axes) throw UsageError("--span has two ranges; with --dims 1 give one");
  std::vector<GridSpan> all(axes, span.front());
  for (std::size_t k = 0; k < axes; ++k) {
    if (k < span.size()) all[k] = span[k];
    all[k].points = grid[std::min(k, grid.size() - 1)];
  }
  return all;
}

Json LandscapeConfig::question() const {
  Json q;
  q.set("dims", dims).set("directions", name_of(direction_names(), directions));
  if (directions == Directions::random)
    q.set("normalise", name_of(normalise_names(), random.normalise)).set("biases", random.biases);
  Json axes = Json::Array{};
  for (const GridSpan& axis : spans())
    axes.append(Json::Object{{"points", axis.points}, {"from", axis.low}, {"to", axis.high}});
  q.set("grid", axes).set("bn", name_of(statistics_names(), statistics)).set("test", test);
  return q;
}

std::string LandscapeConfig::in_words() const {
  std::string line = dims == 1 ? "a line" : "a plane";
  switch (directions) {
    case Directions::random:
      line += dims == 1 ? " along a random direction" : " along two random directions";
      line += random.normalise == Normalise::none     ? ", as drawn"
              : random.normalise == Normalise::filter ? ", filter-normalised"
                                                      : ", normalised by layers";
      line += random.biases ? ", biases too" : ", without biases";
      break;
    case Directions::eigen:
      line += dims == 1 ? " along the Hessian's first eigenvector"
                        : " along the Hessian's first two eigenvectors";
      break;
    case Directions::pca:
      line += " along principal axes of the training, its weights centred";
      break;
    case Directions::plane:
      line += dims == 1 ? " through two solutions" : " through three solutions";
  }
  return line + "; running statistics " + name_of(statistics_names(), statistics);
}

void add(OptionTable& t, LandscapeConfig& c) {
  t.group("landscape", "The landscape");
  t.add_call("dims", choice<int>(c.dims, {{"1", 1}, {"2", 2}}), "1: along a line; 2: over a plane");
  t.add_call(
       "directions", choice(c.directions, direction_names()),
       "what the axes are; random: Gaussian vectors, drawn by --seed from the parameters' names, so that "
       "several runs have the same; eigen: the Hessian's first eigenvectors; pca: principal axes of the "
       "run's weights along its training; plane: the line through two solutions, or the plane through "
       "three")
      .aliases = {"axes"};
  t.add_call("normalise", choice(c.random.normalise, normalise_names()),
             "length of a random direction; filter: each filter as long as the weights' own; layer: each "
             "tensor; none: as drawn")
      .only_with("directions", {"random"});
  t.add_call("biases", toggle(c.random.biases),
             "random directions move biases and normalisation's scales and shifts too")
      .only_with("directions", {"random"});
  t.add_call("vectors", free_text(c.vectors, "FILE", "a file"),
             "eigenvectors.safetensors of an answer about the Hessian, in place of computing them")
      .only_with("directions", {"eigen"});
  t.add_call("solutions", free_text(c.solutions, "LIST", "words of --weights between commas"),
             "of one RUN, the solutions that span the plane: last, swa, ema, lawa, member:N or files, "
             "between commas; "
             "what follows those is marked where it lies nearest")
      .only_with("directions", {"plane"});
  Option& grid = t.add_call("grid", grid_size(c.grid), "points along x, and along y");
  standards(grid, "dims", {{"1", "51"}});
  grid.aliases = {"points", "steps"};
  Option& span =
      t.add_call("span", span_of(c.span),
                 "from where to where, for both axes or for x,y; of random directions and eigenvectors in "
                 "their own length; of pca and plane 0 and 1 are the ends of what is marked");
  standards(span, "directions", {{"pca", "-0.25:1.25"}, {"plane", "-0.25:1.25"}});
  span.aliases = {"range"};
  Option& statistics = t.add_call(
      "bn", choice(c.statistics, statistics_names()),
      "the running statistics of batch normalisation at a point; frozen: those of the centre, or of "
      "the first solution; interpolated: moved like the weights, of a plane; recomputed: estimated "
      "there from the training images that are measured, --images of them");
  standards(statistics, "directions", {{"plane", "recomputed"}});
  count_for_batch_norm(statistics);
  t.add_call("test", toggle(c.test), "measure the test images too");
}

}  // namespace basin::apps
