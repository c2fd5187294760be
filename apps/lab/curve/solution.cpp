#include "apps/lab/curve/solution.h"

#include <utility>

#include "apps/training/experiment.h"
#include "apps/weights/weights.h"

namespace basin::apps {

namespace {

std::vector<NamedBuffer> statistics_of(const Subject& subject) {
  return running_statistics(entries_of(*subject.run.model).buffers);
}

}  // namespace

Solution solution_in(const Subject& subject, std::string label) {
  return solution_now(std::move(label), *subject.w, statistics_of(subject));
}

void put(const Solution& solution, Subject& subject) {
  subject.w->values().copy_from(solution.w);
  const std::vector<NamedBuffer> places = statistics_of(subject);
  for (std::size_t i = 0; i < places.size(); ++i) places[i].buffer->copy_from(solution.statistics[i]);
}

Solution other_solution(Subject& subject, std::string label, const std::string& file) {
  common_identity({subject.file, file});
  const Solution own = solution_in(subject, "");
  struct Return {
    const Solution& own;
    Subject& subject;
    ~Return() { put(own, subject); }
  } back{own, subject};
  load_weights(file, entries_of(*subject.run.model),
               {.wanted = identity_of(subject.run.config.model, subject.run.data.set)});
  return solution_in(subject, std::move(label));
}

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
  const std::vector<NamedBuffer> statistics = statistics_of(subject);
  for (std::size_t i = 0; i < statistics.size(); ++i)
    result.solution.statistics.push_back(moved(statistics[i].name, b.statistics[i]));
  return result;
}

}  // namespace basin::apps
