// Archive: files that break a rule of the format, each refused with its reason; files of other programs that
// keep them.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <cmath>

#include <string>
#include <vector>

#include "core/io/archive.h"
#include "tests/core/temporary_directory.h"

namespace basin {
namespace {

using test::TemporaryDirectory;

std::string length_of(std::uint64_t n) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(n >> (8 * i) & 255);
  return bytes;
}

/// A file of that header and `data` zero bytes.
std::string file_of(const std::string& header, std::size_t data = 0) {
  return length_of(header.size()) + header + std::string(data, '\0');
}

std::string error_of(const TemporaryDirectory& dir, const std::string& bytes) {
  const std::string path = dir / "x.safetensors";
  write_file_atomically(path, bytes);
  try {
    const Archive archive(path);
    archive.verify();
    for (const std::string& name : archive.names()) archive.read(name);
  } catch (const CheckpointError& e) {
    const std::string message = e.what();
    CHECK(message.find(path) != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.size() < 500);
    return message;
  }
  return "(no error)";
}

struct Case {
  const char* what;
  std::string file;
  const char* reason;
};

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

/// A file with one tensor "a".
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets,
                std::size_t data) {
  return file_of("{\"a\":" + entry(dtype, shape, offsets) + "}", data);
}

/// A file with tensors "a" and "b", one F32 each, where the offsets say.
std::string two(const std::string& a, const std::string& b, std::size_t data) {
  return file_of("{\"a\":" + entry("F32", "[1]", a) + ",\"b\":" + entry("F32", "[1]", b) + "}", data);
}

