#include "apps/lab/curve/aligned.h"

#include <utility>

#include "apps/training/experiment.h"

namespace basin::apps {

Aligned aligned(Subject& subject, const Solution& a, const Solution& b, std::uint64_t seed,
                const data::Watch& watch) {
  const ImageSet& set = subject.run.data.set;
  const auto model = build_model(subject.run.config.model, set.image, subject.run.logits, 0, Dtype::f32,
                                 /*blank=*/true);
  const std::vector<ChannelClass> classes = channel_symmetries(*model, set.image);
  const std::vector<optim::Segment>& segments = subject.w->segments();
  const auto named = [&](const Tensor& w) {
    NamedTensors all;
    const Tensors parts = subject.w->split(w.to(Device{}));
    for (std::size_t i = 0; i < parts.size(); ++i) all.push_back({segments[i].name, parts[i]});
    return all;
  };
  const NamedTensors weights = named(b.w);
  Aligned result{{}, match_weights(classes, named(a.w), weights, seed, watch), classes.size()};
  const auto moved = [&](const std::string& name, const Tensor& tensor) {
    return permuted(classes, result.matching.permutations, name, tensor.to(Device{})).to(a.w.device());
  };
  result.solution.label = b.label + ", aligned";
  Tensors parts;
  for (const NamedTensor& t : weights) parts.push_back(moved(t.name, t.tensor));
  result.solution.w = subject.w->flatten(parts);
  const std::vector<NamedBuffer> statistics = running_statistics(entries_of(*subject.run.model).buffers);
  for (std::size_t i = 0; i < statistics.size(); ++i)
    result.solution.statistics.push_back(moved(statistics[i].name, b.statistics[i]));
  return result;
}

}  // namespace basin::apps
