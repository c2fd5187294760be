// Tar archives: what GNU tar and Python write is read as it is, and hostile ones end with one line.
#include "data/formats/tar.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "core/error.h"
#include "data/formats/cifar.h"
#include "data/formats/idx.h"
#include "data/formats/unpack.h"
#include "data/sets/load.h"
#include "data/sets/picture_list.h"
#include "data/sets/pictures.h"
#include "tests/core/temporary_directory.h"
#include "tests/data/crafted.h"
#include "tests/data/tars.h"

using namespace basin;
using namespace basin::data;
using test::tar_end, test::tar_header, test::tar_member, test::write_file;
namespace fs = std::filesystem;

namespace {

struct Read {
  std::string name{}, content{};
  TarMember::Kind kind = TarMember::Kind::file;
  bool operator==(const Read&) const = default;
};

std::vector<Read> read_all(ByteStream& stream) {
  TarReader tar(stream);
  std::vector<Read> all;
  while (const std::optional<TarMember> member = tar.next()) {
    Read one{.name = member->name, .kind = member->kind};
    char piece[7];  // no divisor of a block
    for (std::size_t got = 0; (got = tar.read(piece, sizeof piece)) > 0;) one.content.append(piece, got);
    CHECK(one.content.size() == member->bytes);
    all.push_back(one);
  }
  CHECK_FALSE(tar.next());
  return all;
}

/// An archive in a file of its own.
class Archive {
 public:
  explicit Archive(const std::string& bytes) { write_file(path(), bytes); }
  std::string path() const { return dir_ / "a.tar"; }
  std::vector<Read> members() const {
    PlainStream stream(path());
    return read_all(stream);
  }
  /// What reading it, without the contents, fails with.
  std::string failure() const {
    PlainStream stream(path());
    TarReader tar(stream);
    try {
      while (tar.next()) {
      }
    } catch (const DataError& error) {
      const std::string what = error.what();
      CHECK(what.starts_with(path() + ": damaged tar at byte "));
      return what.substr(path().size() + 2);
    }
    return "";
  }

 private:
  test::TemporaryDirectory dir_;
};

using Kind = TarMember::Kind;

}  // namespace

TEST_CASE("tar: members with their contents, offsets and kinds, long names of both ways") {
  const std::string name(240, 'n');
  const Archive archive(
      tar_member({.name = "a.txt", .content = "hello"}) + tar_member({.name = "empty"}) +
      tar_member({.name = "folder/", .type = '5'}) + tar_member({.name = "old/", .type = '\0'}) +
      tar_member({.name = "file", .content = std::string(512, 'x'), .prefix = "deep/folder"}) +
      tar_member({.name = "gnu", .content = "g", .magic = "ustar  ", .prefix = "no prefix"}) +
      tar_member({.name = "././@LongLink", .content = name + '\0', .type = 'L'}) +
      tar_member({.name = "cut", .content = "long"}) +
      tar_member({.name = "x",
                  .content = test::pax_record("mtime", "1.5") + test::pax_record("path", "päx"),
                  .type = 'x'}) +
      tar_member({.name = "short", .content = "pax"}) +
      tar_member({.name = "g", .content = test::pax_record("comment", "all"), .type = 'g'}) +
      tar_member({.name = "link", .type = '2'}) + tar_member({.name = "device", .type = '3'}) +
      tar_member({.name = "v7", .content = "7", .type = '\0', .magic = ""}) + tar_end() + "what follows");
  const std::vector<Read> expected = {{"a.txt", "hello"},
                                      {"empty", ""},
                                      {"folder/", "", Kind::folder},
                                      {"old/", "", Kind::folder},
                                      {"deep/folder/file", std::string(512, 'x')},
                                      {"gnu", "g"},
                                      {name, "long"},
                                      {"päx", "pax"},
                                      {"link", "", Kind::link},
                                      {"device", "", Kind::other},
                                      {"v7", "7"}};
  CHECK(archive.members() == expected);
  PlainStream stream(archive.path());
  TarReader tar(stream);
  CHECK(tar.next()->offset == 512);
  CHECK(tar.next()->offset == 3 * 512);
}

TEST_CASE("tar: sizes in base 256 and in pax headers, links whose header claims a size") {
  const std::string binary = std::string("\x80", 1) + std::string(10, '\0') + "\x05";
  const Archive archive(tar_header({.name = "b", .size = binary}) + "hello" + std::string(507, '\0') +
                        tar_member({.name = "x", .content = test::pax_record("size", "3"), .type = 'x'}) +
                        tar_header({.name = "p", .size = "00000000000"}) + "pax" + std::string(509, '\0') +
                        tar_header({.name = "hard", .type = '1', .size = "00000000777"}) +
                        tar_member({.name = "last"}) + tar_end());
  CHECK(archive.members() ==
        std::vector<Read>{{"b", "hello"}, {"p", "pax"}, {"hard", "", Kind::link}, {"last", ""}});
}

