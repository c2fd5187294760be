// Directories: what is there, made durably, and errors of the system that are not taken for "nothing there".
#include "core/io/directory.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/error.h"
#include "core/io/files.h"
#include "core/io/system_call.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using test::TemporaryDirectory;

namespace {

/// Fails every call of that name for a while.
template <int kNumber>
class Fault {
 public:
  explicit Fault(const char* call) : before_(set_system_fault(fault)) { name_ = call; }
  ~Fault() { set_system_fault(before_); }

 private:
  static int fault(const char* call) { return std::string(call) == name_ ? kNumber : 0; }
  static inline const char* name_ = "";
  SystemFault before_;
};

}  // namespace

TEST_CASE("the last name of a path, with a slash at its end or without") {
  CHECK(last_name("runs/sam") == "sam");
  CHECK(last_name("runs/sam/") == "sam");
  CHECK(last_name("sam") == "sam");
  CHECK(last_name("") == "");
}

TEST_CASE("directory: what is at a path") {
  const TemporaryDirectory dir;
  std::ofstream(dir / "file") << "x";
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK(kind_of_file(dir / "file") == FileKind::regular);
  CHECK(kind_of_file(dir.path()) == FileKind::directory);
  CHECK(kind_of_file(dir / "pipe") == FileKind::pipe);
  CHECK(kind_of_file("/dev/null") == FileKind::device);
  CHECK(kind_of_file(dir / "none") == FileKind::none);
  CHECK(kind_of_file(dir / "file/below") == FileKind::none);
  CHECK(kind_of_file(dir / std::string(10000, 'x')) == FileKind::none);
  CHECK(odd_file(dir / "file").empty());
  CHECK(odd_file(dir / "none").empty());
  CHECK(odd_file(dir / "pipe") == "a pipe");
  const Fault<EACCES> refused("stat");
  CHECK_THROWS_WITH_AS(kind_of_file(dir / "file"),
                       ("[read] " + (dir / "file") + ": Permission denied").c_str(), ReadError);
  CHECK(odd_file(dir / "pipe").empty());
}

TEST_CASE("directory: a listing is whole or an error") {
  const TemporaryDirectory dir;
  for (const char* name : {"b", ".hidden", "a"}) std::ofstream(dir / name) << "x";
  CHECK(list_directory(dir.path()) == std::vector<std::string>{".hidden", "a", "b"});
  CHECK_THROWS_AS(list_directory(dir / "none"), ReadError);
  CHECK_THROWS_AS(list_directory(dir / "a"), ReadError);
  for (const char* call : {"opendir", "readdir"}) {
    const Fault<EIO> refused(call);
    CHECK_THROWS_WITH_AS(list_directory(dir.path()),
                         ("[read] " + dir.path() + ": Input/output error").c_str(), ReadError);
  }
}

TEST_CASE("directory: made with all above it, each synced into its parent") {
  const TemporaryDirectory dir;
  static int synced = 0;
  synced = 0;
  const SystemFault none =
      set_system_fault([](const char* call) { return synced += std::string(call) == "fsync_directory", 0; });
  CHECK(make_directory(dir / "a/b//c/"));
  set_system_fault(none);
  CHECK(synced == 3);
  CHECK_FALSE(make_directory(dir / "a/b/c"));
  CHECK(kind_of_file(dir / "a/b/c") == FileKind::directory);
  std::ofstream(dir / "file") << "x";
  CHECK_THROWS_AS(make_directory(dir / "file"), OutputError);
  CHECK_THROWS_AS(make_directory(dir / "file/below"), OutputError);
  const Fault<EIO> failing("fsync_directory");
  CHECK_THROWS_AS(make_directory(dir / "new"), OutputError);
}
