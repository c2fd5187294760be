// Files: all or nothing on every failure, durable order of the steps, errors for people, checked reads.
#include "core/io/files.h"
#include "core/io/system_call.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"
#include "tests/core/temporary_directory.h"

namespace basin {
namespace {

using test::TemporaryDirectory;
using Names = std::vector<std::string>;

/// Fails the call number `when` (counted from 0) with `number`; records all calls.
struct Fault {
  static inline int calls, when, number;
  static inline std::vector<std::string> seen;
  static int ask(const char* call) {
    seen.emplace_back(call);
    return calls++ == when ? number : 0;
  }
  Fault(int fail_when, int fail_number) {
    calls = 0, when = fail_when, number = fail_number;
    seen.clear();
    set_system_fault(&ask);
  }
  ~Fault() { set_system_fault(nullptr); }
};

template <class Call>
std::string output_error_of(Call call) {
  try {
    call();
  } catch (const OutputError& e) {
    CHECK(e.code() == ExitCode::output);
    return e.what();
  }
  return "(no error)";
}

bool contains(const std::string& whole, std::string_view part) {
  return whole.find(part) != std::string::npos;
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

TEST_CASE("files: write, replace, read back, nothing else is left in the directory") {
  TemporaryDirectory dir;
  write_file_atomically(dir / "a.txt", "one");
  CHECK(read_file(dir / "a.txt") == "one");
  std::string large(300'000, 'x');
  write_file_atomically(dir / "a.txt", [&](FileWriter& out) {
    out.reserve(large.size() + 3);
    out.write("two");
    out.write(large);
  });
  CHECK(read_file(dir / "a.txt") == "two" + large);
  write_file_atomically(dir / "empty", "");
  CHECK(read_file(dir / "empty").empty());
  CHECK(dir.names() == Names{"a.txt", "empty"});
}

TEST_CASE("files: the bytes reach the disk before the name, the name before the return") {
  TemporaryDirectory dir;
  Fault record(-1, 0);
  write_file_atomically(dir / "a", "content");
  CHECK(Fault::seen == Names{"open", "open", "write", "fsync", "close", "rename", "fsync_directory"});
}

TEST_CASE("files: whichever system call fails, the old file or the new one stands whole") {
  TemporaryDirectory dir;
  const std::string path = dir / "a";
  const auto save = [&] {
    write_file_atomically(path, [](FileWriter& out) {
      out.reserve(200'000);
      for (int i = 0; i < 4; ++i) out.write(std::string(50'000, static_cast<char>('a' + i)));
    });
  };
  for (const int number : {ENOSPC, EIO, EACCES, EROFS, EDQUOT}) {
    for (int k = 0;; ++k) {
      CAPTURE(k);
      CAPTURE(number);
      set_system_fault(nullptr);
      write_file_atomically(path, "old");
      std::string error;
      bool reached;
      {
        Fault fault(k, number);
        error = output_error_of(save);
        reached = Fault::calls > k;
      }
      if (!reached) {
        CHECK(k >= 9);
        CHECK(error == "(no error)");
        CHECK(read_file(path).size() == 200'000);
        break;
      }
      const std::string& failed = Fault::seen[static_cast<std::size_t>(k)];
      CAPTURE(failed);
      if (failed == "fallocate" && (number == EACCES || number == EROFS)) {
        CHECK(error == "(no error)");  // a file system that cannot reserve
        continue;
      }
      CHECK(contains(error, path + ": ") == (failed != "fsync_directory"));
      CHECK(contains(error, path));
      if (number == ENOSPC) CHECK(contains(error, "No space left on device"));
      if (failed == "fsync_directory")
        CHECK(read_file(path).size() == 200'000);
      else
        CHECK(read_file(path) == "old");
      CHECK(dir.names() == Names{"a"});
    }
  }
}

TEST_CASE("files: a call that a signal interrupts is made again") {
  TemporaryDirectory dir;
  for (int k = 0; k < 7; ++k) {
    Fault fault(k, EINTR);
    CHECK_NOTHROW(write_file_atomically(dir / "a", "x"));
    CHECK(Fault::calls > k);
  }
  CHECK(dir.names() == Names{"a"});
}

TEST_CASE("files: a file system that cannot sync directories is no failure") {
  TemporaryDirectory dir;
  Fault fault(6, EINVAL);
  CHECK_NOTHROW(write_file_atomically(dir / "a", "x"));
  CHECK(Fault::seen[6] == "fsync_directory");
}

TEST_CASE("files: an exception of the caller leaves the old file and no temporary") {
  TemporaryDirectory dir;
  write_file_atomically(dir / "a", "old");
  CHECK_THROWS_AS(write_file_atomically(dir / "a",
                                        [](FileWriter& out) {
                                          out.write("half");
                                          throw NumericalError("[test] stop");
                                        }),
                  NumericalError);
  CHECK(read_file(dir / "a") == "old");
  CHECK(dir.names() == Names{"a"});
}

TEST_CASE("files: the file-size limit is an error with a remedy, the old file stays") {
  TemporaryDirectory dir;
  const std::string path = dir / "a";
  write_file_atomically(path, "old");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);  // as `basin` does: the limit arrives as EFBIG
  const rlimit small{100'000, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string error = output_error_of([&] { write_file_atomically(path, std::string(500'000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  CHECK(contains(error, "[write] " + path + ": File too large; the file-size limit (ulimit -f)"));
  CHECK(read_file(path) == "old");
  CHECK(dir.names() == Names{"a"});
}

TEST_CASE("files: errors name the path and the remedy") {
  TemporaryDirectory dir;
  CHECK(output_error_of([&] { write_file_atomically(dir / "no/where", "x"); }) ==
        "[write] " + dir.path() +
            "/no/where: No such file or directory; the directory is not there, create it first");
  CHECK(contains(output_error_of([&] { write_file_atomically(dir.path(), "x"); }), "Is a directory"));
  CHECK(contains(output_error_of([] { write_file_atomically("/dev/full", "x"); }),
                 "[write] /dev/full: No space left on device; free some space"));
}

TEST_CASE("files: a device is written, not replaced") {
  CHECK_NOTHROW(write_file_atomically("/dev/null", "x"));
  struct stat info {};
  REQUIRE(::stat("/dev/null", &info) == 0);
  CHECK(S_ISCHR(info.st_mode));
}

TEST_CASE("files: a new file's mode follows the umask, a replaced file keeps its mode") {
  TemporaryDirectory dir;
  const mode_t before = ::umask(027);
  write_file_atomically(dir / "a", "x");
  ::umask(before);
  CHECK(mode_of(dir / "a") == 0640);
  REQUIRE(::chmod((dir / "a").c_str(), 0604) == 0);
  write_file_atomically(dir / "a", "y");
  CHECK(mode_of(dir / "a") == 0604);
}

TEST_CASE("files: a symbolic link is followed") {
  TemporaryDirectory dir;
  std::filesystem::create_directory(dir / "real");
  write_file_atomically(dir / "real/a", "old");
  REQUIRE(::symlink("real/a", (dir / "link").c_str()) == 0);
  write_file_atomically(dir / "link", "new");
  CHECK(std::filesystem::is_symlink(dir / "link"));
  CHECK(read_file(dir / "real/a") == "new");
}

TEST_CASE("files: what a killed writer left is removed, what a living one holds is not") {
  TemporaryDirectory dir;
  const pid_t child = ::fork();
  REQUIRE(child != -1);
  if (child == 0) {  // dies in the middle of a write
    write_file_atomically(dir / "a", [](FileWriter& out) {
      out.write("half");
      out.flush();
      ::raise(SIGKILL);
    });
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  const Names left = dir.names();
  REQUIRE(left.size() == 1);
  CHECK(left[0].starts_with(".basin-"));

  write_file_atomically(dir / "b", [&](FileWriter& out) {
    out.write("outer");
    write_file_atomically(dir / "c", "inner");  // cleans the directory while the outer temporary lives
  });
  CHECK(read_file(dir / "b") == "outer");
  CHECK(read_file(dir / "c") == "inner");
  CHECK(dir.names() == Names{"b", "c"});
}

TEST_CASE("files: reads are checked") {
  TemporaryDirectory dir;
  write_file_atomically(dir / "a", "0123456789");
  const InputFile file(dir / "a");
  CHECK(file.size() == 10);
  char four[4];
  file.read(6, four, 4);
  CHECK(std::string(four, 4) == "6789");
  file.read(10, four, 0);
  CHECK_THROWS_AS(file.read(7, four, 4), DataError);
  CHECK_THROWS_AS(file.read(~std::uint64_t{0}, four, 4), DataError);
  CHECK_THROWS_AS(file.read(4, four, ~std::size_t{0}), DataError);
  REQUIRE(::truncate((dir / "a").c_str(), 8) == 0);  // after it was opened
  CHECK_THROWS_WITH_AS(file.read(6, four, 4),
                       ("[read] " + dir.path() + "/a: was 10 bytes and now ends at byte 8").c_str(),
                       DataError);
  CHECK_THROWS_AS(read_file(dir / "a", 7), DataError);
  CHECK_THROWS_WITH_AS(read_file(dir / "b"),
                       ("[read] " + dir.path() + "/b: No such file or directory").c_str(), DataError);
  CHECK_THROWS_AS(read_file(dir.path()), DataError);
  CHECK_THROWS_AS(read_file("/dev/null"), DataError);
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_AS(read_file(dir / "pipe"), DataError);  // and does not wait for a writer
}

TEST_CASE("files: removing") {
  TemporaryDirectory dir;
  write_file_atomically(dir / "a", "x");
  remove_file(dir / "a");
  CHECK(dir.names().empty());
  CHECK_NOTHROW(remove_file(dir / "a"));
  CHECK(contains(output_error_of([&] { remove_file(dir.path()); }), "[remove] "));
}

}  // namespace
}  // namespace basin