TEST_CASE("tar: damage is found and told with its place") {
  const std::string good = tar_member({.name = "a", .content = "hello"});
  const std::string whole = good + tar_member({.name = "b", .content = std::string(700, 'b')}) + tar_end();
  CHECK(Archive(whole).failure().empty());
  // Cut anywhere before the end mark.
  for (std::size_t length = 0; length < whole.size() - 1024; length += 100) {
    CAPTURE(length);
    CHECK_FALSE(Archive(whole.substr(0, length)).failure().empty());
  }
  CHECK(Archive(whole.substr(0, whole.size() - 1024)).failure() ==
        "damaged tar at byte 2560: the file ends without the archive's end mark: it is cut off");
  CHECK(Archive(good + "<html>" + std::string(600, ' ')).failure() ==
        "damaged tar at byte 1024: a header's checksum is wrong");
  // One changed byte of a header.
  for (const std::size_t at : {0, 99, 124, 130, 156, 257, 345, 511}) {
    CAPTURE(at);
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    CHECK(Archive(bytes).failure() ==
          "damaged tar at byte 0: the first header's checksum is wrong: not a tar archive?");
  }
  const auto with_size = [&](const std::string& size) {
    return Archive(tar_header({.name = "a", .size = size}) + tar_end()).failure();
  };
  CHECK(with_size("0000000000x").find("size is no number") != std::string::npos);
  CHECK(with_size(std::string(12, '\xff')).find("size is no number") != std::string::npos);
  CHECK(with_size("\x80" + std::string(11, '\x7f')).find("size is no number") != std::string::npos);
  CHECK(with_size("77777777777").find("ends inside") != std::string::npos);
  CHECK(with_size("\x80" + std::string(3, '\0') + "\x0f" + std::string(7, '\xff')).find("ends inside") !=
        std::string::npos);
  const auto with_pax = [&](const std::string& records) {
    return Archive(tar_member({.name = "x", .content = records, .type = 'x'}) + good + tar_end()).failure();
  };
  CHECK(with_pax("").empty());
  for (const char* records : {"99 path=a\n", "9 path=ab\n", "0 a=b\n", "-8 a=bc\n", "a=b\n", "6 path\n",
                              "18446744073709551616 path=a\n", "12 path=aaaaaa"}) {
    CAPTURE(records);
    CHECK(with_pax(records).find("a pax header that is none") != std::string::npos);
  }
  CHECK(with_pax(test::pax_record("size", "-1")).find("size is no number") != std::string::npos);
  CHECK(with_pax(test::pax_record("size", "9223372036854775808")).find("size is no number") !=
        std::string::npos);
  CHECK(with_pax(test::pax_record("size", "1000000")).find("ends inside") != std::string::npos);
  CHECK(with_pax(test::pax_record("path", "")).find("without a name") != std::string::npos);
  CHECK(with_pax(test::pax_record("GNU.sparse.major", "1")).find("sparse") != std::string::npos);
  CHECK(Archive(tar_member({.name = "s", .type = 'S'}) + tar_end()).failure().find("sparse") !=
        std::string::npos);
  CHECK(Archive(tar_header({.name = "L", .type = 'L', .size = "00777777777"}) + tar_end())
            .failure()
            .find("an extended header of 134217727 bytes") != std::string::npos);
}

TEST_CASE("tar: archives of the tar program are read, plain and gzip") {
  if (std::system("tar --version > /dev/null 2>&1") != 0) return;
  test::TemporaryDirectory dir;
  const std::string folder(120, 'f'), file(130, 'n');
  fs::create_directories(dir / ("in/" + folder));
  write_file(dir / ("in/" + folder + "/" + file), std::string(3000, 'c'));
  write_file(dir / "in/small", std::string("text"));
  fs::create_symlink("small", dir / "in/link");
  for (const char* format : {"ustar", "gnu", "pax"}) {
    CAPTURE(format);
    const std::string archive = dir / "a.tar.gz";
    const std::string command = "cd '" + dir.path() + "/in' && tar --sort=name --format=" + format +
                                " -czf '" + archive + "' small link " +
                                (format == std::string("ustar") ? "" : folder) + " > /dev/null 2>&1";
    if (std::system(command.c_str()) != 0) continue;  // another tar
    GzipStream stream(archive);
    const std::vector<Read> all = read_all(stream);
    REQUIRE(all.size() == (format == std::string("ustar") ? 2 : 4));
    CHECK(all[0] == Read{"small", "text"});
    CHECK(all[1] == Read{"link", "", Kind::link});
    if (all.size() == 2) continue;
    CHECK(all[2].kind == Kind::folder);
    CHECK(all[3] == Read{folder + "/" + file, std::string(3000, 'c')});
    const std::string out = dir / (std::string("out-") + format);
    fs::create_directory(out);
    const Unpacked unpacked = unpack_tar(archive, out);
    CHECK(unpacked.files == 2);
    CHECK(unpacked.bytes == 3004);
    CHECK(unpacked.passed_over == 1);
    CHECK(fs::file_size(out + "/" + folder + "/" + file) == 3000);
    CHECK_FALSE(fs::exists(fs::symlink_status(out + "/link")));
  }
}

