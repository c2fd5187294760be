#include "data/formats/tar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "core/error.h"
#include "data/formats/file.h"

namespace basin::data {
namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kLongestExtension = std::uint64_t{1} << 20;  // of a name or a pax header
constexpr std::uint64_t kLargest = std::uint64_t{1} << 60;           // of a member

using Block = std::array<char, kBlock>;

/// A field's text up to its first NUL.
std::string_view text_at(const Block& block, std::size_t at, std::size_t length) {
  const std::string_view field(block.data() + at, length);
  return field.substr(0, field.find('\0'));
}

/// An octal number padded with blanks and NULs, or GNU's binary one with its top bit set; none if it is
/// neither or too large.
std::optional<std::uint64_t> number_at(const Block& block, std::size_t at, std::size_t length) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(block[at + i]); };
  std::uint64_t value = 0;
  if (byte(0) & 0x80) {
    if (byte(0) != 0x80) return {};  // negative, or beyond 88 bits
    for (std::size_t i = 1; i < length; ++i) {
      if (value > kLargest >> 8) return {};
      value = value << 8 | byte(i);
    }
    return value;
  }
  std::string_view digits = text_at(block, at, length);
  while (!digits.empty() && digits.front() == ' ') digits.remove_prefix(1);
  while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
  if (digits.empty()) return 0;
  const auto [stop, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (failure != std::errc() || stop != digits.data() + digits.size() || value > kLargest) return {};
  return value;
}

/// Of the block with its sum taken for blanks; some old programs added signed characters.
bool sum_is_right(const Block& block) {
  constexpr std::size_t kAt = 148, kLength = 8;
  const std::optional<std::uint64_t> expected = number_at(block, kAt, kLength);
  std::int64_t sum = 0, of_signed = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const char c = i >= kAt && i < kAt + kLength ? ' ' : block[i];
    sum += static_cast<unsigned char>(c);
    of_signed += static_cast<signed char>(c);
  }
  return expected &&
         (static_cast<std::int64_t>(*expected) == sum || static_cast<std::int64_t>(*expected) == of_signed);
}

}  // namespace

struct TarReader::Header {
  Block block{};
  char type = '0';
  std::uint64_t bytes = 0;
  std::string name{};
};

struct TarReader::Extended {
  std::optional<std::string> name{};
  std::optional<std::uint64_t> bytes{};
};

void TarReader::damaged(const std::string& reason) const {
  throw DataError(stream_.name(), ": damaged tar at byte ", header_at_, ": ", reason);
}

void TarReader::pass(std::uint64_t bytes) {
  if (!stream_.skip(bytes)) damaged("the file ends inside of the member that begins here");
  at_ += bytes;
}

std::size_t TarReader::read(void* out, std::size_t bytes) {
  const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, left_));
  if (stream_.read(out, now) < now) damaged("the file ends inside of the member that begins here");
  at_ += now;
  left_ -= now;
  return now;
}

// False at the end mark, a block of zeros.
bool TarReader::read_header(Header& header) {
  pass(left_ + padding_);
  left_ = padding_ = 0;
  header_at_ = at_;
  const std::size_t got = stream_.read(header.block.data(), kBlock);
  at_ += got;
  constexpr std::size_t kBeforeMagic = 257;  // of tar itself
  const Packing* packing =
      header_at_ == 0 ? packing_of({header.block.data(), std::min(got, kBeforeMagic)}) : nullptr;
  if (packing != nullptr && !sum_is_right(header.block))
    throw DataError(unpack_first(stream_.name(), *packing));
  if (got == 0) damaged("the file ends without the archive's end mark: it is cut off");
  if (got < kBlock) damaged("the file ends inside of a header");
  if (std::all_of(header.block.begin(), header.block.end(), [](char c) { return c == 0; })) return false;
  if (!sum_is_right(header.block)) {
    damaged(header_at_ == 0 ? "the first header's checksum is wrong: not a tar archive?"
                            : "a header's checksum is wrong");
  }
  const std::optional<std::uint64_t> bytes = number_at(header.block, 124, 12);
  if (!bytes) damaged("a member's size is no number");
  header.bytes = *bytes;
  header.type = header.block[156];
  header.name = text_at(header.block, 0, 100);
  // GNU's header has other things where ustar's has the beginning of the name.
  if (std::string_view(header.block.data() + 257, 6) == std::string_view("ustar\0", 6)) {
    const std::string_view prefix = text_at(header.block, 345, 155);
    if (!prefix.empty()) header.name = std::string(prefix) + '/' + header.name;
  }
  left_ = header.bytes;
  padding_ = (kBlock - header.bytes % kBlock) % kBlock;
  return true;
}

std::string TarReader::read_extension(const Header& header) {
  if (header.bytes > kLongestExtension) damaged(text("an extended header of ", header.bytes, " bytes"));
  std::string content(static_cast<std::size_t>(header.bytes), '\0');
  read(content.data(), content.size());
  return content;
}

// Records "LENGTH KEY=VALUE\n", LENGTH that of the whole record.
void TarReader::read_pax(const Header& header, Extended& into) {
  const std::string content = read_extension(header);
  std::string_view rest = content;
  while (!rest.empty()) {
    std::size_t length = 0;
    const auto [stop, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    const auto digits = static_cast<std::size_t>(stop - rest.data());
    if (failure != std::errc() || length > rest.size() || length < digits + 3 || rest[digits] != ' ' ||
        rest[length - 1] != '\n') {
      damaged("a pax header that is none");
    }
    const std::string_view record = rest.substr(digits + 1, length - digits - 2);
    rest.remove_prefix(length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) damaged("a pax header that is none");
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") into.name = std::string(value);
    if (key.starts_with("GNU.sparse")) damaged("sparse members are not read");
    if (key == "size") {
      std::uint64_t bytes = 0;
      const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), bytes);
      if (wrong != std::errc() || end != value.data() + value.size() || bytes > kLargest)
        damaged("a member's size is no number");
      into.bytes = bytes;
    }
  }
}

std::optional<TarMember> TarReader::next() {
  if (ended_) return {};
  Extended extended, unused;
  for (Header header; read_header(header);) {
    switch (header.type) {
      case 'L': {
        const std::string name = read_extension(header);
        extended.name = name.substr(0, name.find('\0'));
        continue;
      }
      case 'K':  // the target of a link
        read_extension(header);
        continue;
      case 'x':
        read_pax(header, extended);
        continue;
      case 'g':  // for all members; neither a name nor a size makes sense there
        read_pax(header, unused);
        continue;
      case 'S':
        damaged("sparse members are not read");
      default:
        break;
    }
    TarMember member{.name = extended.name.value_or(header.name), .offset = at_};
    if (extended.bytes) {
      left_ = *extended.bytes;
      padding_ = (kBlock - left_ % kBlock) % kBlock;
    }
    using Kind = TarMember::Kind;
    const char type = header.type;
    if (type == '0' || type == '\0' || type == '7') {
      // Before there was a type for them, folders were told by a slash.
      member.kind = member.name.ends_with('/') ? Kind::folder : Kind::file;
    } else {
      member.kind = type == '5' ? Kind::folder : type == '1' || type == '2' ? Kind::link : Kind::other;
      if (type >= '1' && type <= '6') left_ = padding_ = 0;  // whatever the header says, nothing follows
    }
    member.bytes = left_;
    if (member.name.empty()) damaged("a member without a name");
    return member;
  }
  ended_ = true;
  return {};
}

}  // namespace basin::data
