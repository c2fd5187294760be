#include "apps/runs/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <sstream>

#include "apps/runs/environment.h"
#include "core/io/system_call.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

/// The process that /proc/locks names for a lock on the directory, 0 for one of another pid namespace; none:
/// no lock. A line: "1: FLOCK  ADVISORY  WRITE 4711 fe:01:131 0 EOF"; in one that waits, "->" is a cell more.
/// The device (fe:01) is not compared: in overlay and btrfs file systems stat() tells another one.
std::optional<long> process_holding(const std::string& directory) {
  struct stat facts {};
  if (::stat(directory.c_str(), &facts) != 0) return {};
  const std::string inode = ":" + std::to_string(facts.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream cells(line);
    std::string number, kind, how, what, place;
    long process = 0;
    cells >> number >> kind >> how >> what >> process >> place;
    if (cells && kind == "FLOCK" && place.ends_with(inode)) return std::max(process, 0L);
  }
  return {};
}

/// What it was called with, its arguments apart by spaces; empty where the system doesn't tell.
std::string command_of(long process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/cmdline", std::ios::binary);
  std::ostringstream all;
  all << file.rdbuf();
  std::string words = all.str();
  while (words.ends_with('\0')) words.pop_back();
  std::replace(words.begin(), words.end(), '\0', ' ');
  return excerpt(words);
}

/// When it began: its folder in /proc is as old as it.
std::string start_of(long process) {
  struct stat facts {};
  if (::stat(("/proc/" + std::to_string(process)).c_str(), &facts) != 0) return {};
  return timestamp(facts.st_ctime);
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

std::string holder_of(const std::string& directory) {
  const long process = process_holding(directory).value_or(0);
  if (process == 0) return {};
  const std::string host = host_name(), start = start_of(process), command = command_of(process);
  return text("process ", process, host.empty() ? "" : " on host " + host,
              start.empty() ? "" : " since " + start, command.empty() ? "" : ": " + command);
}

bool is_locked(const std::string& directory) { return process_holding(directory).has_value(); }

DirectoryLock::DirectoryLock(const std::string& command, const std::string& directory,
                             const std::string& remedy, Owner owner)
    : descriptor_(
          ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | (owner == Owner::process ? O_CLOEXEC : 0))) {
  if (descriptor_ == -1) throw OutputError("[", command, "] ", directory, ": ", reason(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;  // or no locks here
  ::close(descriptor_);
  const std::string holder = holder_of(directory);
  throw InUseError("[", command, "] ", directory, " is in use by another basin process",
                   holder.empty() ? ", of another machine or container" : " (" + holder + ")",
                   "; wait for it, or ", remedy);
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace basin::apps
