// TensorFlow's files of records, each with its length and checksums: the event files of TensorBoard.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace basin {

/// The cyclic redundancy check of Castagnoli's polynomial 0x1EDC6F41 (RFC 3720), of "123456789" 0xE3069283.
std::uint32_t crc32c(std::string_view bytes);

/// A record as it stands in a file: its length as u64, the masked checksum of that, the bytes, their masked
/// checksum, all little-endian; masked: rotated right by 15 bits, plus 0xa282ead8.
std::string tf_record(std::string_view bytes);

/// Takes the first record off `rest`, whose bytes it gives in `record`. False, with `rest` as it was, where
/// there is no whole one, or a checksum is another.
bool take_tf_record(std::string_view& rest, std::string_view& record);

}  // namespace basin
