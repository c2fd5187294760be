// TensorFlow's files of records, each with its length and checksums: the event files of TensorBoard.
#pragma once

#include <string>
#include <string_view>

namespace basin {

/// A record as it stands in a file: its length as u64, the masked CRC-32C of that, the bytes, their masked
/// CRC-32C, all little-endian; masked: rotated right by 15 bits, plus 0xa282ead8.
std::string tf_record(std::string_view bytes);

/// Takes the first record off `rest`, whose bytes it gives in `record`. False, with `rest` as it was, where
/// there is no whole one, or a checksum is another.
bool take_tf_record(std::string_view& rest, std::string_view& record);

}  // namespace basin
