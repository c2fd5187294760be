#include "apps/lab/landscape/choose_slice.h"

#include <algorithm>
#include <filesystem>

#include "apps/cli/format.h"
#include "apps/runs/checkpoint.h"
#include "apps/runs/members.h"
#include "apps/runs/weights_of_run.h"
#include "autograd/curvature/principal_axes.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/ops.h"

namespace basin::apps {
namespace {

Slice random_slice(Subject& subject, const LandscapeConfig& config, std::uint64_t seed) {
  Tensors directions;
  std::vector<std::string> labels;
  for (int k = 0; k < config.dims; ++k) {
    directions.push_back(normalised(gaussian_direction(*subject.w, seed, static_cast<std::uint64_t>(k)),
                                    *subject.w, config.random));
    labels.push_back(text("random direction ", k + 1));
  }
  return slice_around(solution_in(subject, ""), directions, labels);
}

Slice pca_slice(Subject& subject, const LandscapeConfig& config, const std::vector<NamedWeights>& weights) {
  const Solution last = solution_in(subject, "end");
  Tensors rows;
  for (const NamedWeights& on_the_way : weights)
    rows.push_back(combination(1, solution_of_file(subject, "", on_the_way.file).w, -1, last.w));
  rows.push_back(Tensor::zeros(last.w.shape(), last.w.dtype(), last.w.device()));
  const std::size_t count = rows.size();
  const auto dims = static_cast<std::size_t>(config.dims);
  const PrincipalAxes found = principal_axes(std::move(rows), dims);
  if (found.axes.size() < dims)
    throw UsageError("the ", count, " weights along the training span no ",
                     config.dims == 1 ? "line" : "plane",
                     ": more of them are kept by basin train --checkpoint-every 1epochs --keep 1000");
  Tensors axes;
  std::vector<std::string> labels;
  for (std::size_t k = 0; k < dims; ++k) {
    axes.push_back(found.axes[k].to(last.w.dtype()));
    labels.push_back(
        text("principal axis ", k + 1, " (", percent(found.explained[k], 1), " % of the variance)"));
  }
  Slice slice = slice_around(last, axes, labels);
  const auto place = [&](std::size_t k, std::size_t i) {
    return k < dims ? found.places[k][i] - found.places[k].back() : 0;
  };
  for (std::size_t i = 0; i < count; ++i) slice.path.emplace_back(place(0, i), place(1, i));
  for (std::size_t k = 0; k < dims; ++k) {
    SliceAxis& axis = slice.axes[k];
    axis.facts = Json::Object{{"explained_variance", found.explained[k]}};
    axis.to = 0;
    for (const auto& [x, y] : slice.path) {
      axis.from = std::min(axis.from, k == 0 ? x : y);
      axis.to = std::max(axis.to, k == 0 ? x : y);
    }
  }
  return slice;
}

Slice plane_slice(Subject& subject, const LandscapeConfig& config, const std::vector<NamedWeights>& weights) {
  std::vector<Solution> solutions;
  for (const NamedWeights& one : weights) solutions.push_back(solution_of_file(subject, one.label, one.file));
  return slice_through(solutions, config.dims, config.statistics);
}

}  // namespace

std::vector<NamedWeights> plane_solutions(const std::vector<std::string>& runs, const std::string& weights,
                                          const std::string& words) {
  std::vector<NamedWeights> all;
  if (!words.empty()) {
    for (const std::string_view part : split(words, ',')) {
      const std::string word(part);
      const std::string file = weights_file("landscape", runs.empty() ? "" : runs.front(), word);
      all.push_back({file == word ? std::filesystem::path(word).stem().string() : word, file});
    }
    return all;
  }
  if (runs.size() < 2)
    throw UsageError(
        "--directions plane is of several solutions: name several runs, or of one run "
        "--solutions last,swa,member:1");
  for (const std::string& run : runs)
    all.push_back({last_name(run), weights_file("landscape", run, weights)});
  return all;
}

std::vector<NamedWeights> trajectory_of(const std::string& run) {
  std::vector<NamedWeights> all;
  if (kind_of_file(run + "/members") == FileKind::directory) {
    for (const std::string& file : list_members(run)) all.push_back({text("member ", all.size() + 1), file});
    return all;
  }
  for (const CheckpointFile& file : list_checkpoints(run))
    all.push_back({text("step ", file.step), file.path});
  std::reverse(all.begin(), all.end());
  if (all.empty())
    throw CheckpointError("[landscape] ", run,
                          " has neither members nor checkpoints: nothing is known of its training's way");
  return all;
}

Slice choose_slice(Subject& subject, const LandscapeConfig& config, std::uint64_t seed,
                   const std::vector<NamedWeights>& weights, const AxesWork& axes) {
  switch (config.directions) {
    case Directions::eigen:
      return config.vectors.empty() ? slice_along_eigenvectors(subject, config.dims, seed, axes)
                                    : slice_along_vectors(subject, config.dims, config.vectors, axes);
    case Directions::pca:
      return pca_slice(subject, config, weights);
    case Directions::plane:
      return plane_slice(subject, config, weights);
    default:
      return random_slice(subject, config, seed);
  }
}

}  // namespace basin::apps
