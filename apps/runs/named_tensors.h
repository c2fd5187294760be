// Slots: the tensors of an object, each with its name and layout in files.
#pragma once

#include <string>
#include <vector>

#include "autograd/inventory.h"
#include "core/io/archive.h"

namespace basin::apps {

/// A tensor of an object and its name in a file. `tensor` shares the object's numbers.
struct Slot {
  std::string name;
  Tensor tensor;
  FileLayout layout;
  Tensor* buffer;  // null for a parameter
};

/// Adds the parameters, then the buffers, under prefix + their names.
void add_slots(std::vector<Slot>& slots, const std::string& prefix, const Entries& entries);

/// What is to be written; an undefined buffer is state that is not there yet, and left out.
std::vector<ArchiveEntry> to_entries(const std::vector<Slot>& slots);

/// The shape that the slot's tensor has in a file.
Shape shape_in_file(const Slot& slot);

/// Brings numbers, in memory's layout, into a slot: in place, so that views into a ParameterVector stay
/// views; an undefined buffer receives them. The second reads them from a file. Errors: those of
/// Archive::read().
void fill(Slot& slot, const Tensor& numbers);
void fill(Slot& slot, const Archive& archive, const std::string& name);

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
