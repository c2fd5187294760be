// Reading of safetensors files: the header is checked as a whole before anything it says is believed.
#include "core/io/archive.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/io/archive_format.h"
#include "core/io/half.h"
#include "core/io/hash.h"
#include "core/io/json.h"
#include "core/io/utf8.h"

namespace basin {
namespace {

using namespace archive_format;

/// An open file whose failures are CheckpointErrors.
InputFile opened(const std::string& path) {
  try {
    return InputFile(path);
  } catch (const ReadError& e) {
    throw UnreadableError(e.number, e.what());
  } catch (const DataError& e) {
    throw CheckpointError(e.what());
  }
}

/// Our dtype of that name, if Tensor has it.
std::optional<Dtype> memory_dtype(std::string_view name) {
  for (const Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::i64, Dtype::u8})
    if (file_dtype(dtype) == name) return dtype;
  return {};
}

/// The f32 value of a number of two bytes; null for dtypes that are not half precision.
float (*widening_of(std::string_view dtype))(std::uint16_t) {
  return dtype == "F16" ? from_half : dtype == "BF16" ? from_bfloat : nullptr;
}

/// The value of eight hexadecimal digits.
std::optional<std::uint32_t> parse_crc(std::string_view digits) {
  std::uint32_t crc = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), crc, 16);
  if (digits.size() != kCrcDigits || error != std::errc() || end != digits.data() + kCrcDigits) return {};
  return crc;
}

/// Product of the extents, none of them skipped: with a zero among them the others could hide an overflow
/// that strides then run into.
bool product_fits(const Shape& shape) {
  std::int64_t product = 1;
  for (const Index extent : shape)
    if (extent > 0 && __builtin_mul_overflow(product, extent, &product)) return false;
  return true;
}

Shape read_shape(JsonReader& reader) {
  Shape shape;
  reader.begin_array();
  while (reader.next_element()) {
    const std::uint64_t extent = reader.natural();
    if (extent > kLargestExtent) reader.fail(text("extent ", extent, " is larger than 2^53"));
    if (shape.rank() == Shape::kMaxRank) reader.fail(text("more than ", Shape::kMaxRank, " axes"));
    shape.push_back(static_cast<Index>(extent));
  }
  if (!product_fits(shape)) reader.fail(text("element count of ", shape, " overflows"));
  return shape;
}

/// {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}; `offset` is relative to the data.
ArchiveTensor read_tensor(JsonReader& reader, std::string name) {
  ArchiveTensor tensor;
  tensor.name = std::move(name);
  bool has_dtype = false, has_shape = false, has_offsets = false;
  const auto once = [&](bool& seen, const std::string& key) {
    if (std::exchange(seen, true)) reader.fail(text("key \"", key, "\" appears twice"));
  };
  std::uint64_t end = 0;
  reader.begin_object();
  for (std::string key; reader.next_member(key);) {
    if (key == "dtype") {
      once(has_dtype, key);
      tensor.dtype = reader.string();
      if (element_size(tensor.dtype) == 0) reader.fail(text("unknown dtype \"", excerpt(tensor.dtype), '"'));
    } else if (key == "shape") {
      once(has_shape, key);
      tensor.shape = read_shape(reader);
    } else if (key == "data_offsets") {
      once(has_offsets, key);
      reader.begin_array();
      if (!reader.next_element()) reader.fail("data_offsets expects two numbers");
      tensor.offset = reader.natural();
      if (!reader.next_element()) reader.fail("data_offsets expects two numbers");
      end = reader.natural();
      if (reader.next_element()) reader.fail("data_offsets expects two numbers");
    } else {
      reader.fail("expects dtype, shape or data_offsets");
    }
  }
  if (!has_dtype || !has_shape || !has_offsets) reader.fail("dtype, shape or data_offsets is missing");
  if (end < tensor.offset) reader.fail(text("data ends at ", end, ", before its begin at ", tensor.offset));
  tensor.bytes = end - tensor.offset;
  return tensor;
}

}  // namespace

