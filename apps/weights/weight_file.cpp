#include "apps/weights/weight_file.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "apps/cli/format.h"
#include "core/io/files.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

using namespace std::string_view_literals;

/// The file's first bytes: of a zip archive, the name of its first member is among them.
std::string beginning(const std::string& path) {
  std::array<char, 64> head{};
  try {
    const InputFile file(path);
    const auto known = static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), head.size()));
    file.read(0, head.data(), known);
    return {head.data(), known};
  } catch (const DataError& e) {
    throw CheckpointError(e.what());
  }
}

[[noreturn]] void refuse_pickle(const std::string& path, const char* what) {
  throw CheckpointError("[load] ", path, " is ", what,
                        "; basin reads safetensors and npz, never a pickle. To convert it, if you trust it "
                        "(unpickling runs what is in it): ",
                        torch_conversion(path), " (without the package safetensors: docs/weights.md)");
}

std::variant<Archive, NpzFile> opened(const std::string& path) {
  const std::string begin = beginning(path);
  if (begin.starts_with("PK\x05\x06"sv)) return NpzFile(path);  // no members
  if (begin.starts_with("PK\x03\x04"sv)) {
    if (begin.find(".npy") != begin.npos) return NpzFile(path);
    refuse_pickle(path, "a zip archive, as torch.save writes");
  }
  if (begin.starts_with("\x80\x02"sv)) refuse_pickle(path, "a pickle, as torch.save wrote before 1.6");
  if (begin.starts_with("\x93NUMPY"sv))
    throw CheckpointError("[load] ", path,
                          " is one array of numpy.save, without a name; numpy.savez(FILE, **{'NAME': array, "
                          "...}) writes what basin reads");
  return Archive(path);
}

}  // namespace

WeightFile::WeightFile(const std::string& path) : file_(opened(path)) {}

const std::string& WeightFile::path() const {
  return std::visit([](const auto& file) -> const std::string& { return file.path(); }, file_);
}

const std::vector<ArchiveTensor>& WeightFile::tensors() const {
  return std::visit([](const auto& file) -> const std::vector<ArchiveTensor>& { return file.tensors(); },
                    file_);
}

std::vector<std::string> WeightFile::names() const {
  std::vector<std::string> all;
  for (const ArchiveTensor& t : tensors()) all.push_back(t.name);
  return all;
}

const ArchiveTensor& WeightFile::at(const std::string& name) const {
  for (const ArchiveTensor& t : tensors())
    if (t.name == name) return t;
  throw CheckpointError("[load] ", path(), " has no tensor '", excerpt(name), "'");
}

const ArchiveMetadata& WeightFile::metadata() const {
  return std::visit([](const auto& file) -> const ArchiveMetadata& { return file.metadata(); }, file_);
}

Tensor WeightFile::read(const std::string& name, FileLayout layout) const {
  return std::visit([&](const auto& file) { return file.read(name, layout); }, file_);
}

bool WeightFile::verify() const {
  if (const auto* archive = std::get_if<Archive>(&file_)) {
    archive->verify();
    return archive->checksummed();
  }
  for (const ArchiveTensor& t : tensors()) read(t.name);
  return true;
}

std::string torch_conversion(const std::string& path) {
  // No single quotation mark in it: it stands in a pair of them.
  constexpr std::string_view kProgram =
      "import sys, torch; from safetensors.torch import save_file; f = sys.argv[1]; "
      "d = lambda o: o.state_dict() if hasattr(o, \"state_dict\") else o; "
      "o = d(torch.load(f, map_location=\"cpu\", weights_only=False)); "
      "o = d(next((o[k] for k in (\"state_dict\", \"model_state_dict\", \"model\", \"net\", \"weights\") "
      "if k in o and not torch.is_tensor(o[k])), o)); "
      "save_file({k: v.detach().clone().contiguous() for k, v in o.items() if torch.is_tensor(v)}, "
      "f + \".safetensors\")";
  return text("python3 -c '", kProgram, "' ", shell_word(path));
}

}  // namespace basin::apps
