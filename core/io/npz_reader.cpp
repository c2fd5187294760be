// Reading of npz files: every number is checked before it is used as a length or a place.
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "core/io/archive_format.h"
#include "core/io/half.h"
#include "core/io/json.h"
#include "core/io/npz.h"
#include "core/io/utf8.h"
#include "core/ops.h"

namespace basin {
namespace {

constexpr std::uint64_t kLocalRecord = 30, kDirectoryRecord = 46,
                        kEndRecord = 22;                               // bytes, names not counted
constexpr std::uint64_t kUnknown32 = 0xffffffff, kUnknown16 = 0xffff;  // "see the 64-bit extension"
constexpr std::uint64_t kMostDeflation = 1032;                         // zlib.net/zlib_tech.html
constexpr std::uint64_t kLongestHeader = 1 << 16;
constexpr Index kLargestExtent = Index{1} << 53;

/// The little-endian number of `count` bytes at `at`, which must lie in `bytes`.
std::uint64_t number(std::string_view bytes, std::size_t at, int count) {
  std::uint64_t v = 0;
  for (int i = count; i-- > 0;)
    v = v << 8 | static_cast<unsigned char>(bytes.at(at + static_cast<std::size_t>(i)));
  return v;
}

/// An open file whose failures are CheckpointErrors.
InputFile opened(const std::string& path) {
  try {
    return InputFile(path);
  } catch (const DataError& e) {
    throw CheckpointError(e.what());
  }
}

/// A member's bytes in order, unpacked.
class Unpacker {
 public:
  Unpacker(const InputFile& file, std::uint64_t offset, std::uint64_t packed, bool deflated)
      : file_(file), at_(offset), left_(packed), deflated_(deflated) {
    if (deflated_ && ::inflateInit2(&stream_, -MAX_WBITS) != Z_OK)
      throw MemoryError("[npz] zlib has no memory");
  }
  ~Unpacker() {
    if (deflated_) ::inflateEnd(&stream_);
  }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  /// The next `bytes` bytes; false if there are fewer, or if they are not a deflated stream.
  bool read(void* out, std::size_t bytes) {
    if (!(deflated_ ? inflate(static_cast<Bytef*>(out), bytes) : copy(out, bytes))) return false;
    if (bytes > 0) crc_ = ::crc32_z(crc_, static_cast<const Bytef*>(out), bytes);
    return true;
  }
  /// Whether nothing is left.
  bool ended() {
    if (!deflated_) return left_ == 0;
    Bytef more = 0;
    return ended_ || (!inflate(&more, 1) && ended_);
  }
  std::uint32_t crc() const { return static_cast<std::uint32_t>(crc_); }

 private:
  bool copy(void* out, std::size_t bytes) {
    if (bytes > left_) return false;
    file_.read(at_, out, bytes);
    at_ += bytes;
    left_ -= bytes;
    return true;
  }
  bool inflate(Bytef* out, std::size_t bytes) {
    while (bytes > 0 && !ended_) {
      if (stream_.avail_in == 0 && left_ > 0) {
        const std::size_t take = std::min<std::uint64_t>(left_, sizeof buffer_);
        copy(buffer_, take);
        stream_.next_in = buffer_;
        stream_.avail_in = static_cast<uInt>(take);
      }
      const auto room = static_cast<uInt>(std::min<std::size_t>(bytes, std::size_t{1} << 30));
      stream_.next_out = out;
      stream_.avail_out = room;
      const int state = ::inflate(&stream_, Z_NO_FLUSH);
      const uInt made = room - stream_.avail_out;
      out += made;
      bytes -= made;
      ended_ = state == Z_STREAM_END;
      if (state != Z_OK && !ended_) return false;  // damaged; or Z_BUF_ERROR: the input ended too early
    }
    return bytes == 0;
  }

