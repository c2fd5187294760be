// Zip as in PKWARE's APPNOTE 6.3.
#include "core/io/npz.h"

#include <zlib.h>

#include <limits>
#include <set>

#include "core/io/archive_format.h"
#include "core/io/json.h"
#include "core/io/npy.h"
#include "core/io/utf8.h"

namespace basin {
namespace {

constexpr std::uint64_t kZipLimit = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kMostEntries = std::numeric_limits<std::uint16_t>::max();

/// Little-endian numbers, one after the other.
class Bytes {
 public:
  Bytes& u16(std::uint64_t v) { return put(v, 2); }
  Bytes& u32(std::uint64_t v) { return put(v, 4); }
  const std::string& text() const { return bytes_; }

 private:
  Bytes& put(std::uint64_t v, int count) {
    for (int i = 0; i < count; ++i) bytes_.push_back(static_cast<char>(v >> (8 * i) & 0xff));
    return *this;
  }
  std::string bytes_;
};

std::uint32_t crc32_of(const std::string& header, const Tensor& t) {
  uLong sum = ::crc32_z(0, nullptr, 0);
  sum = ::crc32_z(sum, reinterpret_cast<const Bytef*>(header.data()), header.size());
  if (t.bytes() > 0) sum = ::crc32_z(sum, reinterpret_cast<const Bytef*>(t.raw()), t.bytes());
  return static_cast<std::uint32_t>(sum);
}

/// What both of a member's records say: version needed 2.0, flags, stored, midnight of 1980-01-01, checksum,
/// sizes.
std::string common_fields(const std::string& name, std::uint32_t crc, std::uint64_t size) {
  bool ascii = true;
  for (char c : name) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
  const unsigned utf8_name = 1u << 11;
  return Bytes()
      .u16(20)
      .u16(ascii ? 0 : utf8_name)
      .u16(0)
      .u16(0)
      .u16(1 << 5 | 1)
      .u32(crc)
      .u32(size)
      .u32(size)
      .u16(name.size())
      .u16(0)
      .text();
}

void expect_writable(const std::string& path, const std::vector<ArchiveEntry>& entries) {
  const auto refuse = [&](const auto&... why) { throw ArgumentError("[npz] ", path, ": ", why...); };
  if (entries.size() > kMostEntries) refuse(entries.size(), " arrays; a zip file holds ", kMostEntries);
  std::set<std::string> names;
  std::uint64_t bytes = 0;
  for (const ArchiveEntry& e : entries) {
    if (e.name.empty() || e.name.size() > 1000 || !is_utf8(e.name))
      refuse("the name \"", excerpt(e.name), "\" is empty, longer than 1000 bytes or not UTF-8");
    if (!names.insert(e.name).second) refuse("two arrays are named \"", e.name, "\"");
    if (!e.tensor.defined()) refuse("\"", e.name, "\" is undefined");
    bytes += e.tensor.bytes() + 4 * e.name.size() + 1024;  // an upper bound on the records around it
  }
  if (bytes >= kZipLimit)
    refuse("about ", bytes >> 20, " MiB; a zip file without its 64-bit extension ends at 4 GiB (write ",
           "safetensors instead)");
}

}  // namespace

void write_npz(const std::string& path, const std::vector<ArchiveEntry>& tensors,
               const ArchiveMetadata& metadata) {
  std::vector<ArchiveEntry> entries = tensors;
  for (ArchiveEntry& e : entries) e.tensor = e.tensor.to(Device{}).to(compute_dtype(e.tensor.dtype()));
  if (!metadata.empty()) {
    Json object = Json::Object{};
    for (const auto& [key, value] : metadata) object.set(key, value);
    const std::string json = object.compact();
    const std::vector<std::uint8_t> bytes(json.begin(), json.end());
    entries.push_back(
        {std::string(archive_format::kMetadataKey), Tensor::from(bytes, {static_cast<Index>(bytes.size())})});
  }
  expect_writable(path, entries);
  write_file_atomically(path, [&](FileWriter& out) {
    std::string directory;
    std::uint64_t offset = 0;
    for (const ArchiveEntry& e : entries) {
      const Tensor t = e.layout == FileLayout::convolution ? to_file_layout(e.tensor) : e.tensor;
      const std::string name = e.name + ".npy", header = npy_header(t.dtype(), t.shape());
      const std::string fields = common_fields(name, crc32_of(header, t), header.size() + t.bytes());
      const std::string local = Bytes().u32(0x04034b50).text() + fields + name + header;
      out.write(local);
      out.write(t.raw(), t.bytes());
      // Made by 2.0; no comment, disk 0, no attributes.
      directory += Bytes().u32(0x02014b50).u16(20).text() + fields +
                   Bytes().u16(0).u16(0).u16(0).u32(0).u32(offset).text() + name;
      offset += local.size() + t.bytes();
    }
    out.write(directory);
    out.write(Bytes()
                  .u32(0x06054b50)
                  .u16(0)
                  .u16(0)
                  .u16(entries.size())
                  .u16(entries.size())
                  .u32(directory.size())
                  .u32(offset)
                  .u16(0)
                  .text());
  });
}

}  // namespace basin
