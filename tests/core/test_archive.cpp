// Archive: what is written is what is read, by us and by others; the same tensors give the same bytes; damage
// is seen.
#include "core/io/archive.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "core/io/json.h"
#include "core/random.h"
#include "tests/core/temporary_directory.h"

namespace basin {
namespace {

using test::TemporaryDirectory;
using Names = std::vector<std::string>;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         (a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

Tensor random_tensor(const Shape& shape, std::uint64_t index) {
  Random random(3, Stream::user, 0, index);
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (float& v : values) v = static_cast<float>(random.normal());
  return Tensor::from(values, shape);
}

/// One of everything: all dtypes, a scalar, an empty tensor, bit patterns that arithmetic would not keep.
std::vector<ArchiveEntry> samples() {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  return {{"fc.weight", random_tensor({3, 5}, 0)},
          {"odd", Tensor::from(std::vector<float>{nan, -nan, inf, -inf, -0.0f, 1e-45f})},
          {"sums", Tensor::from(std::vector<double>{0.1, -0.0, 5e-324}, {3, 1})},
          {"steps", Tensor::from(std::vector<std::int64_t>{-9'223'372'036'854'775'807 - 1}, {})},
          {"bytes", Tensor::from(std::vector<std::uint8_t>{0, 255, 7})},
          {"none", Tensor::empty({0, 4})},
          {"conv \"1\".w\xC3\xA4", random_tensor({3, 3, 2, 4}, 1), FileLayout::convolution}};
}

std::string error_of(const std::string& path) {
  try {
    const Archive archive(path);
    archive.verify();
    for (const std::string& name : archive.names()) archive.read(name);
  } catch (const CheckpointError& e) {
    CHECK(e.code() == ExitCode::checkpoint);
    CHECK(std::string(e.what()).find(path) != std::string::npos);
    CHECK(std::string(e.what()).find('\n') == std::string::npos);
    return e.what();
  }
  return "(no error)";
}

TEST_CASE("archive: every dtype, scalars, empty tensors and odd bit patterns come back the same") {
  TemporaryDirectory dir;
  const std::vector<ArchiveEntry> entries = samples();
  write_archive(dir / "a.safetensors", entries, {{"basin", "{\"step\":3}"}, {"note", "line\nbreak"}});
  const Archive archive(dir / "a.safetensors");
  CHECK(archive.metadata() == ArchiveMetadata{{"basin", "{\"step\":3}"}, {"note", "line\nbreak"}});
  CHECK(archive.checksummed());
  CHECK(archive.names() ==
        Names{"steps", "sums", "conv \"1\".w\xC3\xA4", "fc.weight", "none", "odd", "bytes"});
  for (const ArchiveEntry& e : entries) {
    CAPTURE(e.name);
    CHECK(same_bits(archive.read(e.name, e.layout), e.tensor));
  }
  CHECK(archive.contains("odd"));
  CHECK_FALSE(archive.contains("even"));
  CHECK_THROWS_AS(archive.read("even"), CheckpointError);
  CHECK_THROWS_AS(archive.read("odd", FileLayout::convolution), CheckpointError);
  CHECK_NOTHROW(archive.verify());
}

TEST_CASE("archive: an archive without tensors") {
  TemporaryDirectory dir;
  write_archive(dir / "a", {}, {{"note", "nothing"}});
  const Archive archive(dir / "a");
  CHECK(archive.names().empty());
  CHECK(archive.checksummed());
  CHECK(archive.metadata().at("note") == "nothing");
}

TEST_CASE("archive: numbers are aligned, and the bytes do not depend on the order of the entries") {
  TemporaryDirectory dir;
  std::vector<ArchiveEntry> entries = samples();
  write_archive(dir / "a", entries);
  std::reverse(entries.begin(), entries.end());
  write_archive(dir / "b", entries);
  CHECK(read_file(dir / "a") == read_file(dir / "b"));
  const Archive archive(dir / "a");
  for (const ArchiveTensor& t : archive.tensors())
    CHECK(t.offset % (t.dtype == "U8" ? 1 : t.dtype == "F32" ? 4 : 8) == 0);
}

TEST_CASE("archive: convolution weights lie {O,I,KH,KW} in files") {
  TemporaryDirectory dir;
  const Index kh = 2, kw = 9, in = 17, out = 33;
  std::vector<float> memory(static_cast<std::size_t>(kh * kw * in * out));
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<float>(i);
  const Tensor weight = Tensor::from(memory, {kh, kw, in, out});
  const Tensor filed = to_file_layout(weight);
  CHECK(filed.shape() == Shape{out, in, kh, kw});
  int wrong = 0;
  for (Index o = 0; o < out; ++o)
    for (Index i = 0; i < in; ++i)
      for (Index y = 0; y < kh; ++y)
        for (Index x = 0; x < kw; ++x)
          wrong += filed.data<float>()[((o * in + i) * kh + y) * kw + x] !=
                   memory[static_cast<std::size_t>(((y * kw + x) * in + i) * out + o)];
  CHECK(wrong == 0);
  CHECK(same_bits(from_file_layout(filed), weight));
  std::vector<std::uint8_t> bytes(memory.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i % 251);
  for (const Tensor& t : {weight.to(Dtype::f64), weight.to(Dtype::i64), Tensor::from(bytes, weight.shape())})
    CHECK(same_bits(from_file_layout(to_file_layout(t)), t));
  CHECK(to_file_layout(Tensor::empty({3, 3, 0, 2})).shape() == Shape{2, 0, 3, 3});

  write_archive(dir / "a", {{"w", weight, FileLayout::convolution}});
  const Archive archive(dir / "a");
  CHECK(archive.at("w").shape == Shape{out, in, kh, kw});
  CHECK(same_bits(archive.read("w"), filed));
  CHECK(same_bits(archive.read("w", FileLayout::convolution), weight));
  CHECK_THROWS_AS(to_file_layout(Tensor::zeros({3, 3})), ArgumentError);
  CHECK_THROWS_AS(from_file_layout(Tensor()), ArgumentError);
}

TEST_CASE("archive: a view of a flat vector is written as its own numbers") {
  TemporaryDirectory dir;
  const Tensor flat = random_tensor({20}, 2);
  write_archive(dir / "a", {{"part", flat.view(3, {2, 4})}});
  CHECK(same_bits(Archive(dir / "a").read("part"), flat.view(3, {2, 4}).clone()));
}

TEST_CASE("archive: what cannot be written is refused, and an old file stays") {
  TemporaryDirectory dir;
  write_archive(dir / "a", {{"x", Tensor::scalar(1)}});
  const std::string before = read_file(dir / "a");
  const Tensor one = Tensor::scalar(2);
  const auto refuses = [&](const std::vector<ArchiveEntry>& entries, const ArchiveMetadata& metadata = {}) {
    CHECK_THROWS_AS(write_archive(dir / "a", entries, metadata), ArgumentError);
  };
  refuses({{"x", one}, {"x", one}});
  refuses({{"x", one}, {"x", one.to(Dtype::f64)}});
  refuses({{"__metadata__", one}});
  refuses({{"x\xFF", one}});
  refuses({{"x", Tensor()}});
  refuses({{"x", one, FileLayout::convolution}});
  refuses({{"x", one}}, {{"crc32c", "0"}});
  refuses({{"x", one}}, {{"header_crc32c", "0"}});
  refuses({{"x", one}}, {{"a", "\xC3"}});
  CHECK(read_file(dir / "a") == before);
  CHECK(dir.names() == Names{"a"});
}

TEST_CASE("archive: every flipped byte and every truncation is detected") {
  TemporaryDirectory dir;
  const std::string path = dir / "a";
  write_archive(path, samples(), {{"basin", "{}"}});
  const std::string good = read_file(path);
  CHECK(error_of(path) == "(no error)");
  const int file = ::open(path.c_str(), O_RDWR);
  REQUIRE(file != -1);
  const auto put = [&](std::size_t at, int byte) {
    const char c = static_cast<char>(byte);
    REQUIRE(::pwrite(file, &c, 1, static_cast<off_t>(at)) == 1);
  };
  int undetected = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x20, 0x80, 0xFF}) {
      put(at, good[at] ^ flip);
      if (error_of(path) == "(no error)") ++undetected;
    }
    put(at, good[at]);
  }
  CHECK(undetected == 0);
  CHECK(error_of(path) == "(no error)");
  put(good.size(), ' ');
  CHECK(error_of(path) != "(no error)");
  for (std::size_t size = good.size(); size-- > 0;) {
    REQUIRE(::ftruncate(file, static_cast<off_t>(size)) == 0);
    if (error_of(path) == "(no error)") ++undetected;
  }
  CHECK(undetected == 0);
  ::close(file);
}

