// Names first: which tensor of the file is which of the model's. Then shapes, then the numbers.
#include "apps/weights/weights.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "apps/weights/findings.h"
#include "apps/weights/finite.h"
#include "apps/weights/matched_names.h"
#include "apps/weights/positions.h"
#include "apps/weights/weight_names.h"
#include "autograd/named_tensors.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

constexpr int kShownNames = 12;  // of each kind of misfit in an error

bool begins(const std::string& name, const std::string& layer) {
  return !layer.empty() && name.size() > layer.size() && name.starts_with(layer) && name[layer.size()] == '.';
}

/// Errors: NumericalError naming the first that is not finite.
void expect_finite(const std::string& path, const std::vector<NamedTensor*>& loaded) {
  std::vector<ArchiveEntry> tensors;
  for (const NamedTensor* own : loaded)
    tensors.push_back({own->name, own->buffer ? *own->buffer : own->tensor, own->layout});
  if (const std::string bad = first_not_finite(tensors); !bad.empty())
    throw NumericalError("[load] '", bad, "' in ", path, " is not finite: weights of a run that diverged");
}

/// Whether these are a vision transformer's positions, of a square of patches in the file as in the model.
bool can_resize(const NamedTensor& own, const Shape& theirs) {
  if (!own.name.ends_with("pos_embedding") || !own.tensor.defined()) return false;
  const Shape& ours = own.tensor.shape();
  return ours != theirs && position_side(ours) && position_side(theirs) && ours[2] == theirs[2];
}

/// Whether numbers of that type of a file become `dtype`: half, single and double precision, one the other.
bool converts(std::string_view file_type, Dtype dtype) {
  const bool floating = file_type == "F16" || file_type == "BF16" || file_type == "F32" || file_type == "F64";
  return floating && is_floating(dtype);
}

/// `numbers` as `dtype`. Errors: CheckpointError for a finite one that becomes infinite.
Tensor converted_to(Dtype dtype, const Tensor& numbers, const std::string& path, const std::string& name) {
  Tensor out = numbers.to(dtype);
  if (numbers.dtype() != Dtype::f64 || dtype != Dtype::f32) return out;
  const double* before = numbers.data<double>();
  const float* after = out.data<float>();
  for (Index i = 0; i < numbers.elements(); ++i)
    if (std::isfinite(before[i]) && !std::isfinite(after[i]))
      throw CheckpointError("[load] ", path, ": '", name, "' holds ", before[i],
                            ", which f32 does not; --dtype f64 takes it as it is");
  return out;
}

/// rows[k] of `numbers` as row k; all as they are if `rows` is empty.
Tensor rows_of(const Tensor& numbers, const std::vector<std::int64_t>& rows) {
  if (rows.empty()) return numbers;
  Tensor out = numbers.clone();
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const auto to = static_cast<Index>(k);
    out.slice_rows(to, to + 1).copy_from(numbers.slice_rows(rows[k], rows[k] + 1));
  }
  return out;
}

}  // namespace

std::vector<ArchiveEntry> weight_entries(const Entries& model) {
  for (const NamedBuffer& b : model.buffers)
    if (b.kind == BufferKind::statistics && !b.buffer->defined())
      throw ArgumentError("[save] '", b.name,
                          "' of these weights was never estimated; recalibrate the model first");
  return archive_entries(model);
}

ArchiveMetadata weight_metadata(const Identity& identity) {
  ArchiveMetadata metadata = to_metadata(identity);
  metadata.emplace("format", "pt");  // PyTorch's layouts
  return metadata;
}

void save_weights(const std::string& path, const Entries& model, const Identity& identity) {
  const std::vector<ArchiveEntry> tensors = weight_entries(model);
  if (const std::string bad = first_not_finite(tensors); !bad.empty())
    throw NumericalError("[save] '", bad, "' is not finite: ", path, " is not written");
  write_archive(path, tensors, weight_metadata(identity));
}

const ArchiveTensor& find_weight(const WeightFile& file, const Entries& model, const std::string& name) {
  std::vector<NamedTensor> tensors;
  add_named_tensors(tensors, "", model);
  const MatchedNames names = match_names(file, tensors);
  const auto found = names.by_ours.find(name);
  if (found == names.by_ours.end())
    throw CheckpointError("[load] ", file.path(), " has no tensor '", name, "': weights of another model?");
  return file.at(found->second.names.front());
}