std::vector<Case> bad_files() {
  return {
      {"empty file", "", "has 0 bytes"},
      {"seven bytes", "1234567", "has 7 bytes"},
      {"header longer than the file", length_of(3) + "{}", "claims a header of 3 bytes, 2 are left"},
      {"8 + length wraps", length_of(~std::uint64_t{0} - 6) + "{}",
       "claims a header of 18446744073709551609"},
      {"length 2^63", length_of(std::uint64_t{1} << 63) + "{}", "claims a header"},
      {"no header", length_of(0), "does not begin with '{'"},
      {"a web page", "<!DOCTYPE html><html></html>", "claims a header"},
      {"space first", file_of(" {}"), "does not begin with '{'"},
      {"array", file_of("[]"), "does not begin with '{'"},
      {"byte order mark", file_of("\xEF\xBB\xBF{}"), "does not begin with '{'"},
      {"invalid UTF-8", file_of("{\"\xFF\":1}"), "invalid UTF-8"},
      {"overlong UTF-8", file_of("{\"\xC0\xAF\":1}"), "invalid UTF-8"},
      {"not JSON", file_of("{\"a\":}"), "line 1, column"},
      {"text after the header", file_of("{}x"), "after the end"},
      {"zero after the header", file_of(std::string("{}\0", 3)), "after the end"},
      {"two headers", file_of("{}{}"), "after the end"},
      {"200,000 levels", file_of("{\"a\":" + std::string(200'000, '[')), "expects an object"},
      {"200,000 levels of shape", file_of("{\"a\":{\"dtype\":\"F32\",\"shape\":" + std::string(200'000, '[')),
       "expects a number"},
      {"duplicate tensor",
       file_of("{\"a\":" + entry("U8", "[1]", "[0,1]") + ",\"a\":" + entry("U8", "[1]", "[1,2]") + "}", 2),
       "tensor \"a\" appears twice"},
      {"duplicate tensor, escaped",
       file_of("{\"a\":" + entry("U8", "[1]", "[0,1]") + ",\"\\u0061\":" + entry("U8", "[1]", "[1,2]") + "}",
               2),
       "tensor \"a\" appears twice"},
      {"duplicate dtype",
       file_of("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1),
       "\"dtype\" appears twice"},
      {"duplicate shape",
       file_of("{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"shape\":[],\"data_offsets\":[0,1]}}", 1),
       "\"shape\" appears twice"},
      {"duplicate offsets",
       file_of("{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1],\"data_offsets\":[0,1]}}", 1),
       "\"data_offsets\" appears twice"},
      {"missing shape", file_of("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1), "is missing"},
      {"unknown field", file_of("{\"a\":{\"dtype\":\"U8\",\"strides\":[1]}}", 1), "expects dtype, shape"},
      {"entry is a number", file_of("{\"a\":1}"), "expects an object"},
      {"metadata twice", file_of("{\"__metadata__\":{},\"__metadata__\":{}}"), "__metadata__ appears twice"},
      {"metadata key twice", file_of("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}"),
       "key \"k\" appears twice"},
      {"metadata number", file_of("{\"__metadata__\":{\"k\":1}}"), "expects a string"},
      {"metadata null", file_of("{\"__metadata__\":{\"k\":null}}"), "expects a string"},
      {"metadata list", file_of("{\"__metadata__\":[]}"), "expects an object"},
      {"unknown dtype", one("F31", "[1]", "[0,4]", 4), "unknown dtype \"F31\""},
      {"dtype in lower case", one("f32", "[1]", "[0,4]", 4), "unknown dtype \"f32\""},
      {"negative extent", one("U8", "[-1]", "[0,1]", 1), "expects an integer of 0 or more"},
      {"fraction as extent", one("U8", "[1.0]", "[0,1]", 1), "expects an integer of 0 or more"},
      {"exponent as extent", one("U8", "[1e0]", "[0,1]", 1), "expects an integer of 0 or more"},
      {"text as extent", one("U8", "[\"1\"]", "[0,1]", 1), "expects a number"},
      {"extent of 2^53", one("U8", "[9007199254740992]", "[0,1]", 1), "larger than 2^53"},
      {"extent beyond 64 bits", one("U8", "[18446744073709551616]", "[0,1]", 1), "out of range"},
      {"nine axes", one("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]", 1), "more than 8 axes"},
      {"product wraps to zero", one("U8", "[4294967296,4294967296]", "[0,0]", 0), "overflows"},
      {"product wraps to zero, f32", one("F32", "[4611686018427387,4096]", "[0,0]", 0), "overflows"},
      {"bytes wrap to zero", one("F64", "[2147483648,1073741824]", "[0,0]", 0), "its data has 0 bytes"},
      {"overflow hidden by a zero", one("U8", "[0,4294967296,4294967296]", "[0,0]", 0), "overflows"},
      {"overflow before a zero", one("U8", "[4294967296,4294967296,0]", "[0,0]", 0), "overflows"},
      {"ends before it begins", one("U8", "[1]", "[1,0]", 1), "before its begin"},
      {"negative offset", one("U8", "[1]", "[-1,0]", 1), "expects an integer of 0 or more"},
      {"one offset", one("U8", "[1]", "[0]", 1), "expects two numbers"},
      {"three offsets", one("U8", "[1]", "[0,1,1]", 1), "expects two numbers"},
      {"no offset", one("U8", "[1]", "[]", 1), "expects two numbers"},
      {"offset of 2^64 - 1", one("U8", "[1]", "[0,18446744073709551615]", 1),
       "its data has 18446744073709551615"},
      {"span too long", one("F32", "[1]", "[0,8]", 8), "F32 {1}, its data has 8 bytes"},
      {"span too short", one("F32", "[2]", "[0,4]", 4), "F32 {2}, its data has 4 bytes"},
      {"scalar without data", one("F32", "[]", "[0,0]", 0), "F32 {}, its data has 0 bytes"},
      {"hole at the start", one("F32", "[1]", "[4,8]", 8), "with a hole after byte 0"},
      {"hole", two("[0,4]", "[8,12]", 12), "with a hole after byte 4"},
      {"overlap", two("[0,4]", "[2,6]", 6), "inside the one before"},
      {"same place", two("[0,4]", "[0,4]", 4), "inside the one before"},
      {"file too long", two("[0,4]", "[4,8]", 9), "the tensors take 8 bytes, the file has 9"},
      {"file too short", two("[0,4]", "[4,8]", 7), "the tensors take 8 bytes, the file has 7"},
      {"huge tensor in a small file", one("F32", "[1000000000000]", "[0,4000000000000]", 4),
       "take 4000000000000"},
      {"eight bits", one("F8_E4M3", "[1]", "[0,1]", 1),
       "\"a\" is F8_E4M3, which is not supported; convert it"},
      {"only a header checksum", file_of("{\"__metadata__\":{\"header_crc32c\":\"00000000\"}}"),
       "has only one"},
      {"only tensor checksums", file_of("{\"__metadata__\":{\"crc32c\":\"\"}}"), "has only one"},
      {"a checksum that is none", file_of("{\"__metadata__\":{\"crc32c\":\"\",\"header_crc32c\":\"1234\"}}"),
       "does not match its checksum"},
      {"a checksum in escapes",
       file_of("{\"__metadata__\":{\"crc32c\":\"\",\"header_crc32c\":\"0000000\\u0030\"}}"),
       "does not match"},
      {"a short text at the very start",
       file_of("{\"__metadata__\":{\"header_crc32c\":\"\",\"crc32c\":\"\"}}"), "does not match"},
  };
}

TEST_CASE("archive format: each broken rule is named") {
  TemporaryDirectory dir;
  for (const Case& bad : bad_files()) {
    CAPTURE(bad.what);
    const std::string error = error_of(dir, bad.file);
    CAPTURE(error);
    CHECK(error.find(bad.reason) != std::string::npos);
  }
}

TEST_CASE("archive format: a header longer than the format allows") {
  TemporaryDirectory dir;
  const std::string path = dir / "x";
  write_file_atomically(path, length_of(100'000'001) + "{}");
  std::filesystem::resize_file(path, 100'000'100);  // sparse
  CHECK_THROWS_WITH_AS(Archive{path},
                       ("[archive] " + path +
                        ": claims a header of 100000001 bytes, more than the format's "
                        "100000000")
                           .c_str(),
                       CheckpointError);
}

TEST_CASE("archive format: files of other programs that keep the rules are read") {
  TemporaryDirectory dir;
  const std::string path = dir / "x.safetensors";
  // Spaces anywhere, names in any order, an empty tensor between, no metadata: the data is 1.0f, 2.0f,
  // byte 7.
  const std::string header =
      "{ \"z\" : " + entry("F32", "[2, 1]", "[0, 8]") + ",\n\"e\":" + entry("F64", "[0,3]", "[8,8]") +
      ",\"b\":" + entry("U8", "[]", "[8,9]") + ",\"h\":" + entry("BF16", "[1]", "[9,11]") + "}   ";
  const float numbers[] = {1.0f, 2.0f};
  write_file_atomically(path,
                        file_of(header) + std::string(reinterpret_cast<const char*>(numbers), 8) + "\7ab");
  const Archive archive(path);
  CHECK_FALSE(archive.checksummed());
  CHECK(archive.names() == std::vector<std::string>{"z", "e", "b", "h"});
  CHECK(archive.read("z").to_vector<float>() == std::vector<float>{1, 2});
  CHECK(archive.read("z").shape() == Shape{2, 1});
  CHECK(archive.read("e").shape() == Shape{0, 3});
  CHECK(archive.read("b").item() == 7);
  CHECK(archive.read("b").rank() == 0);
  CHECK(archive.at("h").dtype == "BF16");
  CHECK(archive.read("h").item() == std::ldexp(1 + 97 / 128.0, 69));  // "ab" is 0x6261
  CHECK_NOTHROW(archive.verify());

  write_file_atomically(path, file_of("{}"));
  CHECK(Archive(path).names().empty());
  write_file_atomically(path, file_of("{\"__metadata__\":{\"format\":\"pt\"}}"));
  CHECK(Archive(path).metadata() == ArchiveMetadata{{"format", "pt"}});
}

TEST_CASE("archive format: lies about sizes take no memory") {
  TemporaryDirectory dir;
  const auto peak_kib = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = peak_kib();
  error_of(dir, length_of(99'999'999) + "{}");
  error_of(dir, one("F64", "[1099511627776]", "[0,8796093022208]", 8));
  error_of(dir, one("U8", "[9007199254740991]", "[0,9007199254740991]", 8));
  std::string many = "{\"a\":{\"shape\":[";
  many += std::string(1'000'000, ' ') + "1]}}";
  error_of(dir, file_of(many));
  CHECK(peak_kib() - before < 64 * 1024);
}

}  // namespace
}  // namespace basin
