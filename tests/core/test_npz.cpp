// npz: a file's bytes by hand; what is written is what is read, and NumPy's own forms are too; damage and
// lies are seen. (That NumPy reads ours: tests/onnx/check.py.)
#include "core/io/npz.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <fstream>

#include "core/ops.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using test::TemporaryDirectory;

namespace {

/// v in `count` bytes; behind the eighth they are zeros.
std::string little(std::uint64_t v, int count) {
  std::string out;
  for (int i = 0; i < count; ++i, v >>= 8) out.push_back(static_cast<char>(v & 0xff));
  return out;
}

std::string numbers_of(const Tensor& t) { return {reinterpret_cast<const char*>(t.raw()), t.bytes()}; }

std::string npy(const std::string& dictionary, const std::string& numbers, int version = 1) {
  return "\x93NUMPY" + little(static_cast<std::uint64_t>(version), 2) +
         little(dictionary.size(), version == 1 ? 2 : 4) + dictionary + numbers;
}

struct Member {
  std::string name, content;
  bool deflated = false;
  std::uint64_t claimed = 0;  // bytes unpacked, if not the truth
  unsigned flags = 0;
};

std::string deflated(const std::string& content) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(content.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

/// A zip file as NumPy writes it: an extra field in the local record alone.
std::string zip(const std::vector<Member>& members, const std::string& comment = "") {
  std::string file, directory;
  for (const Member& m : members) {
    const std::string packed = m.deflated ? deflated(m.content) : m.content;
    const auto crc = static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(m.content.data()), m.content.size()));
    const std::string fields = little(45, 2) + little(m.flags, 2) + little(m.deflated ? 8 : 0, 2) +
                               little(0, 4) + little(crc, 4) + little(packed.size(), 4) +
                               little(m.claimed > 0 ? m.claimed : m.content.size(), 4) +
                               little(m.name.size(), 2);
    directory += "PK\x01\x02" + little(45, 2) + fields + little(0, 2) + little(0, 10) +
                 little(file.size(), 4) + m.name;
    file += "PK\x03\x04" + fields + little(5, 2) + m.name + "extra" + packed;
  }
  return file + directory + "PK\x05\x06" + little(0, 4) + little(members.size(), 2) +
         little(members.size(), 2) + little(directory.size(), 4) + little(file.size(), 4) +
         little(comment.size(), 2) + comment;
}

std::string written(const TemporaryDirectory& directory, const std::string& content) {
  const std::string path = directory / "a.npz";
  write_file_atomically(path, content);
  return path;
}

/// What reading all of the file says.
std::string error_of(const std::string& path) {
  try {
    const NpzFile file(path);
    for (const ArchiveTensor& t : file.tensors()) file.read(t.name);
  } catch (const CheckpointError& e) {
    CHECK(std::string(e.what()).find(path) != std::string::npos);
    CHECK(std::string(e.what()).find('\n') == std::string::npos);
    return e.what();
  }
  return "(no error)";
}

const std::string kPlain = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
const std::string kTwo = numbers_of(Tensor::from(std::vector<float>{1, -2}));

}  // namespace

TEST_CASE("npz: the bytes of a file, by hand") {
  const TemporaryDirectory directory;
  write_npz(directory / "a.npz", {{"w", Tensor::from(std::vector<float>{1, -2}, {1, 2})}});
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
  const std::string array = "\x93NUMPY" + little(1, 2) + little(118, 2) + dictionary +
                            std::string(117 - dictionary.size(), ' ') + "\n" + kTwo;
  CHECK((array.size() - 8) % 64 == 0);
  const auto crc = static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(array.data()), static_cast<uInt>(array.size())));
  const std::string date = std::string("\x00\x00\x21\x00", 4);
  const std::string fields = little(20, 2) + little(0, 2) + little(0, 2) + date + little(crc, 4) +
                             little(array.size(), 4) + little(array.size(), 4) + little(5, 2) + little(0, 2);
  const std::string local = "PK\x03\x04" + fields + "w.npy" + array;
  const std::string entry = "PK\x01\x02" + little(20, 2) + fields + little(0, 14) + "w.npy";
  CHECK(read_file(directory / "a.npz") == local + entry + "PK\x05\x06" + little(0, 4) + little(1, 2) +
                                              little(1, 2) + little(entry.size(), 4) +
                                              little(local.size(), 4) + little(0, 2));
}

