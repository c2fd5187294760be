// Solutions: weights with their running statistics, which take turns in one model.
#pragma once

#include <string>
#include <vector>

#include "apps/lab/subject.h"

namespace basin::apps {

/// Weights and the running statistics that belong to them.
struct Solution {
  std::string label{};
  Tensor w{};            // {d}
  Tensors statistics{};  // of running_statistics(), in their order
};

/// The running statistics among buffers, those that are there.
std::vector<NamedBuffer> running_statistics(const std::vector<NamedBuffer>& buffers);
/// The weights and statistics as they are, copied.
Solution solution_now(std::string label, const optim::ParameterVector& w,
                      const std::vector<NamedBuffer>& statistics);

/// What is in the subject's model now, copied.
Solution solution_in(const Subject& subject, std::string label);
/// Puts it there; the solution keeps its numbers.
void put(const Solution& solution, Subject& subject);

/// The weights of a file, in the subject's model for the moment of reading. Errors: CheckpointError for
/// another model, other classes or another normalisation of images; those of load_weights().
Solution solution_of_file(Subject& subject, std::string label, const std::string& file);

}  // namespace basin::apps