std::string_view file_dtype(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return "F32";
    case Dtype::f64:
      return "F64";
    case Dtype::bf16:
      return "BF16";
    case Dtype::i64:
      return "I64";
    case Dtype::u8:
      return "U8";
  }
  return "";
}

Archive::Archive(const std::string& path) : file_(opened(path)) {
  if (file_.size() < kLengthBytes)
    fail("has ", file_.size(), " bytes, fewer than the 8 of the header's length");
  std::array<unsigned char, kLengthBytes> length{};
  read_bytes(0, length.data(), length.size());
  std::uint64_t header_bytes = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) header_bytes |= std::uint64_t{length[i]} << (8 * i);
  const std::uint64_t left = file_.size() - kLengthBytes;
  if (header_bytes > left)  // never 8 + header_bytes, which may wrap
    fail("claims a header of ", header_bytes, " bytes, ", left,
         " are left; truncated, or no safetensors file");
  if (header_bytes > kLargestHeader)
    fail("claims a header of ", header_bytes, " bytes, more than the format's ", kLargestHeader);

  std::string header(static_cast<std::size_t>(header_bytes), '\0');
  read_bytes(kLengthBytes, header.data(), header.size());
  if (!header.starts_with('{')) fail("the header does not begin with '{': no safetensors file");
  try {
    parse(header);
  } catch (const JsonError& e) {
    fail("header: ", e.what());
  }
}

void Archive::parse(const std::string& header) {
  bool has_metadata = false;
  std::size_t header_crc_at = 0;
  JsonReader reader(header);
  reader.begin_object();
  for (std::string name; reader.next_member(name);) {
    if (name != kMetadataKey) {
      if (!index_.emplace(name, 0).second) reader.fail(text("tensor \"", excerpt(name), "\" appears twice"));
      tensors_.push_back(read_tensor(reader, name));
      continue;
    }
    if (std::exchange(has_metadata, true)) reader.fail("__metadata__ appears twice");
    reader.begin_object();
    for (std::string key; reader.next_member(key);) {
      const std::string value = reader.string();
      if (key == kHeaderCrcKey && reader.offset() > kCrcDigits)
        header_crc_at = reader.offset() - 1 - kCrcDigits;
      if (!metadata_.emplace(key, value).second)
        reader.fail(text("metadata key \"", excerpt(key), "\" appears twice"));
    }
  }
  reader.end();

  std::sort(tensors_.begin(), tensors_.end(), [](const ArchiveTensor& a, const ArchiveTensor& b) {
    return std::tie(a.offset, a.bytes, a.name) < std::tie(b.offset, b.bytes, b.name);
  });
  for (std::size_t i = 0; i < tensors_.size(); ++i) index_[tensors_[i].name] = i;
  check_spans(file_.size() - kLengthBytes - header.size());
  take_checksums(header, header_crc_at);
  for (ArchiveTensor& tensor : tensors_) tensor.offset += kLengthBytes + header.size();
}

void Archive::check_spans(std::uint64_t data_bytes) const {
  std::uint64_t next = 0;
  for (const ArchiveTensor& t : tensors_) {
    const std::uint64_t elements = static_cast<std::uint64_t>(t.shape.elements());
    std::uint64_t wanted = 0;
    if (__builtin_mul_overflow(elements, element_size(t.dtype), &wanted) || wanted != t.bytes)
      fail("tensor \"", excerpt(t.name), "\" is ", t.dtype, ' ', t.shape, ", its data has ", t.bytes,
           " bytes");
    if (t.offset != next)
      fail("tensor \"", excerpt(t.name), "\" begins at byte ", t.offset, " of the data, ",
           t.offset < next ? "inside the one before, which ends at " : "with a hole after byte ", next);
    next += t.bytes;
  }
  if (next != data_bytes)
    fail("the tensors take ", next, " bytes, the file has ", data_bytes,
         " after the header; truncated or extended");
}