std::string in_words(const LoadReport& r) {
  std::string words = text(r.tensors, " tensors");
  if (!r.prefix.empty()) words += text(", named ", r.prefix, "...");
  if (r.renamed > 0) words += text(", ", r.renamed, " of them under other names");
  if (!r.resized_words.empty()) words += ", " + r.resized_words;
  if (r.converted > 0) words += text(", ", r.converted, " converted ", r.converted_words);
  return words;
}

LoadReport load_weights(const std::string& path, const Entries& model, const LoadOptions& options) {
  const WeightFile file(path);
  std::vector<NamedTensor> tensors;
  add_named_tensors(tensors, "", model);
  const MatchedNames names = match_names(file, tensors);
  const std::string head = options.ignore_head ? options.head : "";
  LoadReport report{.prefix = names.prefix};
  bool other_classes = false;
  std::set<std::string> converted;  // dtypes of the file
  Findings missing(kShownNames), unexpected(kShownNames), different(kShownNames);
  std::vector<NamedTensor*> wanted;
  for (NamedTensor& own : tensors) {
    const auto found = names.by_ours.find(own.name);
    if (begins(own.name, head)) {
      report.left_out += found != names.by_ours.end();
      continue;
    }
    const Dtype dtype = own.tensor.defined() ? own.tensor.dtype() : Dtype::f32;
    if (found == names.by_ours.end()) {
      if (own.tensor.defined() && !is_counter(own.name))
        missing.add(text(own.name, " (", in_words(file_dtype(dtype), shape_in_file(own)), ')'));
      continue;
    }
    const std::string their_dtype = found->second.dtype(file);
    const Shape their_shape = found->second.shape(file);
    const bool resized = options.resize_positions && can_resize(own, their_shape);
    const bool same_shape = resized || !own.tensor.defined() || their_shape == shape_in_file(own);
    const bool same_dtype = !own.tensor.defined() || their_dtype == file_dtype(dtype);
    if (!same_shape || (!same_dtype && !converts(their_dtype, dtype))) {
      if (is_counter(own.name)) continue;
      other_classes = other_classes || (!same_shape && begins(own.name, options.head));
      different.add(text(own.name, " (", in_words(their_dtype, their_shape), ", expected ",
                         in_words(file_dtype(dtype), shape_in_file(own)), ')'));
      continue;
    }
    if (!same_dtype) {
      ++report.converted;
      converted.insert(their_dtype);
    }
    if (resized)
      report.resized_words =
          text("positions of ", *position_side(their_shape), " x ", *position_side(their_shape),
               " patches resized to ", *position_side(own.tensor.shape()), " x ",
               *position_side(own.tensor.shape()));
    wanted.push_back(&own);
  }
  for (const std::string& name : names.unknown) {
    const std::string theirs = name.substr(name.starts_with(names.prefix) ? names.prefix.size() : 0);
    if (is_counter(theirs)) continue;
    if (begins(theirs, head)) {
      ++report.left_out;
      continue;
    }
    const ArchiveTensor& t = file.at(name);
    unexpected.add(text(excerpt(theirs), " (", in_words(t.dtype, t.shape), ')'));
  }
  const std::string problems =
      missing.line("missing") + unexpected.line("unexpected") + different.line("different");
  if (!problems.empty()) {
    const std::string other = differences(identity_in(file.metadata()), options.wanted);
    throw CheckpointError("[load] ", path, " does not fit", problems,
                          other.empty() ? "" : "; the file says of itself: " + other,
                          other_classes ? "; for other classes: --ignore-head" : "");
  }

  for (NamedTensor* own : wanted) {
    Tensor numbers = names.by_ours.at(own->name).read(file, own->layout);
    if (own->tensor.defined() && numbers.shape() != own->tensor.shape() && can_resize(*own, numbers.shape()))
      numbers = resized_positions(numbers, *position_side(own->tensor.shape()));
    if (own->tensor.defined()) numbers = converted_to(own->tensor.dtype(), numbers, path, own->name);
    if (begins(own->name, options.head)) numbers = rows_of(numbers, options.head_rows);
    fill(*own, numbers);
  }
  expect_finite(path, wanted);
  for (const std::string& dtype : converted)
    report.converted_words += (report.converted_words.empty() ? "from " : ", ") + dtype;
  if (report.converted > 0)
    report.converted_words += converted.count("F64") > 0 ? ", rounded to f32" : ", exactly";
  report.tensors = static_cast<std::int64_t>(wanted.size());
  report.renamed = names.renamed;
  return report;
}

}  // namespace basin::apps