  const InputFile& file_;
  std::uint64_t at_, left_;
  bool deflated_, ended_ = false;
  uLong crc_ = ::crc32_z(0, nullptr, 0);
  z_stream stream_{};
  Bytef buffer_[1 << 14];
};

/// An npy header's dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
struct Dictionary {
  std::string descr;
  std::optional<bool> fortran;
  std::optional<Shape> shape;
};

/// Reads Python literals of that one form; nothing for any other.
class DictionaryReader {
 public:
  explicit DictionaryReader(std::string_view text) : rest_(text) {}

  std::optional<Dictionary> read() {
    Dictionary d;
    if (!take('{')) return {};
    while (!take('}')) {
      const std::optional<std::string> key = quoted();
      if (!key || !take(':')) return {};
      if (*key == "descr" && d.descr.empty()) {
        const std::optional<std::string> value = quoted();
        if (!value || value->empty()) return {};  // a list of fields, or nothing
        d.descr = *value;
      } else if (*key == "fortran_order" && !d.fortran) {
        if (take_word("True"))
          d.fortran = true;
        else if (take_word("False"))
          d.fortran = false;
        else
          return {};
      } else if (*key == "shape" && !d.shape) {
        d.shape = extents();
        if (!d.shape) return {};
      } else {
        return {};
      }
      if (!take(',')) {
        if (!take('}')) return {};
        break;
      }
    }
    skip_blanks();
    if (!rest_.empty() || d.descr.empty() || !d.fortran || !d.shape) return {};
    return d;
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size())); }
  bool take(char c) {
    skip_blanks();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    skip_blanks();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::optional<std::string> quoted() {
    const char quote = take('\'') ? '\'' : take('"') ? '"' : '\0';
    const std::size_t end = rest_.find(quote);
    if (quote == '\0' || end == std::string_view::npos) return {};
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return value;
  }
  std::optional<Shape> extents() {
    Shape shape;
    Index product = 1;
    if (!take('(')) return {};
    while (!take(')')) {
      skip_blanks();
      Index extent = -1;
      const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc() || extent < 0 || extent > kLargestExtent || shape.rank() == Shape::kMaxRank)
        return {};
      if (extent > 0 && __builtin_mul_overflow(product, extent, &product)) return {};
      rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
      take('L');  // Python 2
      shape.push_back(extent);
      if (!take(',')) {
        if (!take(')')) return {};
        break;
      }
    }
    return shape;
  }

  std::string_view rest_;
};

/// The dtype in memory.
std::optional<Dtype> dtype_of_descr(std::string_view descr) {
  if (descr == "<f4" || descr == "<f2") return Dtype::f32;
  if (descr == "<f8") return Dtype::f64;
  if (descr == "<i8") return Dtype::i64;
  if (descr == "|u1") return Dtype::u8;
  return {};
}

}  // namespace

struct NpzFile::Directory {
  std::uint64_t entries, offset, bytes;
};

template <class... Parts>
void NpzFile::fail(const Parts&... reason) const {
  throw CheckpointError("[npz] ", path(), ": ", reason...);
}

NpzFile::NpzFile(const std::string& path) : file_(opened(path)) {
  try {
    const Directory directory = find_directory();
    std::string records(directory.bytes, '\0');
    file_.read(directory.offset, records.data(), records.size());
    std::string_view rest = records;
    for (std::uint64_t k = 0; k < directory.entries; ++k) {
      if (rest.size() < kDirectoryRecord || number(rest, 0, 4) != 0x02014b50)
        fail("the zip directory is damaged");
      const std::uint64_t flags = number(rest, 8, 2), method = number(rest, 10, 2);
      const std::uint64_t name_bytes = number(rest, 28, 2), packed = number(rest, 20, 4),
                          size = number(rest, 24, 4);
      const std::uint64_t record = kDirectoryRecord + name_bytes + number(rest, 30, 2) + number(rest, 32, 2);
      const std::uint64_t local = number(rest, 42, 4);
      if (record > rest.size()) fail("the zip directory is damaged");
      const std::string name(rest.substr(kDirectoryRecord, name_bytes));
      const Member member{.offset = 0,
                          .packed = packed,
                          .size = size,
                          .crc = static_cast<std::uint32_t>(number(rest, 16, 4)),
                          .deflated = method == 8};
      rest.remove_prefix(record);
      if (!is_utf8(name) || !name.ends_with(".npy"))
        fail("member \"", excerpt(name), "\" is not an array (.npy)");
      if ((flags & 1) != 0) fail("member \"", excerpt(name), "\" is encrypted");
      if (method != 0 && method != 8) fail("member \"", excerpt(name), "\" is packed by method ", method);
      if (packed == kUnknown32 || size == kUnknown32 || local == kUnknown32)
        fail("member \"", excerpt(name), "\" needs zip's 64-bit extension, which is not read here");
      read_header(name.substr(0, name.size() - 4), locate(local, member, name));
    }
    if (!rest.empty()) fail("the zip directory is damaged");
  } catch (const DataError& e) {
    throw CheckpointError(e.what());
  }
  take_metadata();
}

