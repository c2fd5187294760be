#include "apps/lab/curvature/hessian.h"

#include <algorithm>
#include <cmath>

#include "apps/lab/curvature/eigenvectors.h"
#include "apps/lab/curvature/stored_products.h"
#include "core/ops.h"

namespace basin::apps {
namespace {

/// Purposes of random vectors; groups' starts follow.
enum : std::uint64_t { kEigen = 1, kTrace, kDensity, kSketch, kGroups };

Json json_of(const EigenPairs& found) {
  Json top = Json::Array{};
  for (const EigenPair& pair : found.pairs)
    top.append(Json::Object{{"value", recorded(pair.value)}, {"residual", recorded(pair.residual)}});
  return Json::Object{{"top", top}, {"converged", found.converged}, {"products", found.products}};
}

/// The sum of x over the coordinates of a group, in f64.
double sum_over(const ParameterGroup& group, const Tensor& x) {
  double all = 0;
  for (const auto& [begin, end] : group.parts)
    all += sum(x.slice_rows(begin, end).to(Dtype::f64)).to(Device{}).item();
  return all;
}

/// One question at work. Each piece of it is a unit; within the pieces that are vectors, each product.
class Search {
 public:
  Search(const HessianConfig& config, std::uint64_t seed, Subject& subject, const Answer& answer,
         const LongWork& work)
      : config_(config),
        seed_(seed),
        subject_(subject),
        answer_(answer),
        work_(work),
        units_(answer.units("pieces")),
        groups_(groups_of(*subject.w, config.groups)) {}

  Json run() {
    Json result = piece("point", [&] { return point(); });
    result.set("parameters", subject_.w->size());
    if (config_.top > 0) find_top(result);
    if (config_.trace && config_.trace_method == TraceMethod::hutchinson) find_trace(result);
    if (config_.trace && config_.trace_method == TraceMethod::hutchpp) find_sketched_trace(result);
    if (config_.density) find_density(result);
    if (config_.groups != Grouping::none) find_groups(result);
    remove_products(answer_.path());
    return result.set("products", products_);
  }

 private:
  Json piece(const std::string& name, const std::function<Json()>& find) {
    units_.complete({name}, [&](const std::string&) { return find(); });
    return units_.at(name);
  }

  LinearOperator watched(const std::string& what, std::int64_t most) {
    return watched_curvature(subject_, config_.kind, work_, what, most);
  }

  Probes probes(std::uint64_t purpose) const { return {.seed = seed_, .purpose = purpose}; }

  Json point() {
    const optim::Evaluation here = subject_.objective(work_.part("loss", "images"))({});
    const double loss = here.loss, length = norm(here.gradient);
    return Json::Object{{"loss", recorded(loss)}, {"gradient_norm", recorded(length)}};
  }

  EigenPairs pairs_of(const LinearOperator& a, std::int64_t count, Which which, std::uint64_t purpose) const {
    if (config_.method == EigenMethod::power)
      return power_iteration(a, probes(purpose).normals(a, 0), config_.tolerance, config_.most_products);
    return lanczos_eigenpairs(a,
                              {.count = std::min(count, a.dim),
                               .which = which,
                               .tolerance = config_.tolerance,
                               .basis = config_.basis,
                               .most_products = config_.most_products},
                              probes(purpose));
  }

  void find_top(Json& result) {
    const Json found = piece("top", [&] {
      StoredProducts products(answer_.path(), "top");
      const EigenPairs pairs =
          pairs_of(products.over(watched("eigenvalues", 0)), config_.top, config_.which, kEigen);
      Tensors vectors;
      for (const EigenPair& pair : pairs.pairs) vectors.push_back(pair.vector);
      write_eigenvectors(answer_.file("eigenvectors.safetensors"), *subject_.w, vectors);
      return json_of(pairs);
    });
    remove_products(answer_.path());
    result.set("top", found.at("top")).set("converged", found.at("converged"));
    products_ += found.at("products").integer();
  }

  /// Two probes: their traces, those of each group, and the sum of the squared diagonal, of which the product
  /// of two independent estimates of the diagonal has no bias.
  Json pair_of_probes(const LinearOperator& a, std::uint64_t i) {
    const Tensor one = probed_diagonal(a, probes(kTrace), 2 * i),
                 two = probed_diagonal(a, probes(kTrace), 2 * i + 1);
    const ParameterGroup whole{.parts = {{0, a.dim}}};
    Json groups = Json::Array{};
    for (const ParameterGroup& group : groups_)
      groups.append(recorded({sum_over(group, one), sum_over(group, two)}));
    const double squared = dot(one, two);
    return Json::Object{{"traces", recorded({sum_over(whole, one), sum_over(whole, two)})},
                        {"squared_diagonal", recorded(squared)},
                        {"groups", groups}};
  }

