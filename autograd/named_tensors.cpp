#include "autograd/named_tensors.h"

namespace basin {
namespace {

FileLayout file_layout(ParameterLayout layout) {
  return layout == ParameterLayout::convolution ? FileLayout::convolution : FileLayout::plain;
}

}  // namespace

void add_named_tensors(std::vector<NamedTensor>& tensors, const std::string& prefix, const Entries& entries) {
  for (const NamedParameter& p : entries.parameters)
    tensors.push_back({prefix + p.name, p.parameter->value(), file_layout(p.layout), nullptr});
  for (const NamedBuffer& b : entries.buffers)
    tensors.push_back({prefix + b.name, *b.buffer, FileLayout::plain, b.buffer});
}

std::vector<ArchiveEntry> to_entries(const std::vector<NamedTensor>& tensors) {
  std::vector<ArchiveEntry> entries;
  for (const NamedTensor& t : tensors)
    if (t.tensor.defined()) entries.push_back({t.name, t.tensor, t.layout});
  return entries;
}

Shape shape_in_file(const NamedTensor& target) {
  const Shape& s = target.tensor.shape();
  return target.layout == FileLayout::convolution && s.rank() == 4 ? Shape{s[3], s[2], s[0], s[1]} : s;
}

void fill(NamedTensor& target, const Tensor& numbers) {
  if (target.tensor.defined())
    target.tensor.copy_from(numbers);
  else
    *target.buffer = numbers;
}

void fill(NamedTensor& target, const Archive& archive, const std::string& name) {
  fill(target, archive.read(name, target.layout));
}

std::vector<ArchiveEntry> archive_entries(const Entries& entries) {
  std::vector<NamedTensor> tensors;
  add_named_tensors(tensors, "", entries);
  return to_entries(tensors);
}

}  // namespace basin
