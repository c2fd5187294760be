#include "data/formats/unpack.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "data/formats/tar.h"

namespace basin::data {
namespace {

namespace fs = std::filesystem;

/// Relative, and without a way up.
bool stays_inside(const fs::path& name) {
  if (name.is_absolute()) return false;
  for (const fs::path& part : name) {
    if (part == "..") return false;
  }
  return true;
}

void make_folder(const fs::path& path) {
  std::error_code failure;
  fs::create_directories(path, failure);
  if (failure) throw OutputError("[unpack] ", path.string(), ": ", failure.message());
}

/// Copies the reader's member to a new file.
void write_member(TarReader& tar, const std::string& archive, const fs::path& path,
                  const std::function<void(std::uint64_t)>& each_piece) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  errno = 0;
  std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "wxb"));
  if (!file && errno == EEXIST)
    throw DataError(archive, ": holds '", path.filename().string(), "' twice, or it is in ",
                    path.parent_path().string(), " already");
  if (!file) throw OutputError("[unpack] ", path.string(), ": ", std::strerror(errno));
  std::vector<char> piece(std::size_t{1} << 16);
  bool written = true;
  std::uint64_t done = 0;
  for (std::size_t got = 0; written && (got = tar.read(piece.data(), piece.size())) > 0; done += got) {
    each_piece(done);
    written = std::fwrite(piece.data(), 1, got, file.get()) == got;
  }
  if (std::fclose(file.release()) != 0 || !written)
    throw OutputError("[unpack] ", path.string(), ": ", std::strerror(errno));
}

}  // namespace

Unpacked unpack_tar(const std::string& archive, const std::string& folder, std::uint64_t most_bytes,
                    const Watch& watch) {
  GzipStream stream(archive);
  TarReader tar(stream);
  Unpacked result;
  while (const std::optional<TarMember> member = tar.next()) {
    if (!stays_inside(member->name))
      throw DataError(archive, ": member '", member->name, "' would lie outside of the folder");
    const fs::path path = fs::path(folder) / fs::path(member->name).lexically_normal();
    if (member->kind == TarMember::Kind::folder) {
      make_folder(path);
    } else if (member->kind == TarMember::Kind::file) {
      if (member->bytes > most_bytes - result.bytes)
        throw DataError(archive, ": unpacks to more than ", most_bytes, " bytes");
      make_folder(path.parent_path());
      write_member(tar, archive, path, [&](std::uint64_t bytes) {
        if (watch) watch(static_cast<std::int64_t>(result.bytes + bytes), 0);
      });
      result.bytes += member->bytes;
      ++result.files;
    } else {
      ++result.passed_over;
    }
  }
  return result;
}

}  // namespace basin::data
