#include "apps/runs/named_tensors.h"

namespace basin::apps {
namespace {

FileLayout file_layout(ParameterLayout layout) {
  return layout == ParameterLayout::convolution ? FileLayout::convolution : FileLayout::plain;
}

}  // namespace

void add_slots(std::vector<Slot>& slots, const std::string& prefix, const Entries& entries) {
  for (const NamedParameter& p : entries.parameters)
    slots.push_back({prefix + p.name, p.parameter->value(), file_layout(p.layout), nullptr});
  for (const NamedBuffer& b : entries.buffers)
    slots.push_back({prefix + b.name, *b.buffer, FileLayout::plain, b.buffer});
}

std::vector<ArchiveEntry> to_entries(const std::vector<Slot>& slots) {
  std::vector<ArchiveEntry> entries;
  for (const Slot& s : slots)
    if (s.tensor.defined()) entries.push_back({s.name, s.tensor, s.layout});
  return entries;
}

Shape shape_in_file(const Slot& slot) {
  const Shape& s = slot.tensor.shape();
  return slot.layout == FileLayout::convolution && s.rank() == 4 ? Shape{s[3], s[2], s[0], s[1]} : s;
}

void fill(Slot& slot, const Tensor& numbers) {
  if (slot.tensor.defined())
    slot.tensor.copy_from(numbers);
  else
    *slot.buffer = numbers;
}

void fill(Slot& slot, const Archive& archive, const std::string& name) {
  fill(slot, archive.read(name, slot.layout));
}

void Findings::add(const std::string& finding) {
  if (++count_ <= shown_) all_ += (count_ > 1 ? ", " : "") + finding;
}

std::string Findings::line(const char* title) const {
  if (empty()) return "";
  return text("; ", title, ": ", all_, count_ > shown_ ? text(" and ", count_ - shown_, " more") : "");
}

std::string in_words(std::string_view dtype, const Shape& shape) { return text(dtype, ' ', shape); }

}  // namespace basin::apps