TEST_CASE("unpack: nothing leaves the folder, nothing is written twice, no more than was allowed") {
  test::TemporaryDirectory dir;
  const auto failure = [&](const std::string& bytes, std::uint64_t most = 1000) -> std::string {
    write_file(dir / "a.tar", bytes);
    fs::remove_all(dir / "out");
    fs::create_directory(dir / "out");
    try {
      unpack_tar(dir / "a.tar", dir / "out", most);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  for (const char* name : {"../x", "/tmp/x", "a/../../x", "..", "a/.."}) {
    CAPTURE(name);
    CHECK(failure(tar_member({.name = name, .content = "x"}) + tar_end()).find("outside of the folder") !=
          std::string::npos);
    CHECK(fs::is_empty(dir / "out"));
  }
  // A link is not made, so what follows below it stays inside.
  CHECK(failure(tar_member({.name = "l", .type = '2'}) + tar_member({.name = "l/x", .content = "x"}) +
                tar_end())
            .empty());
  CHECK(fs::is_regular_file(dir / "out/l/x"));
  CHECK(failure(tar_member({.name = "./a/b", .content = "x"}) + tar_end()).empty());
  CHECK(fs::is_regular_file(dir / "out/a/b"));
  CHECK(failure(tar_member({.name = "a"}) + tar_member({.name = "./a"}) + tar_end()).find("twice") !=
        std::string::npos);
  CHECK(failure(tar_member({.name = "a", .content = std::string(600, 'a')}) +
                tar_member({.name = "b", .content = std::string(600, 'b')}) + tar_end())
            .find("more than 1000 bytes") != std::string::npos);
}

TEST_CASE("packed files in the place of others say how they are unpacked") {
  const test::TemporaryDirectory dir;
  const std::string gz = dir / "a.gz", zip = dir / "b.zip", zst = dir / "c.tar.zst", tar = dir / "d.tar";
  test::write_file(gz, test::gzip(test::Bytes(5000, 7)));
  write_file(zip, std::string("PK\x03\x04") + std::string(600, 'x'));
  write_file(zst, std::string("\x28\xb5\x2f\xfd") + "short");
  write_file(tar, tar_member({.name = "x", .content = "y"}) + tar_end());
  const auto says = [](const auto& reads, const std::string& path) {
    try {
      reads(path);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto of_tar = [](const std::string& path) {
    PlainStream stream(path);
    TarReader(stream).next();
  };
  const auto of_idx = [](const std::string& path) { read_idx(path, 3); };
  const auto of_cifar = [](const std::string& path) {
    std::vector<std::int64_t> labels;
    read_cifar(path, kCifar10, 1, nullptr, labels);
  };
  const auto of_list = [&](const std::string& path) { read_picture_list(path, dir.path()); };
  const std::string gunzip = gz + ": is compressed by gzip; unpack it first, with: gunzip " + gz;
  const std::string unzip = zip + ": is a zip archive; unpack it first, with: unzip " + zip;
  CHECK(says(of_tar, gz) == gunzip);
  CHECK(says(of_tar, zip) == unzip);
  CHECK(says(of_tar, zst) == zst + ": is compressed by zstd; unpack it first, with: unzstd " + zst);
  CHECK(says(of_tar, tar).empty());
  CHECK(says(of_idx, zip) == unzip);
  CHECK(says(of_cifar, gz) == gunzip);
  CHECK(says(of_cifar, tar) == tar + ": is a tar archive; unpack it first, with: tar -xf " + tar);
  CHECK(says(of_list, gz) == gunzip);
  // What is not there may be in the archive that is.
  const std::string there = "; there is " + gz + ", compressed by gzip; unpack it first, with: gunzip " + gz;
  const auto of = [&](const std::string& name) {
    return says([&](const std::string& at) { load_pictures({.name = name, .dir = at}); }, dir.path());
  };
  CHECK(of("folder").ends_with(there));
  CHECK(of("list").ends_with(there));
  CHECK(of("webdataset").ends_with(there));
  CHECK(says([&](const std::string& at) { load_data_set({.name = "cifar10", .dir = at}); }, dir.path())
            .find(there) != std::string::npos);
}