/// Moves "__metadata__" from the tensors to the metadata if it is what write_npz() writes: bytes of a JSON
/// object of texts.
void NpzFile::take_metadata() {
  const std::string key(archive_format::kMetadataKey);
  const auto found = index_.find(key);
  if (found == index_.end() || members_[found->second].dtype != Dtype::u8) return;
  const Tensor bytes = read(key);
  const std::string_view json(reinterpret_cast<const char*>(bytes.raw()), bytes.bytes());
  try {
    const Json object = parse_json(json);
    for (const auto& [name, value] : object.object()) metadata_.emplace(name, value.string());
  } catch (const JsonError&) {
    metadata_.clear();
    return;
  }
  const auto place = static_cast<std::ptrdiff_t>(found->second);
  tensors_.erase(tensors_.begin() + place);
  members_.erase(members_.begin() + place);
  index_.clear();
  for (std::size_t i = 0; i < tensors_.size(); ++i) index_[tensors_[i].name] = i;
}

/// The end record is the last in the file but for a comment of up to 64 KiB.
NpzFile::Directory NpzFile::find_directory() const {
  const std::uint64_t bytes = std::min(file_.size(), kEndRecord + kUnknown16);
  std::string tail(bytes, '\0');
  file_.read(file_.size() - bytes, tail.data(), bytes);
  for (std::uint64_t at = bytes; at-- > 0;) {
    if (bytes - at < kEndRecord || number(tail, at, 4) != 0x06054b50 ||
        number(tail, at + 20, 2) != bytes - at - kEndRecord)
      continue;
    const Directory d{.entries = number(tail, at + 10, 2),
                      .offset = number(tail, at + 16, 4),
                      .bytes = number(tail, at + 12, 4)};
    if (d.entries == kUnknown16 || d.offset == kUnknown32 || d.bytes == kUnknown32)
      fail("a zip file with the 64-bit extension, which is not read here");
    if (number(tail, at + 4, 4) != 0 || number(tail, at + 8, 2) != d.entries ||
        d.offset + d.bytes > file_.size() - bytes + at)
      fail("the zip directory is damaged, or the file is one of several");
    return d;
  }
  fail("is no npz file: it does not end as a zip file does");
}

/// The member with its place: behind its local record, whose name and extra field may differ in length.
NpzFile::Member NpzFile::locate(std::uint64_t local, Member member, const std::string& name) const {
  std::string record(kLocalRecord, '\0');
  const std::uint64_t file_bytes = file_.size();
  if (local + kLocalRecord > file_bytes) fail("member \"", excerpt(name), "\" lies outside of the file");
  file_.read(local, record.data(), record.size());
  if (number(record, 0, 4) != 0x04034b50)
    fail("member \"", excerpt(name), "\" is not where the directory says");
  member.offset = local + kLocalRecord + number(record, 26, 2) + number(record, 28, 2);
  if (member.offset > file_bytes || member.packed > file_bytes - member.offset)
    fail("member \"", excerpt(name), "\" lies outside of the file");
  if (member.deflated ? member.size > (member.packed + 1) * kMostDeflation : member.size != member.packed)
    fail("member \"", excerpt(name), "\" claims ", member.size, " bytes out of ", member.packed);
  return member;
}

