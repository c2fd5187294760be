// NamedTensor: a tensor of an object with its name and layout in files.
#pragma once

#include <string>
#include <vector>

#include "autograd/inventory.h"
#include "core/io/archive.h"

namespace basin {

/// A tensor of an object and its name in a file. `tensor` shares the object's numbers.
struct NamedTensor {
  std::string name;
  Tensor tensor;
  FileLayout layout;
  Tensor* buffer;  // null for a parameter
};

/// Adds the parameters, then the buffers, under prefix + their names.
void add_named_tensors(std::vector<NamedTensor>& tensors, const std::string& prefix, const Entries& entries);

/// What is to be written; an undefined buffer is state that is not there yet, and left out.
std::vector<ArchiveEntry> to_entries(const std::vector<NamedTensor>& tensors);

/// The shape that the tensor has in a file.
Shape shape_in_file(const NamedTensor& tensor);

/// Brings numbers, in memory's layout, into `target`: in place, so that views into a ParameterVector stay
/// views; an undefined buffer receives them. The second reads them from a file. Errors: those of
/// Archive::read().
void fill(NamedTensor& target, const Tensor& numbers);
void fill(NamedTensor& target, const Archive& archive, const std::string& name);

/// The tensors of an object as a file holds them: write_archive(path, archive_entries(entries_of(net))).
std::vector<ArchiveEntry> archive_entries(const Entries& entries);

}  // namespace basin
