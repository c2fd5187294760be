#include "apps/weights/export_format.h"

#include <cstring>
#include <map>

#include "apps/options/bindings.h"
#include "apps/options/options.h"
#include "apps/weights/weights.h"
#include "core/error.h"
#include "core/io/npz.h"
#include "nn/onnx/onnx.h"

namespace basin::apps {
namespace {

void count(Compared& compared, const ArchiveEntry& entry) {
  ++compared.tensors;
  compared.numbers += entry.tensor.elements();
}

/// Compares every tensor of the source with that of an opened file.
template <class File>
Compared compare(const ExportSource& source, const File& file) {
  if (file.tensors().size() != source.tensors.size())
    throw CheckFailedError("[export] ", file.path(), " has ", file.tensors().size(), " tensors, ",
                           source.tensors.size(), " were written");
  for (const auto& [key, value] : to_metadata(source.identity)) {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end() || found->second != value)
      throw CheckFailedError("[export] ", file.path(), " does not say of itself: ", key, " ", value);
  }
  Compared compared;
  for (const ArchiveEntry& written : source.tensors) {
    expect_equal(file.path(), written, file.read(written.name, written.layout));
    count(compared, written);
  }
  return compared;
}

void write_safetensors(const ExportSource& source, const std::string& path) {
  write_archive(path, source.tensors, weight_metadata(source.identity));
}

Compared check_safetensors(const ExportSource& source, const std::string& path) {
  return compare(source, Archive(path));
}

void write_numpy(const ExportSource& source, const std::string& path) {
  write_npz(path, source.tensors, to_metadata(source.identity));
}

Compared check_numpy(const ExportSource& source, const std::string& path) {
  return compare(source, NpzFile(path));
}

void write_graph(const ExportSource& source, const std::string& path) {
  const Identity& identity = source.identity;
  nn::write_onnx(path, nn::onnx_graph(source.model, identity.image, identity.model, source.dtype),
                 to_metadata(identity));
}

/// All but the counters (num_batches_tracked), which inference does not read.
Compared check_graph(const ExportSource& source, const std::string& path) {
  std::map<std::string, Tensor> held;
  for (nn::OnnxInitializer& i : nn::read_onnx_initializers(path)) held.emplace(i.name, std::move(i.tensor));
  Compared compared;
  for (const ArchiveEntry& written : source.tensors) {
    if (!is_floating(written.tensor.dtype())) continue;
    const auto found = held.find(written.name);
    if (found == held.end()) throw CheckFailedError("[export] ", path, " does not have '", written.name, "'");
    const bool convolution = written.layout == FileLayout::convolution;
    expect_equal(path, written, convolution ? from_file_layout(found->second) : found->second);
    count(compared, written);
  }
  return compared;
}

}  // namespace

const std::vector<ExportFormat>& export_formats() {
  static const std::vector<ExportFormat> all = {
      {"safetensors", ".safetensors", "names and layouts of PyTorch and torchvision", write_safetensors,
       check_safetensors},
      {"npz", ".npz", "the same tensors for numpy.load", write_numpy, check_numpy},
      {"onnx", ".onnx", "the inference graph with its weights, for ONNX runtimes", write_graph, check_graph},
  };
  return all;
}

const ExportFormat& export_format(const std::string& name, const std::string& path) {
  std::vector<std::string> endings;
  for (const ExportFormat& format : export_formats()) {
    if (name == format.name || (name == "auto" && path.ends_with(format.ending))) return format;
    endings.push_back(format.ending);
  }
  if (name != "auto") throw UsageError("unknown export format ", quote(name));
  throw UsageError("export: ", quote(path), " does not end in ", one_of(endings), "; give --format NAME");
}

void expect_equal(const std::string& path, const ArchiveEntry& written, const Tensor& read) {
  const Tensor& own = written.tensor;
  if (read.dtype() != own.dtype() || read.shape() != own.shape())
    throw CheckFailedError("[export] ", path, ": '", written.name, "' reads back as ", read.dtype(), " ",
                           read.shape(), ", it was written from ", own.dtype(), " ", own.shape());
  if (std::memcmp(read.raw(), own.raw(), own.bytes()) != 0)
    throw CheckFailedError("[export] ", path, ": '", written.name, "' reads back with other numbers");
}

}  // namespace basin::apps
