// Names first: which tensor of the file is which of the model's. Then shapes, then the numbers.
#include "apps/weights.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "apps/checkpoint.h"
#include "apps/finite.h"
#include "apps/slots.h"
#include "apps/weight_names.h"
#include "core/utf8.h"

namespace basin::apps {
namespace {

constexpr int kShownNames = 12;  // of each kind of misfit in an error

using namespace std::string_view_literals;

/// What a file that is no safetensors file is, and the Python expression for its arrays by name.
struct Foreign {
  std::string what, imports, arrays;
};
std::optional<Foreign> foreign(std::string_view begin) {
  const std::string torch = "torch.load(FILE, map_location='cpu')";
  if (begin.starts_with("PK\x03\x04"sv)) {
    if (begin.find(".npy") != begin.npos) return Foreign{"a .npz archive", "numpy", "dict(numpy.load(FILE))"};
    return Foreign{"a zip archive, as torch.save writes", "torch", torch};
  }
  if (begin.starts_with("\x80\x02"sv))
    return Foreign{"a pickle, as torch.save wrote before 1.6", "torch", torch};
  if (begin.starts_with("\x93NUMPY"sv))
    return Foreign{"one array of numpy.save", "numpy", "{'NAME': numpy.load(FILE)}"};
  return {};
}

bool begins(const std::string& name, const std::string& layer) {
  return !layer.empty() && name.size() > layer.size() && name.starts_with(layer) && name[layer.size()] == '.';
}

/// The tensors of a file by the model's names for them; those that are none of the model's under "".
struct Names {
  std::string prefix;
  std::map<std::string, std::string> file_name;  // by ours
  std::vector<std::string> unknown;              // as in the file
  std::int64_t renamed = 0;
};

Names match_names(const Archive& archive, const std::vector<Slot>& slots) {
  std::set<std::string> ours;
  for (const Slot& slot : slots) ours.insert(slot.name);
  Names names;
  const bool checkpoint = archive.metadata().count(kPositionKey) > 0;
  names.prefix = checkpoint ? "model." : wrapper_prefix(archive.names());
  std::vector<std::string> others;
  for (const std::string& name : archive.names()) {
    if (!name.starts_with(names.prefix)) {
      if (!checkpoint) names.unknown.push_back(name);
      continue;
    }
    const std::string theirs = name.substr(names.prefix.size());
    if (ours.count(theirs) > 0)
      names.file_name.emplace(theirs, name);
    else
      others.push_back(name);
  }
  for (const std::string& name : others) {
    const auto mine = our_name(name.substr(names.prefix.size()), ours);
    if (mine && names.file_name.emplace(*mine, name).second)
      ++names.renamed;
    else
      names.unknown.push_back(name);
  }
  return names;
}

/// Errors: NumericalError naming the first that is not finite.
void expect_finite(const std::string& path, const std::vector<Slot*>& loaded) {
  std::vector<ArchiveEntry> tensors;
  for (const Slot* slot : loaded)
    tensors.push_back({slot->name, slot->buffer ? *slot->buffer : slot->tensor, slot->layout});
  if (const std::string bad = first_not_finite(tensors); !bad.empty())
    throw NumericalError("[load] '", bad, "' in ", path, " is not finite: weights of a run that diverged");
}

}  // namespace

std::vector<ArchiveEntry> weight_entries(const Entries& model) {
  for (const NamedBuffer& b : model.buffers)
    if (b.kind == BufferKind::statistics && !b.buffer->defined())
      throw ArgumentError("[save] '", b.name,
                          "' of these weights was never estimated; recalibrate the model first");
  std::vector<Slot> slots;
  add_slots(slots, "", model);
  return to_entries(slots);
}

void save_weights(const std::string& path, const Entries& model) {
  const std::vector<ArchiveEntry> tensors = weight_entries(model);
  if (const std::string bad = first_not_finite(tensors); !bad.empty())
    throw NumericalError("[save] '", bad, "' is not finite: ", path, " is not written");
  // PyTorch's layouts; some loaders insist on the word.
  write_archive(path, tensors, {{"format", "pt"}});
}

Archive open_weights(const std::string& path) {
  std::array<char, 64> head{};  // of a zip archive, the name of its first file is in there
  std::size_t known = 0;
  try {
    const InputFile file(path);
    known = static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), head.size()));
    file.read(0, head.data(), known);
  } catch (const DataError& e) {
    throw CheckpointError(e.what());
  }
  if (const auto other = foreign({head.data(), known}))
    throw CheckpointError(
        "[load] ", path, " is ", other->what,
        "; basin reads safetensors, and never a pickle. To convert it: python3 -c \"import ", other->imports,
        "; from safetensors.", other->imports, " import save_file; FILE = '", path, "'; save_file(",
        other->arrays,
        ", FILE + '.safetensors')\" (without that package: "
        "docs/weights.md)");
  return Archive(path);
}