TEST_CASE("npz: what is written is what is read, equal content gives equal bytes") {
  const TemporaryDirectory directory;
  std::vector<float> values(48);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 7;
  const Tensor weight = Tensor::from(values, {2, 2, 3, 4});
  const std::vector<ArchiveEntry> entries = {
      {"conv.weight", weight, FileLayout::convolution},
      {"sums", Tensor::from(std::vector<double>{0.1, -0.0, 5e-324}, {3, 1})},
      {"steps", Tensor::from(std::vector<std::int64_t>{-9'223'372'036'854'775'807 - 1}, {})},
      {"bytes\xC3\xA4", Tensor::from(std::vector<std::uint8_t>{0, 255, 7})},
      {"none", Tensor::empty({0, 4})}};
  write_npz(directory / "a.npz", entries);
  write_npz(directory / "b.npz", entries);
  CHECK(read_file(directory / "a.npz") == read_file(directory / "b.npz"));
  const NpzFile file(directory / "a.npz");
  REQUIRE(file.tensors().size() == entries.size());
  CHECK(file.tensors()[0].shape == Shape{4, 3, 2, 2});
  CHECK(file.tensors()[2].dtype == "I64");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CHECK(file.tensors()[i].name == entries[i].name);
    const Tensor read = file.read(entries[i].name, entries[i].layout);
    CHECK(read.shape() == entries[i].tensor.shape());
    CHECK(read.dtype() == entries[i].tensor.dtype());
    CHECK(numbers_of(read) == numbers_of(entries[i].tensor));
  }
  write_npz(directory / "c.npz", {});
  CHECK(NpzFile(directory / "c.npz").tensors().empty());
}

TEST_CASE("npz: half precision is read as f32, and metadata are the last array and no tensor") {
  const TemporaryDirectory directory;
  const std::string halves = little(0x3c00, 2) + little(0xc100, 2);  // 1 and -2.5
  const std::string dictionary = "{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }\n";
  const NpzFile file(written(directory, zip({{"h.npy", npy(dictionary, halves), true}})));
  CHECK(file.tensors()[0].dtype == "F16");
  CHECK(file.read("h").to_vector<float>() == std::vector<float>{1, -2.5});
  CHECK(error_of(written(directory, zip({{"h.npy", npy(dictionary, halves + "x")}})))
            .find("'h' is f16 {2} in ") != std::string::npos);

  const ArchiveMetadata metadata = {{"names", "[\"a\",\"\xC3\xA4\"]"}, {"model", "m"}};
  write_npz(directory / "m.npz", {{"w", Tensor::from(std::vector<float>{3})}}, metadata);
  const NpzFile told(directory / "m.npz");
  CHECK(told.metadata() == metadata);
  REQUIRE(told.tensors().size() == 1);
  CHECK(told.read("w").item() == 3);
  CHECK(read_file(directory / "m.npz").find("{\"model\":\"m\",\"names\":") != std::string::npos);
}

