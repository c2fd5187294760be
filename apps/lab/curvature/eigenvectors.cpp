#include "apps/lab/curvature/eigenvectors.h"

#include <vector>

#include "core/error.h"
#include "core/io/archive.h"

namespace basin::apps {
namespace {

std::string entry_name(std::size_t number, const optim::Segment& segment) {
  return text(number, ".", segment.name);
}

}  // namespace

void write_eigenvectors(const std::string& path, const optim::ParameterVector& w, const Tensors& vectors) {
  std::vector<ArchiveEntry> entries;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Tensors parts = w.split(vectors[i]);
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const optim::Segment& segment = w.segments()[k];
      const bool convolution = segment.layout == ParameterLayout::convolution;
      entries.push_back(
          {entry_name(i + 1, segment), parts[k], convolution ? FileLayout::convolution : FileLayout::plain});
    }
  }
  write_archive(path, entries);
}

Tensors read_eigenvectors(const std::string& path, const optim::ParameterVector& w) {
  const Archive archive(path);
  Tensors vectors;
  for (std::size_t number = 1; archive.contains(entry_name(number, w.segments().front())); ++number) {
    Tensors parts;
    for (const optim::Segment& segment : w.segments()) {
      const bool convolution = segment.layout == ParameterLayout::convolution;
      const Tensor part = archive.read(entry_name(number, segment),
                                       convolution ? FileLayout::convolution : FileLayout::plain);
      if (part.shape() != segment.shape)
        throw CheckpointError("[eigenvectors] ", path, ": ", entry_name(number, segment), " is ",
                              part.shape(), ", the model's ", segment.shape);
      parts.push_back(part.to(w.dtype()).to(w.values().device()));
    }
    vectors.push_back(w.flatten(parts));
  }
  if (vectors.empty())
    throw CheckpointError("[eigenvectors] ", path, " has no ", entry_name(1, w.segments().front()),
                          ": it holds no vectors of this model");
  return vectors;
}

}  // namespace basin::apps
