#include "apps/lab/landscape/eigen_axes.h"

#include "apps/cli/format.h"
#include "apps/lab/curvature/curvature.h"
#include "apps/lab/curvature/eigenvectors.h"
#include "apps/lab/curvature/stored_products.h"
#include "autograd/curvature/lanczos.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/ops.h"

namespace basin::apps {
namespace {

constexpr std::uint64_t kPurpose = (std::uint64_t{1} << 31) - 1;  // of the vector that Lanczos begins from

LinearOperator watched_hessian(Subject& subject, const AxesWork& axes) {
  return watched_curvature(subject, CurvatureKind::hessian, axes.work, "eigenvectors of " + axes.label);
}

Json json_of(const std::vector<EigenPair>& pairs, Index products) {
  Json list = Json::Array{};
  for (const EigenPair& pair : pairs)
    list.append(Json::Object{{"eigenvalue", recorded(pair.value)}, {"residual", recorded(pair.residual)}});
  return Json::Object{{"pairs", list}, {"products", products}};
}

Slice along(Subject& subject, const Tensors& vectors, const Json& found) {
  const Json::Array& pairs = found.at("pairs").array();
  std::vector<std::string> labels;
  for (std::size_t k = 0; k < pairs.size(); ++k)
    labels.push_back(text("eigenvector ", k + 1, " (lambda ",
                          significant(recorded_number(pairs[k].at("eigenvalue")), 4), ")"));
  Slice slice = slice_around(solution_in(subject, ""), vectors, labels);
  for (std::size_t k = 0; k < pairs.size(); ++k) slice.axes[k].facts = pairs[k];
  slice.products = found.at("products").integer();
  return slice;
}

/// The one unit of this work: what `compute` finds.
Json unit(const AxesWork& axes, const std::function<Json()>& compute) {
  const std::string name = axes.label + ": axes";
  axes.results.complete({name}, [&](const std::string&) { return compute(); });
  return axes.results.at(name);
}

}  // namespace

Slice slice_along_eigenvectors(Subject& subject, int dims, std::uint64_t seed, const AxesWork& axes) {
  const std::string file = axes.directory + "/" + axes.label + "-eigenvectors.safetensors";
  const Json found = unit(axes, [&] {
    StoredProducts products(axes.directory, "axes");
    const EigenPairs pairs = lanczos_eigenpairs(products.over(watched_hessian(subject, axes)),
                                                {.count = dims}, {.seed = seed, .purpose = kPurpose});
    Tensors vectors;
    for (const EigenPair& pair : pairs.pairs) vectors.push_back(pair.vector);
    write_eigenvectors(file, *subject.w, vectors);
    return json_of(pairs.pairs, pairs.products);
  });
  remove_products(axes.directory);
  return along(subject, read_eigenvectors(file, *subject.w), found);
}

Slice slice_along_vectors(Subject& subject, int dims, const std::string& file, const AxesWork& axes) {
  Tensors vectors = read_eigenvectors(file, *subject.w);
  const auto wanted = static_cast<std::size_t>(dims);
  if (vectors.size() < wanted)
    throw UsageError("--vectors ", file, " has ", vectors.size(), " of the ", dims,
                     " vectors that are the axes");
  vectors.resize(wanted);
  const Json found = unit(axes, [&] {
    const LinearOperator hessian = watched_hessian(subject, axes);
    std::vector<EigenPair> pairs;
    for (const Tensor& v : vectors) {
      const Tensor product = hessian.apply(v);
      const double value = dot(v, product);
      pairs.push_back({value, norm(combination(1, product, -value, v)), v});
    }
    return json_of(pairs, dims);
  });
  return along(subject, vectors, found);
}

}  // namespace basin::apps