void NpzFile::read_header(const std::string& name, Member member) {
  const auto damaged = [&] { fail("'", excerpt(name), "' has no npy header of version 1, 2 or 3"); };
  Unpacker bytes(file_, member.offset, member.packed, member.deflated);
  std::string head(8, '\0');
  if (!bytes.read(head.data(), 8) || !head.starts_with("\x93NUMPY") || head[6] < 1 || head[6] > 3 ||
      head[7] != 0)
    damaged();
  std::string length(head[6] == 1 ? 2 : 4, '\0');
  if (!bytes.read(length.data(), length.size())) damaged();
  const std::uint64_t count = number(length, 0, static_cast<int>(length.size()));
  if (count > kLongestHeader) fail("'", excerpt(name), "' has a header of ", count, " bytes");
  std::string dictionary(count, '\0');
  if (!bytes.read(dictionary.data(), count)) damaged();

  const std::optional<Dictionary> d = DictionaryReader(dictionary).read();
  if (!d) fail("'", excerpt(name), "' is not a plain array: ", excerpt(dictionary));
  const std::optional<Dtype> dtype = dtype_of_descr(d->descr);
  if (!dtype)
    fail("'", excerpt(name), "' is of type '", excerpt(d->descr),
         "'; '<f2', '<f4', '<f8', '<i8' and '|u1' are read (in NumPy: array.astype('<f4'))");
  member.header = head.size() + length.size() + count;
  member.dtype = *dtype;
  member.half = d->descr == "<f2";
  member.fortran = *d->fortran;
  const std::string_view in_file = member.half ? "F16" : file_dtype(*dtype);
  const std::uint64_t element = archive_format::element_size(in_file);
  const auto elements = static_cast<std::uint64_t>(d->shape->elements());
  // Division, not multiplication: the product may not fit.
  if (member.size < member.header || elements != (member.size - member.header) / element ||
      (member.size - member.header) % element != 0)
    fail("'", excerpt(name), "' is ", member.half ? "f16" : name_of(*dtype), " ", *d->shape, " in ",
         member.size, " bytes");
  if (!index_.emplace(name, tensors_.size()).second) fail("two arrays are named '", excerpt(name), "'");
  tensors_.push_back({name, std::string(in_file), *d->shape, member.offset, member.size - member.header, {}});
  members_.push_back(member);
}

Tensor NpzFile::read(const std::string& name, FileLayout layout) const {
  const auto found = index_.find(name);
  if (found == index_.end()) fail("has no array '", excerpt(name), "'");
  const Member& member = members_[found->second];
  const Shape& shape = tensors_[found->second].shape;
  Axes reversed_axes;
  Shape reversed;
  for (int axis = shape.rank(); axis-- > 0;) {
    reversed_axes.push_back(axis);
    reversed.push_back(shape[axis]);
  }
  Tensor t = Tensor::empty(member.fortran ? reversed : shape, member.dtype);
  try {
    Unpacker bytes(file_, member.offset, member.packed, member.deflated);
    std::string header(member.header, '\0');
    std::vector<std::uint16_t> halves(member.half ? static_cast<std::size_t>(t.elements()) : 0);
    const bool whole =
        bytes.read(header.data(), header.size()) &&
        (member.half ? bytes.read(halves.data(), 2 * halves.size()) : bytes.read(t.mutable_raw(), t.bytes()));
    if (member.half) std::transform(halves.begin(), halves.end(), t.mutable_data<float>(), from_half);
    if (!whole || !bytes.ended() || bytes.crc() != member.crc)
      fail("'", excerpt(name), "' is damaged: its bytes do not match their checksum");
  } catch (const DataError& e) {
    throw CheckpointError(e.what());
  }
  if (member.fortran) t = permute(t, reversed_axes);
  return layout == FileLayout::convolution ? from_file_layout(t) : t;
}

}  // namespace basin
