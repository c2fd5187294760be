// The files of pictures, asked about without reading them: are they there, what do their names say, are they
// those of before?
#pragma once

#include <string>
#include <string_view>

#include "data/sets/image_folder.h"
#include "data/watch.h"

namespace basin::data {

/// What a name's ending says of a file, in any case of letters.
enum class Ending {
  read,      // .jpg, .jpeg, .jpe, .jfif, .jif, .png, .apng
  doubtful,  // .gif, .webp, .bmp, .tiff, .ppm, .pgm: what is downloaded under them is often a JPEG or PNG
  foreign,   // another format of pictures: .heic, .avif, .jp2, ...
  other      // no picture
};
Ending ending_of(std::string_view name);

/// Asks the system about each file: fills in bytes, stamp and error. A picture in a shard gets the stamp of
/// the shard.
void look_up(ImageFolder& folder, const Watch& watch = {});

/// Whether every picture is a regular file and not, by a name that is another format's and its first bytes,
/// in a format that is not read. To be asked before training. Errors: DataError naming the first that is not,
/// how many there are, and --bad-image skip.
void expect_readable(const ImageFolder& folder);

/// Fills in `sum` of each file that has none, reading it. Errors: DataError naming a file that cannot be
/// read.
void sum_contents(ImageFolder& folder, const Watch& watch = {});

/// SHA-256 of folder_hash() and the sums of all files; "" if one has none.
std::string content_hash(const ImageFolder& folder);

}  // namespace basin::data
