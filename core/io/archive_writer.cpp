// Writing of safetensors files: the same tensors give the same bytes, whatever order they come in.
#include <algorithm>
#include <cstring>

#include "core/io/archive.h"
#include "core/io/archive_format.h"
#include "core/io/json.h"
#include "core/io/utf8.h"

namespace basin {
namespace {

using namespace archive_format;

/// Reverses the axes of {p, i, o}, giving {o, i, p}, cube by cube: both sides of a cube fit the first cache.
template <class T>
void reverse_axes(const std::byte* from, std::byte* to, Index p, Index i, Index o) {
  constexpr Index kSide = 16, kBytes = sizeof(T);
  const auto blocks = [](Index n, auto body) {
    for (Index begin = 0; begin < n; begin += kSide) body(begin, std::min(begin + kSide, n));
  };
  blocks(o, [&](Index c0, Index c1) {
    blocks(i, [&](Index b0, Index b1) {
      blocks(p, [&](Index a0, Index a1) {
        for (Index c = c0; c < c1; ++c)
          for (Index b = b0; b < b1; ++b)
            for (Index a = a0; a < a1; ++a)
              std::memcpy(to + ((c * i + b) * p + a) * kBytes, from + ((a * i + b) * o + c) * kBytes, kBytes);
      });
    });
  });
}

/// Reverses the axes of x, seen as {p, i, o}, into a tensor of shape `out`.
Tensor reversed(const Tensor& x, Index p, Index i, Index o, const Shape& out) {
  Tensor y = Tensor::empty(out, x.dtype());
  std::byte* to = y.mutable_raw();
  switch (size_of(x.dtype())) {
    case 8:
      reverse_axes<std::uint64_t>(x.raw(), to, p, i, o);
      break;
    case 4:
      reverse_axes<std::uint32_t>(x.raw(), to, p, i, o);
      break;
    case 2:
      reverse_axes<std::uint16_t>(x.raw(), to, p, i, o);
      break;
    default:
      reverse_axes<std::uint8_t>(x.raw(), to, p, i, o);
      break;
  }
  return y;
}

void expect_weight(const Tensor& t, const char* form) {
  if (!t.defined() || t.rank() != 4 || t.device() != Device{})
    throw ArgumentError("[file layout] expects a convolution weight ", form, " on the CPU, got ", t.shape());
}

/// The tensor as its bytes go into the file.
Tensor in_file(const ArchiveEntry& entry) {
  return entry.layout == FileLayout::convolution ? to_file_layout(entry.tensor) : entry.tensor;
}

/// The entries as they follow each other in the file: large elements first, so that all are aligned, then by
/// name.
std::vector<const ArchiveEntry*> in_file_order(const std::vector<ArchiveEntry>& entries) {
  std::vector<const ArchiveEntry*> order;
  for (const ArchiveEntry& e : entries) {
    if (!is_utf8(e.name)) throw ArgumentError("[archive] tensor name \"", excerpt(e.name), "\" is not UTF-8");
    if (e.name == kMetadataKey) throw ArgumentError("[archive] the name ", kMetadataKey, " is reserved");
    if (!e.tensor.defined()) throw ArgumentError("[archive] tensor \"", e.name, "\" is undefined");
    order.push_back(&e);
  }
  std::sort(order.begin(), order.end(), [](const ArchiveEntry* a, const ArchiveEntry* b) {
    const std::size_t size_a = size_of(a->tensor.dtype()), size_b = size_of(b->tensor.dtype());
    return size_a != size_b ? size_a > size_b : a->name < b->name;
  });
  std::vector<std::string_view> names;
  for (const ArchiveEntry* e : order) names.push_back(e->name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) throw ArgumentError("[archive] two tensors are called \"", *twice, '"');
  return order;
}

/// `{"__metadata__":{...},"name":{"dtype":...},...}` with the checksums in it, padded so that the data is
/// aligned.
std::string make_header(const std::vector<const ArchiveEntry*>& order, ArchiveMetadata metadata) {
  std::string sums, tensors;
  std::uint64_t offset = 0;
  for (const ArchiveEntry* e : order) {
    const Tensor t = in_file(*e);
    if (!sums.empty()) sums += ' ';
    sums += hex(crc32c(t.raw(), t.bytes()));
    Json::Array shape(t.shape().begin(), t.shape().end());
    Json entry;
    entry.set("dtype", file_dtype(t.dtype())).set("shape", std::move(shape));
    entry.set("data_offsets", Json::Array{offset, offset + t.bytes()});
    tensors += ',' + Json(e->name).compact() + ':' + entry.compact();
    offset += t.bytes();
  }

  for (const auto& [key, value] : metadata) {
    if (!is_utf8(key) || !is_utf8(value))
      throw ArgumentError("[archive] metadata \"", excerpt(key), "\" is not UTF-8");
    if (key == kCrcKey || key == kHeaderCrcKey)
      throw ArgumentError("[archive] metadata key ", key, " is reserved");
  }
  metadata[std::string(kCrcKey)] = sums;
  metadata[std::string(kHeaderCrcKey)] = hex(0);
  std::string header = text("{\"", kMetadataKey, "\":{");
  std::size_t digits_at = 0;
  for (const auto& [key, value] : metadata) {
    if (header.back() != '{') header += ',';
    header += Json(key).compact() + ':';
    if (key == kHeaderCrcKey) digits_at = header.size() + 1;
    header += Json(value).compact();
  }
  header += '}' + tensors + '}';
  header.append((kLengthBytes - header.size() % kLengthBytes) % kLengthBytes, ' ');
  if (header.size() > kLargestHeader)
    throw ArgumentError("[archive] ", order.size(), " names and the metadata take ", header.size(),
                        " bytes, the format allows ", kLargestHeader);
  header.replace(digits_at, kCrcDigits, hex(header_crc(header, digits_at)));
  return header;
}

}  // namespace

Tensor to_file_layout(const Tensor& memory) {
  expect_weight(memory, "{KH,KW,I,O}");
  const Shape& s = memory.shape();
  return reversed(memory, s[0] * s[1], s[2], s[3], {s[3], s[2], s[0], s[1]});
}

Tensor from_file_layout(const Tensor& file) {
  expect_weight(file, "{O,I,KH,KW}");
  const Shape& s = file.shape();
  return reversed(file, s[0], s[1], s[2] * s[3], {s[2], s[3], s[1], s[0]});
}

void write_archive(const std::string& path, const std::vector<ArchiveEntry>& entries,
                   const ArchiveMetadata& metadata) {
  std::vector<ArchiveEntry> here = entries;
  for (ArchiveEntry& e : here) e.tensor = e.tensor.to(Device{});
  const std::vector<const ArchiveEntry*> order = in_file_order(here);
  const std::string header = make_header(order, metadata);
  const auto length = length_bytes(header.size());
  std::uint64_t bytes = length.size() + header.size();
  for (const ArchiveEntry* e : order) bytes += e->tensor.bytes();
  write_file_atomically(path, [&](FileWriter& out) {
    out.reserve(bytes);
    out.write(length.data(), length.size());
    out.write(header);
    for (const ArchiveEntry* e : order) {
      const Tensor t = in_file(*e);
      out.write(t.raw(), t.bytes());
    }
  });
}

}  // namespace basin