  void find_trace(Json& result) {
    const StoppingRule enough{.tolerance = config_.trace_error, .least = 10, .most = config_.trace_products};
    const LinearOperator a = watched("trace", config_.trace_products);
    std::vector<double> traces, squares;
    group_traces_.assign(groups_.size(), {});
    for (std::uint64_t i = 0; !enough.reached(estimate_of(traces)); ++i) {
      const Json pair = piece(text("probes ", i), [&] { return pair_of_probes(a, i); });
      for (const double x : recorded_numbers(pair.at("traces"))) traces.push_back(x);
      squares.push_back(recorded_number(pair.at("squared_diagonal")));
      for (std::size_t g = 0; g < groups_.size(); ++g)
        for (const double x : recorded_numbers(pair.at("groups").array()[g])) group_traces_[g].push_back(x);
      if (!std::isfinite(traces.back())) throw NumericalError("[hessian] a product is not finite");
    }
    trace_ = estimate_of(traces);
    result.set("trace", to_json(*trace_)).set("squared_diagonal", to_json(estimate_of(squares)));
    products_ += static_cast<std::int64_t>(traces.size());
  }

  void find_sketched_trace(Json& result) {
    const std::int64_t third = config_.trace_products / 3;
    const Json found = piece("trace", [&] {
      StoredProducts products(answer_.path(), "trace");
      return to_json(hutchpp_trace(products.over(watched("trace", 3 * third)), config_.trace_products,
                                   probes(kSketch), probes(kTrace)));
    });
    remove_products(answer_.path());
    result.set("trace", found);
    products_ += 3 * third;
  }

  void find_density(Json& result) {
    Json starts = Json::Array{};
    for (std::int64_t i = 0; i < config_.density_starts; ++i) {
      starts.append(piece(text("density ", i), [&] {
        StoredProducts products(answer_.path(), text("density", i));
        const std::string what = text("density, start ", i + 1, " of ", config_.density_starts);
        const LinearOperator a = products.over(watched(what, config_.density_steps));
        const Quadrature q = lanczos_quadrature(a, probes(kDensity).signs(a, static_cast<std::uint64_t>(i)),
                                                config_.density_steps);
        return Json(Json::Object{{"nodes", recorded(q.nodes)},
                                 {"weights", recorded(q.weights)},
                                 {"low", recorded(q.low)},
                                 {"high", recorded(q.high)}});
      }));
      remove_products(answer_.path());
      products_ += static_cast<std::int64_t>(starts.array().back().at("nodes").array().size());
    }
    result.set("density", Json::Object{{"width", config_.density_width}, {"starts", starts}});
  }

  void find_groups(Json& result) {
    Json all = Json::Array{};
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const ParameterGroup& group = groups_[g];
      Json entry = Json::Object{{"name", group.name}, {"parameters", group.size()}};
      if (trace_) {
        const Estimate e = estimate_of(group_traces_[g]);
        entry.set("trace", to_json(e)).set("share", recorded(e.value / trace_->value));
      }
      if (config_.top > 0) {
        const Json found = piece("group " + group.name, [&] {
          StoredProducts products(answer_.path(), text("group", g));
          const std::string what = text("group ", g + 1, " of ", groups_.size(), ", ", group.name);
          return json_of(pairs_of(products.over(restricted(watched(what, 0), group.parts)), 1, Which::largest,
                                  kGroups + g));
        });
        remove_products(answer_.path());
        products_ += found.at("products").integer();
        entry.set("top", found.at("top").array().front());
      }
      all.append(entry);
    }
    result.set("groups", all);
  }

  const HessianConfig& config_;
  std::uint64_t seed_;
  Subject& subject_;
  const Answer& answer_;
  const LongWork& work_;
  UnitResults units_;
  std::vector<ParameterGroup> groups_;
  std::vector<std::vector<double>> group_traces_{};  // of each group, the probes' samples
  std::optional<Estimate> trace_{};
  std::int64_t products_ = 0;
};

}  // namespace

Json to_json(const Estimate& e) {
  return Json::Object{
      {"value", recorded(e.value)}, {"standard_error", recorded(e.standard_error)}, {"samples", e.samples}};
}

Json find_spectrum(const HessianConfig& config, std::uint64_t seed, Subject& subject, const Answer& answer,
                   const LongWork& work) {
  return Search(config, seed, subject, answer, work).run();
}

}  // namespace basin::apps
