#include "apps/export_format.h"

#include <cstring>

#include "apps/option_values.h"
#include "apps/options.h"
#include "apps/weights.h"
#include "core/error.h"

namespace basin::apps {
namespace {

void write_safetensors(const ExportSource& source, const std::string& path) {
  const Shape& image = source.image;
  write_archive(path, source.tensors,
                {{"format", "pt"},  // PyTorch's layouts; some loaders insist on the word
                 {"model", source.name},
                 {"image", text(image[0], 'x', image[1], 'x', image[2])},
                 {"classes", text(source.classes)}});
}

std::int64_t check_safetensors(const ExportSource& source, const std::string& path) {
  const Archive archive(path);
  if (archive.tensors().size() != source.tensors.size())
    throw CheckFailedError("[export] ", path, " has ", archive.tensors().size(), " tensors, ",
                           source.tensors.size(), " were written");
  for (const ArchiveEntry& written : source.tensors)
    expect_equal(path, written, archive.read(written.name, written.layout));
  return static_cast<std::int64_t>(source.tensors.size());
}

}  // namespace

const std::vector<ExportFormat>& export_formats() {
  static const std::vector<ExportFormat> all = {
      {"safetensors", ".safetensors", "names and layouts of PyTorch and torchvision", write_safetensors,
       check_safetensors},
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
