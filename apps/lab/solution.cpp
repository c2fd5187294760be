#include "apps/lab/solution.h"

#include "apps/training/experiment.h"
#include "apps/weights/weights.h"
#include "core/op_checks.h"

namespace basin::apps {

Solution solution_in(const Subject& subject) {
  Solution s{subject.w->values().clone(), {}};
  for (const NamedBuffer& b : entries_of(*subject.run.model).buffers) s.buffers.push_back(b.buffer->clone());
  return s;
}

void put_buffers(const Tensors& buffers, Subject& subject) {
  const std::vector<NamedBuffer> places = entries_of(*subject.run.model).buffers;
  for (std::size_t i = 0; i < places.size(); ++i) *places[i].buffer = buffers[i].clone();
}

void put(const Solution& solution, Subject& subject) {
  subject.w->values().copy_from(solution.w);
  put_buffers(solution.buffers, subject);
}

Solution other_solution(Subject& subject, const std::string& file) {
  common_identity({subject.file, file});
  const Solution own = solution_in(subject);
  struct Return {
    const Solution& own;
    Subject& subject;
    ~Return() { put(own, subject); }
  } back{own, subject};
  load_weights(file, entries_of(*subject.run.model),
               {.wanted = identity_of(subject.run.config.model, subject.run.data.set)});
  return solution_in(subject);
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
  Tensors parts;
  for (const NamedTensor& t : weights) parts.push_back(moved(t.name, t.tensor));
  result.solution.w = subject.w->flatten(parts);
  const std::vector<NamedBuffer> buffers = entries_of(*subject.run.model).buffers;
  for (std::size_t i = 0; i < buffers.size(); ++i)
    result.solution.buffers.push_back(moved(buffers[i].name, b.buffers[i]));
  return result;
}

}  // namespace basin::apps
