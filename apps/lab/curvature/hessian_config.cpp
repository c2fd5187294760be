// The options of `basin hessian`, and the question that they make.
#include "apps/lab/curvature/hessian.h"
#include "apps/options/conditional.h"

namespace basin::apps {
namespace {

const NamesOf<CurvatureKind>& kind_names() {
  static const NamesOf<CurvatureKind> names = {{"hessian", CurvatureKind::hessian},
                                               {"gauss-newton", CurvatureKind::gauss_newton},
                                               {"fisher", CurvatureKind::fisher},
                                               {"differences", CurvatureKind::differences}};
  return names;
}

const NamesOf<Which>& which_names() {
  static const NamesOf<Which> names = {
      {"largest", Which::largest}, {"smallest", Which::smallest}, {"both", Which::both}};
  return names;
}

const NamesOf<EigenMethod>& method_names() {
  static const NamesOf<EigenMethod> names = {{"lanczos", EigenMethod::lanczos},
                                             {"power", EigenMethod::power}};
  return names;
}

const NamesOf<TraceMethod>& trace_names() {
  static const NamesOf<TraceMethod> names = {{"hutchinson", TraceMethod::hutchinson},
                                             {"hutch++", TraceMethod::hutchpp}};
  return names;
}

const NamesOf<Grouping>& group_names() {
  static const NamesOf<Grouping> names = {{"none", Grouping::none},
                                          {"layer", Grouping::layer},
                                          {"stage", Grouping::stage},
                                          {"kind", Grouping::kind}};
  return names;
}

}  // namespace

void add(OptionTable& t, HessianConfig& c) {
  t.group("spectrum", "What is found");
  t.add_call(
      "operator", choice(c.kind, kind_names()),
      "the matrix; hessian: exact, by differentiating twice; gauss-newton: J^T H J, of the loss by the "
      "logits; fisher: the empirical one, mean g g^T of the images' gradients; differences: the Hessian "
      "by central differences of gradients");
  Option& top = t.add_call("top", whole(c.top, 0, 10'000), "so many eigenvalues from each end; 0: none");
  top.aliases = {"top-n", "num-eigenvalues"};
  t.add_call("which", choice(c.which, which_names()), "which end of the spectrum, by sign")
      .only_with("top", {"!0"});
  t.add_call("method", choice(c.method, method_names()),
             "lanczos: full re-orthogonalisation, thick restarts; power: power iteration, for the one "
             "eigenvalue of largest magnitude")
      .only_with("top", {"!0"});
  t.add_call("tolerance", real(c.tolerance, above(0)),
             "an eigenvalue is found when |H v - lambda v| is at most this share of the largest one")
      .only_with("top", {"!0"});
  t.add_call("basis", whole(c.basis, 0, 100'000),
             "vectors of the weights' size that Lanczos holds before it restarts; 0: 2 x those wanted + 30")
      .only_with("method", {"lanczos"});
  t.add_call("most-products", whole(c.most_products, 1, 1'000'000),
             "products after which what is found by then is given, with its residuals")
      .only_with("top", {"!0"});
  t.add_call("trace", toggle(c.trace), "estimate the trace, and the sum of the squared diagonal");
  t.add_call("trace-method", choice(c.trace_method, trace_names()),
             "hutchinson: random signs; hutch++: exact on a sketch of the largest eigenvectors, signs on the "
             "rest (no squared diagonal)")
      .only_with("trace", {"true"});
  t.add_call("trace-error", real(c.trace_error, at_least(0)),
             "probes end when the standard error is at most this share of the trace")
      .only_with("trace-method", {"hutchinson"});
  t.add_call("trace-products", whole(c.trace_products, 6, 1'000'000),
             "products for the trace: at most; of hutch++ a third each for sketch, sketched part and rest")
      .only_with("trace", {"true"});
  t.add_call("density", toggle(c.density), "find the density of eigenvalues, by Lanczos quadrature");
  t.add_call("density-steps", whole(c.density_steps, 1, 10'000), "Lanczos steps from each random start")
      .only_with("density", {"true"});
  t.add_call("density-starts", whole(c.density_starts, 1, 1'000), "random starts that are averaged")
      .only_with("density", {"true"});
  t.add_call("density-width", real(c.density_width, at_least(0)),
             "deviation of the Gaussian that smooths the density; 0: 1 % of the spectrum's width")
      .only_with("density", {"true"});
  t.add_call(
      "groups", choice(c.groups, group_names()),
      "largest eigenvalue, trace and its share also of each group's block; layer: by module; stage: by "
      "the first part of names; kind: weights, biases, normalisation");
}

void check(const HessianConfig& c) {
  if (c.top == 0 && !c.trace && !c.density)
    throw UsageError("--top 0 --no-trace --no-density leave nothing to find");
  if (c.method == EigenMethod::power && (c.top > 1 || c.which != Which::largest))
    throw UsageError(
        "--method power finds one eigenvalue, that of largest magnitude: --top 1 without --which");
  if (c.groups != Grouping::none && c.trace && c.trace_method == TraceMethod::hutchpp)
    throw UsageError("--groups has its traces from the probes of --trace-method hutchinson");
}

Json question_of(const HessianConfig& c, std::uint64_t seed) {
  Json q;
  q.set("operator", name_of(kind_names(), c.kind)).set("seed", seed).set("top", c.top);
  if (c.top > 0) {
    q.set("which", name_of(which_names(), c.which)).set("method", name_of(method_names(), c.method));
    q.set("tolerance", c.tolerance).set("most_products", c.most_products);
    if (c.method == EigenMethod::lanczos) q.set("basis", c.basis);
  }
  q.set("trace", c.trace ? name_of(trace_names(), c.trace_method) : "none");
  if (c.trace) q.set("trace_products", c.trace_products);
  if (c.trace && c.trace_method == TraceMethod::hutchinson) q.set("trace_error", c.trace_error);
  q.set("density_starts", c.density ? c.density_starts : 0);
  if (c.density) q.set("density_steps", c.density_steps).set("density_width", c.density_width);
  return q.set("groups", name_of(group_names(), c.groups));
}

}  // namespace basin::apps
