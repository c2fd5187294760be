// NamedTensor: a tensor of an object with its name and layout in files.
#pragma once

#include <string>
#include <vector>

#include "autograd/inventory.h"
#include "core/io/archive.h"

namespace basin::apps {

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

/// Names for one line of an error: the first few, and how many more there are.
class Findings {
 public:
  explicit Findings(int shown = 4) : shown_(shown) {}
  void add(const std::string& finding);
  bool empty() const { return count_ == 0; }
  /// "; title: a, b and 7 more", or nothing.
  std::string line(const char* title) const;

 private:
  int shown_;
  int count_ = 0;
  std::string all_;
};

/// "F32 {4,2,3,3}".
std::string in_words(std::string_view dtype, const Shape& shape);

}  // namespace basin::apps
