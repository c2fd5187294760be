// The IDX reader: good files, every kind of bad one, and thousands of damaged ones.
#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <string>

#include "core/error.h"
#include "core/random.h"
#include "data/formats/idx.h"
#include "tests/core/temporary_directory.h"
#include "tests/data/crafted.h"

using namespace basin;
using namespace basin::test;
using data::IdxArray;
using data::read_idx;

namespace {

// The message of the DataError that reading `bytes` gives, without the path before ": "; "" if it is read.
std::string refusal(const Bytes& bytes, int rank = 3) {
  const TemporaryDirectory dir;
  const std::string path = dir / "file";
  write_file(path, bytes);
  try {
    read_idx(path, rank);
  } catch (const DataError& error) {
    const std::string what = error.what();
    REQUIRE(what.rfind(path + ": ", 0) == 0);
    CHECK(error.code() == ExitCode::data);
    return what.substr(path.size() + 2);
  }
  return "";
}

Bytes bytes_of(const std::string& text) { return Bytes(text.begin(), text.end()); }

// A number of kB from /proc/self/status, 0 if it is not there.
long status_kilobytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::stol(line.substr(key.size() + 1));
  }
  return 0;
}

}  // namespace

TEST_CASE("idx: plain and gzip files give the same array") {
  const TemporaryDirectory dir;
  const Bytes file = idx_header({2, 3, 5}) + counting(30);
  write_file(dir / "plain", file);
  write_file(dir / "zipped", gzip(file));
  for (const char* name : {"plain", "zipped"}) {
    const IdxArray array = read_idx(dir / name, 3);
    CHECK(array.extents == std::vector<std::int64_t>{2, 3, 5});
    CHECK(array.values == counting(30));
  }
  // Larger than any buffer on the way.
  const Bytes large = idx_header({3'000'017}) + counting(3'000'017);
  write_file(dir / "large", gzip(large));
  CHECK(read_idx(dir / "large", 1).values == counting(3'000'017));
}

TEST_CASE("idx: files that are something else") {
  CHECK(refusal({}) == "the file is empty");
  CHECK(refusal(bytes_of("<!DOCTYPE html>\n<html>404</html>")) ==
        "not an IDX file: starts with \"<!DOCTYPE html> \": a text or HTML page, so the download went wrong; "
        "fetch it "
        "again");
  CHECK(refusal({0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 0, 0, 0, 0, 0}) ==
        "not an IDX file: starts with bytes 89 50 4e 47");
  CHECK(refusal({0, 0}) == "not an IDX file: starts with bytes 00 00");
  CHECK(refusal(gzip(bytes_of("<html>Moved</html>"))).rfind("not an IDX file: starts with \"<html>", 0) == 0);
  CHECK(refusal(idx_header({2}, 0x0d) + counting(8), 1) ==
        "IDX element type is 13, expected 8 (unsigned bytes)");
  CHECK(refusal(idx_header({4}) + counting(4), 3) == "IDX array has 1 dimensions, expected 3 (images)");
  CHECK(refusal(idx_header({1, 2, 2}) + counting(4), 1) == "IDX array has 3 dimensions, expected 1 (labels)");
}

TEST_CASE("idx: headers that do not fit the data") {
  CHECK(refusal({0, 0, 8, 3, 0, 0, 0, 1, 0}) == "the file ends inside its header");
  CHECK(refusal(idx_header({2, 0, 5})) == "dimension 1 of the IDX header is 0");
  for (const bool zipped : {false, true}) {
    const auto made = [zipped](const Bytes& bytes) { return zipped ? gzip(bytes) : bytes; };
    CHECK(refusal(made(idx_header({2, 3, 5}) + counting(29))) ==
          "IDX header promises 2x3x5 = 30 bytes of data, the file ends after 29");
    CHECK(refusal(made(idx_header({2, 3, 5}) + counting(31))) ==
          "data goes on after the 2x3x5 = 30 bytes that the IDX header promises");
    CHECK(refusal(made(idx_header({0x80000000, 28, 28}) + counting(100))) ==
          "IDX header promises 2147483648x28x28 = 1683627180032 bytes of data, the file ends after 100");
    CHECK(refusal(made(idx_header({0xffffffff, 0xffffffff, 0xffffffff}) + counting(100))) ==
          "IDX header promises 4294967295x4294967295x4294967295 bytes, more than can exist");
  }
}

TEST_CASE("idx: damaged gzip") {
  const Bytes file = gzip(idx_header({100, 10, 10}) + counting(10'000, 251));
  Bytes cut = file;
  cut.resize(file.size() - 12);  // inside the compressed data
  CHECK(refusal(cut) == "gzip data is cut off; fetch the file again");
  cut = file;
  cut.resize(file.size() - 3);  // all data are there, their checksum is not
  CHECK(refusal(cut) == "gzip data is cut off; fetch the file again");
  Bytes other_sum = file;
  other_sum[file.size() - 8] ^= 1;
  CHECK(refusal(other_sum) == "gzip data is damaged (incorrect data check); fetch the file again");
  Bytes garbled = file;
  garbled[12] ^= 0xff;
  CHECK(refusal(garbled).rfind("gzip data is damaged (", 0) == 0);
}

TEST_CASE("idx: paths that are no files") {
  const TemporaryDirectory dir;
  CHECK_THROWS_WITH_AS(read_idx(dir / "none", 1), (dir / "none: No such file or directory").c_str(),
                       DataError);
  CHECK_THROWS_WITH_AS(read_idx(dir.path(), 1), (dir.path() + ": not a regular file").c_str(), DataError);
}

TEST_CASE("idx: a lying header takes no memory") {
  const TemporaryDirectory dir;
  write_file(dir / "plain", idx_header({0x80000000, 28, 28}) + counting(1000));
  write_file(dir / "zipped", gzip(idx_header({0x7fffffff, 1, 1}) + counting(1000)));
  std::ofstream("/proc/self/clear_refs") << "5";  // resets the peak
  const long before = status_kilobytes("VmHWM");
  if (before == 0 || before > status_kilobytes("VmRSS") + 20'000) {
    MESSAGE("SKIPPED: this system does not tell a process's peak memory");
    return;
  }
  CHECK_THROWS_AS(read_idx(dir / "plain", 3), DataError);
  CHECK_THROWS_AS(read_idx(dir / "zipped", 3), DataError);
  CHECK(status_kilobytes("VmHWM") - before < 50'000);
}

TEST_CASE("idx: truncations and bit flips give a DataError or the array that the header says") {
  const TemporaryDirectory dir;
  const std::string path = dir / "file";
  const Bytes plain = idx_header({4, 3, 2}) + counting(24);
  int refused = 0;
  int read = 0;
  for (const Bytes& good : {plain, gzip(plain)}) {
    for (std::uint64_t trial = 0; trial < 1500; ++trial) {
      Random random(trial, Stream::user);
      Bytes bad = good;
      if (random.below(3) == 0) bad.resize(random.below(bad.size() + 1));
      for (std::uint64_t flips = random.below(4); flips > 0 && !bad.empty(); --flips) {
        bad[random.below(bad.size())] ^= static_cast<std::uint8_t>(1u << random.below(8));
      }
      write_file(path, bad);
      try {
        const IdxArray array = read_idx(path, 3);
        std::int64_t product = 1;
        for (const std::int64_t extent : array.extents) product *= extent;
        REQUIRE(static_cast<std::size_t>(product) == array.values.size());
        ++read;
      } catch (const DataError&) {
        ++refused;
      }
    }
  }
  CHECK(refused > 1000);
  CHECK(read > 300);
}