const ArchiveTensor& find_weight(const Archive& archive, const Entries& model, const std::string& name) {
  std::vector<Slot> slots;
  add_slots(slots, "", model);
  const Names names = match_names(archive, slots);
  const auto found = names.file_name.find(name);
  if (found == names.file_name.end())
    throw CheckpointError("[load] ", archive.path(), " has no tensor '", name,
                          "': weights of another model?");
  return archive.at(found->second);
}

LoadReport load_weights(const std::string& path, const Entries& model, const LoadOptions& options) {
  const Archive archive = open_weights(path);
  std::vector<Slot> slots;
  add_slots(slots, "", model);
  const Names names = match_names(archive, slots);
  const std::string head = options.ignore_head ? options.head : "";
  LoadReport report{.prefix = names.prefix};
  bool other_classes = false;
  Findings missing(kShownNames), unexpected(kShownNames), different(kShownNames);
  std::vector<Slot*> wanted;
  for (Slot& slot : slots) {
    const auto found = names.file_name.find(slot.name);
    if (begins(slot.name, head)) {
      report.left_out += found != names.file_name.end();
      continue;
    }
    const std::string_view dtype = file_dtype(slot.tensor.defined() ? slot.tensor.dtype() : Dtype::f32);
    if (found == names.file_name.end()) {
      if (slot.tensor.defined() && !is_counter(slot.name))
        missing.add(text(slot.name, " (", in_words(dtype, shape_in_file(slot)), ')'));
      continue;
    }
    const ArchiveTensor& t = archive.at(found->second);
    if (slot.tensor.defined() && (t.shape != shape_in_file(slot) || t.dtype != dtype)) {
      if (is_counter(slot.name)) continue;
      other_classes = other_classes || begins(slot.name, options.head);
      different.add(text(slot.name, " (", in_words(t.dtype, t.shape), ", expected ",
                         in_words(dtype, shape_in_file(slot)), ')'));
      continue;
    }
    wanted.push_back(&slot);
  }
  for (const std::string& name : names.unknown) {
    const std::string theirs = name.substr(name.starts_with(names.prefix) ? names.prefix.size() : 0);
    if (is_counter(theirs)) continue;
    if (begins(theirs, head)) {
      ++report.left_out;
      continue;
    }
    const ArchiveTensor& t = archive.at(name);
    unexpected.add(text(excerpt(theirs), " (", in_words(t.dtype, t.shape), ')'));
  }
  const std::string problems =
      missing.line("missing") + unexpected.line("unexpected") + different.line("different");
  if (!problems.empty())
    throw CheckpointError("[load] ", path, " does not fit", problems,
                          other_classes ? "; for other classes: --ignore-head" : "");

  if (options.read)
    for (Slot* slot : wanted) fill(*slot, archive, names.file_name.at(slot->name));
  if (options.read) expect_finite(path, wanted);
  report.tensors = static_cast<std::int64_t>(wanted.size());
  report.renamed = names.renamed;
  return report;
}

}  // namespace basin::apps
