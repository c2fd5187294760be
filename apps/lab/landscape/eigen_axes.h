// Eigenvectors of the Hessian as the axes of a landscape.
#pragma once

#include <string>

#include "apps/cli/long_work.h"
#include "apps/lab/landscape/slice.h"
#include "apps/lab/subject.h"
#include "apps/runs/unit_results.h"

namespace basin::apps {

/// Where the axes of a landscape lie while the work is not finished, and how it is shown.
struct AxesWork {
  std::string directory{};  // of the answer
  std::string label{};      // of the run
  UnitResults& results;
  const LongWork& work;
};

/// Around the subject's weights along the eigenvectors of the `dims` largest eigenvalues, by sign, of the
/// Hessian of its loss. Found by Lanczos from a vector of the seed (tolerance 1e-3), and kept in
/// LABEL-eigenvectors.safetensors: a work that was interrupted goes on, product by product. Errors: those of
/// lanczos_eigenpairs().
Slice slice_along_eigenvectors(Subject& subject, int dims, std::uint64_t seed, const AxesWork& axes);

/// The same along the first vectors of a file of write_eigenvectors(), with their v . H v and residuals by a
/// product each. Errors: those of read_eigenvectors(); UsageError for fewer than `dims`.
Slice slice_along_vectors(Subject& subject, int dims, const std::string& file, const AxesWork& axes);

}  // namespace basin::apps