TEST_CASE("npz: NumPy's other forms are read") {
  const TemporaryDirectory directory;
  const std::string columns = numbers_of(Tensor::from(std::vector<double>{1, 4, 2, 5, 3, 6}));
  const std::string path = written(
      directory,
      zip({{"stored.npy", npy(kPlain, kTwo)},
           {"deflated.npy", npy(kPlain, kTwo), true},
           {"v2.npy", npy(kPlain, kTwo, 2), true},
           {"v3.npy", npy("{\"shape\": (2L,), \"descr\": \"<f4\", \"fortran_order\": False}", kTwo, 3)},
           {"scalar.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': ()}", "\x07")},
           {"f.npy", npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", columns), true}},
          "a comment with PK\x05\x06 in it, which is not the end of the file"));
  const NpzFile file(path);
  for (const char* name : {"stored", "deflated", "v2", "v3"})
    CHECK(file.read(name).to_vector<double>() == std::vector<double>{1, -2});
  CHECK(file.read("scalar").item() == 7);
  CHECK(file.read("f").shape() == Shape{2, 3});
  CHECK(file.read("f").to_vector<double>() == std::vector<double>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("npz: lies and foreign things are refused, with a reason") {
  const TemporaryDirectory directory;
  const auto refusal = [&](const std::vector<Member>& members) {
    return error_of(written(directory, zip(members)));
  };
  const auto header = [&](const std::string& dictionary, const std::string& numbers = kTwo) {
    return refusal({{"w.npy", npy(dictionary, numbers)}});
  };
  const auto says = [](const std::string& error, const char* part) {
    CHECK_MESSAGE(error.find(part) != std::string::npos, error);
  };
  CHECK(header(kPlain) == "(no error)");
  says(header("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"), "is of type '|O'");
  says(header("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }"), "is of type '>f4'");
  says(header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"), "not a plain array");
  says(header("{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }"), "not a plain array");
  says(header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (2,), }"),
       "not a plain array");
  says(header("{'descr': '<f4', 'shape': (2,), }"), "not a plain array");
  says(header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }"), "not a plain array");
  says(header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }"),
       "not a plain array");
  says(header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296, 4294967296), }",
              ""),
       "not a plain array");
  says(header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }"),
       "not a plain array");
  says(header("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"), "is f32 {3} in");
  says(header("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387906,), }"),
       "not a plain array");
  says(header("{'descr"), "not a plain array");
  says(header(kPlain, kTwo + "x"), "is f32 {2} in");
  says(refusal({{"w.npy", "\x93NUMPX"}}), "has no npy header");
  says(refusal({{"w.npy", npy(kPlain, kTwo, 4)}}), "has no npy header");
  says(refusal({{"w.npy", "\x93NUMPY" + little(2, 2) + little(0xfffffff0, 4)}}), "has a header of");
  says(refusal({{"notes.txt", "hello"}}), "is not an array");
  says(refusal({{"w.npy", npy(kPlain, kTwo), false, 0, 1}}), "encrypted");
  says(refusal({{"w.npy", npy(kPlain, kTwo), false, 9}}), "claims 9 bytes");
  says(refusal({{"w.npy", npy(kPlain, kTwo), true, 4'000'000'000}}), "claims 4000000000 bytes");
  says(refusal({{"w.npy", npy(kPlain, kTwo), true, 4'294'967'295}}), "64-bit extension");
  says(refusal({{"w.npy", npy(kPlain, kTwo)}, {"w.npy", npy(kPlain, kTwo)}}), "two arrays are named 'w'");
  // The header agrees with the claim, the deflated stream does not.
  const std::string three = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
  says(refusal({{"w.npy", npy(three, kTwo), true, 10 + three.size() + 12}}), "damaged");
  says(error_of(written(directory, "")), "is no npz file");
  says(error_of(directory / "none.npz"), "No such file");
  CHECK_THROWS_AS(NpzFile(written(directory, zip({}))).read("w"), CheckpointError);
}

TEST_CASE("npz: a damaged file is refused or reads as it was") {
  const TemporaryDirectory directory;
  const std::string whole = zip({{"a.npy", npy(kPlain, kTwo)}, {"b.npy", npy(kPlain, kTwo), true}});
  int refused = 0;
  const auto try_it = [&](const std::string& content) {
    const std::string path = directory / "a.npz";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    try {
      const NpzFile file(path);
      for (const ArchiveTensor& t : file.tensors()) {
        const Tensor read = file.read(t.name);
        CHECK(read.elements() == 2);  // a name may have changed, the numbers not
        CHECK(numbers_of(read) == kTwo);
      }
    } catch (const CheckpointError&) {
      ++refused;
    }
  };
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int bit : {0, 3, 7}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      try_it(damaged);
    }
  CHECK(refused > static_cast<int>(whole.size()));
  const int before = refused;
  for (std::size_t length = 0; length < whole.size(); ++length) try_it(whole.substr(0, length));
  CHECK(refused - before == static_cast<int>(whole.size()));
}

TEST_CASE("npz: what a zip file cannot hold is refused before anything is written") {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npz";
  const Tensor one = Tensor::zeros({1});
  CHECK_THROWS_AS(write_npz(path, {{"w", one}, {"w", one}}), ArgumentError);
  CHECK_THROWS_AS(write_npz(path, {{"", one}}), ArgumentError);
  CHECK_THROWS_AS(write_npz(path, {{"\xff", one}}), ArgumentError);
  CHECK_THROWS_AS(write_npz(path, {{"w", Tensor()}}), ArgumentError);
  // The same 256 MiB, which nothing touches, sixteen times: 4 GiB.
  const Tensor large = Tensor::empty({1 << 26});
  std::vector<ArchiveEntry> many;
  for (int i = 0; i < 16; ++i) many.push_back({text("w", i), large});
  CHECK_THROWS_WITH_AS(write_npz(path, many), doctest::Contains("ends at 4 GiB (write safetensors instead)"),
                       ArgumentError);
  CHECK(directory.names().empty());
}

TEST_CASE("npz: bf16 is written as f32, for which NumPy has a type") {
  TemporaryDirectory dir;
  const std::string path = dir / "half.npz";
  write_npz(path, {{"x", Tensor::from(std::vector<double>{1, -2.5}).to(Dtype::bf16)}});
  const Tensor x = NpzFile(path).read("x");
  CHECK(x.dtype() == Dtype::f32);
  CHECK(x.to_vector<double>() == std::vector<double>{1, -2.5});
}
