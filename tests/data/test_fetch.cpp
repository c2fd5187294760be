// Fetching data sets with the program curl: the real one on file:// addresses, and stand-ins that misbehave.
#include "data/sets/fetch.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/io/files.h"
#include "core/io/hash.h"
#include "tests/core/temporary_directory.h"
#include "tests/data/crafted.h"
#include "tests/data/tars.h"

using namespace basin;
using namespace basin::data;
using test::write_file;
namespace fs = std::filesystem;

namespace {

const std::string kContent(5000, 'c');

/// A data directory, and a curl of one's own that PATH leads to.
class Place {
 public:
  Place() : path_(::getenv("PATH") ? ::getenv("PATH") : "") {
    fs::create_directory(dir_ / "bin");
    fs::create_directory(dir_ / "data");
  }
  ~Place() { ::setenv("PATH", path_.c_str(), 1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  /// Shell commands that are curl from now on; $part is the file to write.
  void curl_is(const std::string& commands) const {
    const std::string script = dir_ / "bin/curl";
    write_file(script, "#!/bin/sh\necho \"$*\" >> '" + (dir_ / "calls") +
                           "'\nwhile [ \"$1\" != --output ]; do shift; done\npart=$2\n" + commands + "\n");
    fs::permissions(script, fs::perms::owner_all);
    ::setenv("PATH", (dir_ / "bin:" + path_).c_str(), 1);
  }
  void no_curl() const { ::setenv("PATH", (dir_ / "bin").c_str(), 1); }
  /// A curl that downloads `bytes`, going on where the part ends.
  void curl_has(const std::string& bytes) const {
    write_file(dir_ / "remote", bytes);
    curl_is("have=0; [ -f \"$part\" ] && have=$(wc -c < \"$part\"); tail -c +$((have + 1)) '" +
            (dir_ / "remote") + "' >> \"$part\"");
  }
  int calls() const {
    const std::string said = fs::exists(dir_ / "calls") ? read_file(dir_ / "calls") : "";
    return static_cast<int>(std::count(said.begin(), said.end(), '\n'));
  }
  std::string path(const std::string& name) const { return dir_ / name; }
  std::string failure(const RemoteFile& file) const {
    try {
      fetch(file, data());
    } catch (const Error& error) {
      return std::to_string(static_cast<int>(error.code())) + ": " + error.what();
    }
    return "";
  }
  std::string data() const { return dir_ / "data"; }
  std::string operator/(const std::string& name) const { return dir_ / name; }

 private:
  test::TemporaryDirectory dir_;
  std::string path_;
};

RemoteFile remote(const std::string& bytes = kContent) {
  return {.address = "https://example.org/set.gz",
          .bytes = bytes.size(),
          .sha256 = sha256_text(bytes),
          .folder = "set"};
}

std::string archive_bytes(const std::string& folder) {
  const std::string tar = test::tar_member({.name = folder + "/a.bin", .content = "aaa"}) +
                          test::tar_member({.name = folder + "/b.bin", .content = "b"}) + test::tar_end();
  const test::Bytes packed = test::gzip({tar.begin(), tar.end()});
  return {packed.begin(), packed.end()};
}

}  // namespace

TEST_CASE("fetch: a file is downloaded once, verified, and found the next time") {
  const Place place;
  place.curl_has(kContent);
  std::uint64_t seen = 0;
  CHECK(fetch(remote(), place.data(), [&](const char*, std::uint64_t bytes, std::uint64_t) {
          seen = std::max(seen, bytes);
        }) == Fetched::downloaded);
  CHECK(seen <= kContent.size());
  CHECK(read_file(place / "data/set/set.gz") == kContent);
  CHECK_FALSE(fs::exists(place / "data/set/set.gz.part"));
  CHECK(fetch(remote(), place.data()) == Fetched::was_there);
  CHECK(place.calls() == 1);
  const std::string call = read_file(place / "calls");
  CHECK(call.find("--fail ") != std::string::npos);
  CHECK(call.find("--url https://example.org/set.gz") != std::string::npos);
  write_file(place / "data/set/set.gz", std::string("something else"));
  const std::string changed = place.failure(remote());
  CHECK(changed.starts_with("3: " + (place / "data/set/set.gz: its sha256 is ")));
  CHECK(changed.find("remove it") != std::string::npos);
  CHECK(read_file(place / "data/set/set.gz") == "something else");
}

TEST_CASE("fetch: an interrupted download goes on, one of another file begins anew") {
  const Place place;
  place.curl_is("printf cccc >> \"$part\"; echo 'curl: (56) reset by peer' >&2; exit 56");
  CHECK(place.failure(remote()) ==
        "3: https://example.org/set.gz: curl ended with code 56, saying: curl: (56) reset by peer");
  CHECK(fs::file_size(place / "data/set/set.gz.part") == 4);
  place.curl_has(kContent);
  CHECK(fetch(remote(), place.data()) == Fetched::downloaded);
  CHECK(place.calls() == 2);

  fs::remove(place / "data/set/set.gz");
  write_file(place / "data/set/set.gz.part", std::string("xxxx"));
  CHECK(fetch(remote(), place.data()) == Fetched::downloaded);
  CHECK(place.calls() == 4);
  CHECK(read_file(place / "data/set/set.gz") == kContent);

  // A server that cannot go on, a part that is too long, one that is complete.
  fs::remove(place / "data/set/set.gz");
  write_file(place / "data/set/set.gz.part", std::string("xxxx"));
  place.curl_is("[ -f \"$part\" ] && exit 33; cp '" + (place / "remote") + "' \"$part\"");
  CHECK(fetch(remote(), place.data()) == Fetched::downloaded);
  fs::rename(place / "data/set/set.gz", place / "data/set/set.gz.part");
  place.curl_is("exit 6");
  CHECK(fetch(remote(), place.data()) == Fetched::downloaded);
  fs::remove(place / "data/set/set.gz");
  write_file(place / "data/set/set.gz.part", kContent + "more");
  place.curl_has(kContent);
  CHECK(fetch(remote(), place.data()) == Fetched::downloaded);
}

TEST_CASE("fetch: what is not the published file is removed and told") {
  const Place place;
  place.curl_has("<html>not found</html>");
  const std::string wrong = place.failure(remote());
  CHECK(wrong.starts_with("3: https://example.org/set.gz: its sha256 is " +
                          sha256_text("<html>not found</html>")));
  CHECK(wrong.find("the published file's is " + sha256_text(kContent)) != std::string::npos);
  CHECK(fs::is_empty(place / "data/set"));
  CHECK(place.calls() == 1);
}

TEST_CASE("fetch: no network, no curl, no disk are an error each") {
  const Place place;
  place.curl_is("echo 'curl: (6) Could not resolve host: example.org' >&2; exit 6");
  CHECK(place.failure(remote()) ==
        "3: https://example.org/set.gz: curl ended with code 6, saying: curl: (6) Could not resolve host: "
        "example.org");
  place.curl_is("exit 23");
  CHECK(place.failure(remote()).starts_with("8: [fetch] " + (place / "data/set/set.gz.part")));
  place.curl_is("kill -KILL $$");
  CHECK(place.failure(remote()).find("code 137") != std::string::npos);
  fs::remove(place / "bin/curl");
  place.no_curl();
  CHECK(place.failure(remote()) == "3: the program curl cannot be started (No such file or directory)");
}

TEST_CASE("fetch: an archive's folder appears whole, from a download or a file put there by hand") {
  const Place place;
  const std::string bytes = archive_bytes("photos");
  RemoteFile file = remote(bytes);
  file.unpacked = "photos";
  place.curl_has(bytes);
  fs::create_directories(place / "data/set/photos.unpacking/photos");  // of a process that was ended
  CHECK(fetch(file, place.data()) == Fetched::downloaded);
  CHECK(read_file(place / "data/set/photos/a.bin") == "aaa");
  CHECK(std::distance(fs::directory_iterator(place / "data/set"), fs::directory_iterator()) == 1);
  CHECK(fetch(file, place.data()) == Fetched::was_there);

  fs::remove_all(place / "data/set/photos");
  write_file(place / "data/set/set.gz", bytes);
  place.curl_is("exit 6");
  CHECK(fetch(file, place.data()) == Fetched::by_hand);
  CHECK(read_file(place / "data/set/photos/b.bin") == "b");
  CHECK(fs::exists(place / "data/set/set.gz"));

  // Right by its sum, and still no archive of that folder.
  file.unpacked = "pictures";
  CHECK(place.failure(file) == "3: " + (place / "data/set/set.gz: holds no folder pictures"));
  CHECK_FALSE(fs::exists(place / "data/set/pictures"));
  CHECK_FALSE(fs::exists(place / "data/set/pictures.unpacking"));
}

TEST_CASE("fetch: the real curl, on an address without a network") {
  if (std::system("curl --version > /dev/null 2>&1") != 0) return;
  const Place place;
  write_file(place / "source.gz", kContent);
  RemoteFile file = remote();
  file.address = "file://" + (place / "source.gz");
  CHECK(fetch(file, place.data()) == Fetched::downloaded);
  CHECK(read_file(place / "data/set/source.gz") == kContent);
  fs::remove(place / "data/set/source.gz");
  write_file(place / "data/set/source.gz.part", kContent.substr(0, 1234));
  CHECK(fetch(file, place.data()) == Fetched::downloaded);
  CHECK(read_file(place / "data/set/source.gz") == kContent);
  file.address += "x";
  CHECK(place.failure(file).starts_with("3: file://"));
}

TEST_CASE("publications: every file has a full address, a size, a sum, and a place of its own") {
  for (const Publication& set : publications()) {
    CAPTURE(set.name);
    CHECK_FALSE(set.terms.empty());
    std::set<std::string> places;
    for (const RemoteFile& file : set.files) {
      CHECK(file.address.starts_with("https://"));
      CHECK(file.bytes > 0);
      CHECK(file.sha256.size() == 64);
      CHECK(file.sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
      CHECK(file.unpacked.empty() == !file.address.ends_with(".tar.gz"));
      places.insert(file.result("d"));
    }
    CHECK(places.size() == set.files.size());
  }
}

TEST_CASE("fetch: stopped while it downloads, checks or unpacks it leaves curl ended and the part in place") {
  const Place place;
  write_file(place.path("remote-part"), kContent.substr(0, 100));
  place.curl_is("cp '" + place.path("remote-part") + "' \"$part\"; echo $$ > '" + place.path("pid") +
                "'; exec sleep 1000");
  const auto stop_when = [&](const std::string& wanted) {
    return [wanted](const char* what, std::uint64_t bytes, std::uint64_t) {
      if (what == wanted && (wanted != "downloading" || bytes > 0)) throw UsageError("stopped");
    };
  };
  CHECK_THROWS_AS(fetch(remote(), place.data(), stop_when("downloading")), UsageError);
  const std::string pid = read_file(place.path("pid"));
  CHECK_FALSE(fs::exists("/proc/" + pid.substr(0, pid.find('\n'))));
  place.curl_has(kContent);
  CHECK_THROWS_AS(fetch(remote(), place.data(), stop_when("checking")), UsageError);
  CHECK(fetch(remote(), place.data()) == Fetched::downloaded);
}
