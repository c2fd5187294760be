#include "core/io/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "core/error.h"
#include "core/io/read_error.h"
#include "core/io/system_call.h"

namespace basin {
namespace {

/// The path of the directory that holds it; empty where there is none above.
std::string parent_of(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return path == "." ? "" : ".";
  return path.size() == 1 ? "" : slash == 0 ? "/" : path.substr(0, slash);
}

/// Brings a new name in the directory to the disk; a directory that may not be opened is left to the system.
void sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor == -1) return;
  const int number = fsync_directory(descriptor);
  ::close(descriptor);
  if (number != 0) throw OutputError("[fsync] ", path, ": ", reason(number));
}

}  // namespace

FileKind kind_of_file(const std::string& path) {
  struct stat info {};
  if (system_call("stat", [&] { return ::stat(path.c_str(), &info); }) == -1) {
    // Nothing can be at a path that is longer than the system's.
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG) return FileKind::none;
    throw ReadError(errno, text("[read] ", path, ": ", reason(errno)));
  }
  switch (info.st_mode & S_IFMT) {
    case S_IFREG:
      return FileKind::regular;
    case S_IFDIR:
      return FileKind::directory;
    case S_IFIFO:
      return FileKind::pipe;
    case S_IFSOCK:
      return FileKind::socket;
    default:
      return FileKind::device;
  }
}

const char* name_of(FileKind kind) {
  switch (kind) {
    case FileKind::none:
      return "nothing";
    case FileKind::regular:
      return "a regular file";
    case FileKind::directory:
      return "a directory";
    case FileKind::pipe:
      return "a pipe";
    case FileKind::socket:
      return "a socket";
    case FileKind::device:
      break;
  }
  return "a device";
}

std::string odd_file(const std::string& path) {
  try {
    const FileKind kind = kind_of_file(path);
    return kind == FileKind::none || kind == FileKind::regular ? "" : name_of(kind);
  } catch (const ReadError&) {
    return "";
  }
}

std::string last_name(const std::string& path) {
  return (std::filesystem::path(path) / "").parent_path().filename().string();
}

std::vector<std::string> list_directory(const std::string& path) {
  const auto fail = [&](int number) { throw ReadError(number, text("[read] ", path, ": ", reason(number))); };
  errno = injected_fault("opendir");
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(errno ? nullptr : ::opendir(path.c_str()), ::closedir);
  if (!entries) fail(errno);
  std::vector<std::string> names;
  while (true) {
    errno = injected_fault("readdir");
    const dirent* entry = errno ? nullptr : ::readdir(entries.get());
    if (!entry && errno) fail(errno);
    if (!entry) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool make_directory(const std::string& path) {
  const auto make = [&] { return system_call("mkdir", [&] { return ::mkdir(path.c_str(), 0777); }); };
  const std::string parent = parent_of(path);
  int result = make();
  if (result == -1 && errno == ENOENT && !parent.empty()) {
    make_directory(parent);
    result = make();
  }
  if (result == -1) {
    const int number = errno;
    struct stat info {};
    if (number == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return false;
    throw OutputError("[make] ", path, ": ", reason(number),
                      number == EEXIST || number == ENOTDIR ? "; a part of the path is a file" : "");
  }
  if (!parent.empty()) sync_directory(parent);
  return true;
}

}  // namespace basin