TEST_CASE("archive: a file that shrinks after it was opened is an error, not a crash") {
  TemporaryDirectory dir;
  write_archive(dir / "a", {{"x", random_tensor({1000}, 3)}});
  const Archive archive(dir / "a");
  REQUIRE(::truncate((dir / "a").c_str(), 2000) == 0);
  CHECK_THROWS_AS(archive.read("x"), CheckpointError);
  CHECK_THROWS_AS(archive.verify(), CheckpointError);
}

TEST_CASE("archive: missing files and directories") {
  TemporaryDirectory dir;
  CHECK(error_of(dir / "none") == "[read] " + dir.path() + "/none: No such file or directory");
  CHECK(error_of(dir.path()).find("is a directory") != std::string::npos);
}

TEST_CASE("archive: a hundred thousand tensors") {
  TemporaryDirectory dir;
  std::vector<ArchiveEntry> entries;
  for (int i = 0; i < 100'000; ++i) entries.push_back({"layer." + std::to_string(i), Tensor::scalar(i)});
  write_archive(dir / "a", entries);
  const Archive archive(dir / "a");
  CHECK(archive.tensors().size() == entries.size());
  CHECK(archive.read("layer.99999").item() == 99999);
  CHECK_NOTHROW(archive.verify());
}

TEST_CASE("archive: read by an independent reader (python3 and numpy)") {
  if (std::system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0) {
    MESSAGE("SKIPPED: /usr/bin/python3 has no numpy");
    return;
  }
  TemporaryDirectory dir;
  write_archive(dir / "a", samples(), {{"basin", "{}"}});
  write_file_atomically(dir / "reader.py", R"(
import json, struct, sys
import numpy as np
raw = open(sys.argv[1], "rb").read()
(n,) = struct.unpack("<Q", raw[:8])
header = json.loads(raw[8 : 8 + n])
data = raw[8 + n :]
metadata = header.pop("__metadata__")
assert n % 8 == 0 and all(type(v) is str for v in metadata.values())
dtypes = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "U8": "u1"}
tensors, end = {}, 0
for name, entry in header.items():
    begin, stop = entry["data_offsets"]
    assert begin == end
    end = stop
    tensors[name] = np.frombuffer(data[begin:stop], dtypes[entry["dtype"]]).reshape(entry["shape"])
assert end == len(data)
conv = tensors['conv "1".w\u00e4']
report = {"conv": conv.shape, "conv_1_0_2_1": float(conv[1, 0, 2, 1]), "fc_2_4": float(tensors["fc.weight"][2, 4]),
          "steps": int(tensors["steps"]), "sums": tensors["sums"].tolist(), "bytes": tensors["bytes"].tolist(),
          "none": tensors["none"].shape, "nans": int(np.isnan(tensors["odd"]).sum())}
json.dump(report, open(sys.argv[2], "w"))
)");
  const std::string command =
      "/usr/bin/python3 " + (dir / "reader.py") + " " + (dir / "a") + " " + (dir / "report");
  REQUIRE(std::system(command.c_str()) == 0);
  const Json report = parse_json(read_file(dir / "report"));
  const std::vector<ArchiveEntry> entries = samples();
  const Tensor& conv = entries[6].tensor;  // {3,3,2,4}; [o=1, i=0, y=2, x=1] in the file
  CHECK(report.at("conv") == Json(Json::Array{4, 2, 3, 3}));
  CHECK(report.at("conv_1_0_2_1").number() == double{conv.data<float>()[((2 * 3 + 1) * 2 + 0) * 4 + 1]});
  CHECK(report.at("fc_2_4").number() == double{entries[0].tensor.data<float>()[14]});
  CHECK(report.at("steps").integer() == std::numeric_limits<std::int64_t>::min());
  CHECK(report.at("sums").array()[0].array()[0].number() == 0.1);
  CHECK(report.at("bytes") == Json(Json::Array{0, 255, 7}));
  CHECK(report.at("none") == Json(Json::Array{0, 4}));
  CHECK(report.at("nans").integer() == 2);
}

TEST_CASE("archive: bf16 is written as it is and read as f32, in a convolution's layout too") {
  TemporaryDirectory dir;
  const std::string path = dir / "half.safetensors";
  const Tensor x = Tensor::from(std::vector<double>{1, -2.5, 3, 0.15625, 5, 6}, {1, 1, 3, 2}).to(Dtype::bf16);
  write_archive(path, {{"plain", x}, {"kernel", x, FileLayout::convolution}});
  const Archive archive(path);
  CHECK(archive.at("plain").dtype == "BF16");
  CHECK(archive.at("plain").bytes == 12);
  CHECK(archive.at("kernel").shape == Shape{2, 3, 1, 1});
  const Tensor plain = archive.read("plain"), kernel = archive.read("kernel", FileLayout::convolution);
  CHECK(plain.dtype() == Dtype::f32);
  CHECK(plain.to_vector<double>() == x.to_vector<double>());
  CHECK(kernel.to_vector<double>() == x.to_vector<double>());
  CHECK(kernel.shape() == x.shape());
}

}  // namespace
}  // namespace basin
