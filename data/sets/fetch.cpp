#include "data/sets/fetch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/hash.h"
#include "data/formats/unpack.h"

namespace basin::data {
namespace {

namespace fs = std::filesystem;

constexpr int kWriteError = 23;  // of curl's exit codes
constexpr std::size_t kMostSaid = 4096;

std::uint64_t size_of(const std::string& path) {
  std::error_code missing;
  const std::uintmax_t bytes = fs::file_size(path, missing);
  return missing ? 0 : bytes;
}

bool exists(const std::string& path) {
  std::error_code failure;
  const bool there = fs::exists(path, failure);
  if (failure) throw OutputError("[fetch] ", path, ": ", failure.message());
  return there;
}

void remove(const std::string& path) {
  std::error_code failure;
  fs::remove_all(path, failure);
  if (failure) throw OutputError("[fetch] ", path, ": ", failure.message());
}

void make_folder(const fs::path& path) {
  std::error_code failure;
  fs::create_directories(path, failure);
  if (failure) throw OutputError("[fetch] ", path.string(), ": ", failure.message());
}

void rename(const std::string& from, const std::string& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  if (failure) throw OutputError("[fetch] ", to, ": ", failure.message());
}

/// How a program ended, and what it said on stderr, in one line.
struct Ended {
  int code = -1;  // 128 and the signal's number if one ended it
  std::string said{};
};

/// Waits for the end of a child; its exit code, or 128 and the signal's number.
int ended(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Runs a program found by PATH without a shell; `meanwhile` is called a few times a second and once at the
/// end; what it throws ends the program. Errors: DataError if it cannot be started.
Ended run(const std::vector<std::string>& words, const std::function<void()>& meanwhile) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw InternalError("[fetch] pipe: ", std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
  pid_t child = -1;
  const int failure = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  if (failure != 0) {
    ::close(pipe[0]);
    throw DataError("the program ", words[0], " cannot be started (", std::strerror(failure), ')');
  }
  Ended result;
  try {
    for (bool open = true; open;) {  // until nobody holds the other end any more
      pollfd waiting{.fd = pipe[0], .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 200) > 0) {
        std::array<char, 512> piece{};
        const ssize_t got = ::read(pipe[0], piece.data(), piece.size());
        open = got > 0 || (got < 0 && errno == EINTR);
        if (got > 0 && result.said.size() < kMostSaid)
          result.said.append(piece.data(), static_cast<std::size_t>(got));
      }
      meanwhile();
    }
  } catch (...) {
    ::kill(child, SIGTERM);
    ::close(pipe[0]);
    ended(child);
    throw;
  }
  ::close(pipe[0]);
  result.code = ended(child);
  while (!result.said.empty() && result.said.back() == '\n') result.said.pop_back();
  for (char& c : result.said) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return result;
}

/// Makes `part` the whole file, or more of it.
void download(const RemoteFile& file, const std::string& part, const FetchProgress& progress) {
  const bool goes_on = size_of(part) > 0;
  const Ended ended = run({"curl",
                           "--fail",
                           "--location",
                           "--proto-redir",
                           "=https",
                           "--silent",
                           "--show-error",
                           "--retry",
                           "3",
                           "--connect-timeout",
                           "30",
                           "--speed-limit",
                           "1",
                           "--speed-time",
                           "120",
                           "--max-filesize",
                           std::to_string(file.bytes),
                           "--continue-at",
                           "-",
                           "--output",
                           part,
                           "--url",
                           file.address},
                          [&] {
                            if (progress) progress("downloading", size_of(part), file.bytes);
                          });
  if (ended.code == 0) return;
  // HTTP error, no ranges, bad range: perhaps only the second half cannot be had.
  if (goes_on && (ended.code == 22 || ended.code == 33 || ended.code == 36)) {
    remove(part);
    return download(file, part, progress);
  }
  const std::string reason = text(file.address, ": curl ended with code ", ended.code,
                                  ended.said.empty() ? "" : ", saying: " + ended.said);
  if (ended.code == kWriteError) throw OutputError("[fetch] ", part, ": ", reason);
  throw DataError(reason);
}

/// Unpacks beside the result's place, and moves it there when it is whole and on the disk.
void unpack(const std::string& archive, const RemoteFile& file, const std::string& dir,
            const FetchProgress& progress) {
  const std::string aside = file.result(dir) + ".unpacking";
  remove(aside);  // of a process that was ended
  make_folder(aside);
  try {
    unpack_tar(archive, aside, std::uint64_t{1} << 40, [&](std::int64_t bytes, std::int64_t) {
      if (progress) progress("unpacking", static_cast<std::uint64_t>(bytes), 0);
    });
    const std::string whole = (fs::path(aside) / file.unpacked).string();
    if (kind_of_file(whole) != FileKind::directory)
      throw DataError(archive, ": holds no folder ", file.unpacked);
    const int folder = ::open(aside.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
      ::syncfs(folder);
      ::close(folder);
    }
    rename(whole, file.result(dir));
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(aside, ignored);
    throw;
  }
  remove(aside);
}

}  // namespace

std::string RemoteFile::name() const { return address.substr(address.rfind('/') + 1); }

std::string RemoteFile::result(const std::string& dir) const {
  return (fs::path(dir) / folder / (unpacked.empty() ? name() : unpacked)).string();
}

std::string RemoteFile::by_hand(const std::string& dir) const {
  return (fs::path(dir) / folder / name()).string();
}

bool RemoteFile::is_there(const std::string& dir) const {
  return kind_of_file(result(dir)) != FileKind::none;
}

Fetched fetch(const RemoteFile& file, const std::string& dir, const FetchProgress& progress) {
  const std::string result = file.result(dir), by_hand = file.by_hand(dir);
  if (exists(result) && result != by_hand) return Fetched::was_there;
  make_folder(fs::path(result).parent_path());
  const auto sum_of = [&](const std::string& path) {
    const std::uint64_t all = size_of(path);
    return sha256_file(path, [&](std::uint64_t bytes) {
      if (progress) progress("checking", bytes, all);
    });
  };
  const auto mismatch = [&](const std::string& path, const std::string& found, const char* then) {
    return DataError(path, ": its sha256 is ", found, ", the published file's is ", file.sha256, "; ", then);
  };
  if (exists(by_hand)) {
    if (const std::string found = sum_of(by_hand); found != file.sha256)
      throw mismatch(by_hand, found, "remove it to fetch it again");
    if (result == by_hand) return Fetched::was_there;
    unpack(by_hand, file, dir, progress);
    return Fetched::by_hand;
  }
  const std::string part = by_hand + ".part";
  for (bool again = false;; again = true) {
    const std::uint64_t before = size_of(part);
    if (before > file.bytes) remove(part);
    if (before != file.bytes) download(file, part, progress);
    const std::string found = sum_of(part);
    if (found == file.sha256) break;
    remove(part);
    // What was there before may have been of another file: once more from the beginning.
    if (before == 0 || again) throw mismatch(file.address, found, "what came was removed");
  }
  if (file.unpacked.empty()) {
    rename(part, result);
  } else {
    unpack(part, file, dir, progress);
    remove(part);
  }
  return Fetched::downloaded;
}

}  // namespace basin::data
