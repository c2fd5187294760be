#include "apps/lab/landscape/solution.h"

#include <utility>

#include "apps/weights/class_match.h"
#include "apps/weights/weights.h"
#include "optim/buffer_guard.h"
#include "optim/perturbation.h"

namespace basin::apps {

std::vector<NamedBuffer> running_statistics(const std::vector<NamedBuffer>& buffers) {
  std::vector<NamedBuffer> statistics;
  for (const NamedBuffer& buffer : buffers)
    if (buffer.kind == BufferKind::statistics && buffer.buffer->defined()) statistics.push_back(buffer);
  return statistics;
}

Solution solution_now(std::string label, const optim::ParameterVector& w,
                      const std::vector<NamedBuffer>& statistics) {
  Solution now{std::move(label), w.values().clone(), {}};
  for (const NamedBuffer& buffer : statistics) now.statistics.push_back(buffer.buffer->clone());
  return now;
}

Solution solution_in(const Subject& subject, std::string label) {
  return solution_now(std::move(label), *subject.w,
                      running_statistics(entries_of(*subject.run.model).buffers));
}

void put(const Solution& solution, Subject& subject) {
  subject.w->values().copy_from(solution.w);
  const std::vector<NamedBuffer> places = running_statistics(entries_of(*subject.run.model).buffers);
  for (std::size_t i = 0; i < places.size(); ++i) places[i].buffer->copy_from(solution.statistics[i]);
}

Solution solution_of_file(Subject& subject, std::string label, const std::string& file) {
  common_identity({subject.file, file});
  const Entries entries = entries_of(*subject.run.model);
  const optim::Perturbation own(*subject.w, subject.w->values().clone(), 0);
  const optim::BufferGuard buffers(entries.buffers);
  load_weights(file, entries, {.wanted = identity_of(subject.run.config.model, subject.run.data.set)});
  return solution_in(subject, std::move(label));
}

}  // namespace basin::apps