void Archive::take_checksums(const std::string& header, std::size_t header_crc_at) {
  const auto tensor_sums = metadata_.find(std::string(kCrcKey));
  const auto header_sum = metadata_.find(std::string(kHeaderCrcKey));
  if (tensor_sums == metadata_.end() && header_sum == metadata_.end()) return;
  if (tensor_sums == metadata_.end() || header_sum == metadata_.end())
    fail("has only one of the checksums crc32c and header_crc32c");

  const std::string& digits = header_sum->second;
  if (header.compare(header_crc_at, kCrcDigits, digits) != 0 ||
      hex(header_crc(header, header_crc_at)) != digits)
    fail("the header does not match its checksum: damaged, or changed by another program");

  const std::string_view sums = tensor_sums->second;
  constexpr std::size_t kStep = kCrcDigits + 1;
  if (sums.size() + 1 != std::max<std::size_t>(tensors_.size() * kStep, 1))
    fail("crc32c expects one sum per tensor");
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    tensors_[i].crc = parse_crc(sums.substr(i * kStep, kCrcDigits));
    if (!tensors_[i].crc) fail("crc32c expects eight hexadecimal digits for each tensor");
  }
  metadata_.erase(tensor_sums);
  metadata_.erase(header_sum);
  checksummed_ = true;
}

std::vector<std::string> Archive::names() const {
  std::vector<std::string> all;
  all.reserve(tensors_.size());
  for (const ArchiveTensor& t : tensors_) all.push_back(t.name);
  return all;
}

const ArchiveTensor& Archive::at(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) fail("has no tensor \"", excerpt(name), '"');
  return tensors_[found->second];
}

Tensor Archive::read(const std::string& name, FileLayout layout) const {
  const ArchiveTensor& t = at(name);
  const std::optional<Dtype> dtype = memory_dtype(t.dtype);
  const auto widen = widening_of(t.dtype);
  if (!dtype && !widen)
    fail("tensor \"", excerpt(name), "\" is ", t.dtype,
         ", which is not supported; convert it to F32, F64, I64 or U8");
  if (layout == FileLayout::convolution && t.shape.rank() != 4)
    fail("tensor \"", excerpt(name), "\" is ", t.shape, ", a convolution weight {O,I,KH,KW} is expected");
  Tensor out = Tensor::empty(t.shape, dtype.value_or(Dtype::f32));
  if (widen) {
    std::vector<std::uint16_t> halves(static_cast<std::size_t>(out.elements()));
    read_bytes(t.offset, halves.data(), static_cast<std::size_t>(t.bytes));
    check_sum(t, crc32c(halves.data(), static_cast<std::size_t>(t.bytes)));
    std::transform(halves.begin(), halves.end(), out.mutable_data<float>(), widen);
  } else {
    read_bytes(t.offset, out.mutable_raw(), out.bytes());
    check_sum(t, crc32c(out.raw(), out.bytes()));
  }
  return layout == FileLayout::convolution ? from_file_layout(out) : out;
}

void Archive::verify() const {
  std::vector<char> buffer(std::size_t{1} << 20);
  for (const ArchiveTensor& t : tensors_) {
    std::uint32_t crc = 0;
    for (std::uint64_t done = 0; done < t.bytes;) {
      const std::size_t step =
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), t.bytes - done));
      read_bytes(t.offset + done, buffer.data(), step);
      crc = crc32c(buffer.data(), step, crc);
      done += step;
    }
    check_sum(t, crc);
  }
}

void Archive::read_bytes(std::uint64_t offset, void* out, std::size_t bytes) const {
  try {
    file_.read(offset, out, bytes);
  } catch (const ReadError& e) {
    throw UnreadableError(e.number, e.what());
  } catch (const DataError& e) {
    throw CheckpointError(e.what());
  }
}

void Archive::check_sum(const ArchiveTensor& t, std::uint32_t crc) const {
  if (t.crc && *t.crc != crc)
    fail("the numbers of tensor \"", excerpt(t.name), "\" do not match their checksum: the file is damaged");
}

template <class... Parts>
void Archive::fail(const Parts&... reason) const {
  throw CheckpointError("[archive] ", path(), ": ", reason...);
}

}  // namespace basin
