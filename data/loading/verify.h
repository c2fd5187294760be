// Every picture of a set read, decoded and cut as training would: which are bad, odd, or there twice.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/loading/folder_source.h"
#include "data/sets/image_folder.h"
#include "data/watch.h"

namespace basin::data {

/// What reading every file showed.
struct Verification {
  std::int64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<BadImage> bad{};    // in the folder's order
  std::vector<BadImage> stray{};  // decoded in full, with DecodedImage::stray as the reason
  std::vector<std::pair<std::string, std::string>>
      repeated{};                   // files with the same bytes as one before them
  std::vector<std::string> sums{};  // SHA-256 of each file's bytes; "" of one that could not be read
  std::string content_hash{};       // SHA-256 of all of `sums`; "" if one could not be read
};

/// Decodes every picture, on all threads of the pool (core/parallel.h); the result does not depend on their
/// number.
Verification verify(const ImageFolder& folder, const Watch& watch = {});

/// Also cuts and resizes each as the source does, so that a picture is bad if the source would refuse it.
Verification verify(const FolderSource& source, const Watch& watch = {});

/// The source's folder without the pictures that verify() finds bad, which are listed in `bad`; the others
/// have their `sum`. Errors: DataError if a class that had pictures has none left.
ImageFolder without_bad_images(const FolderSource& source, const Watch& watch = {});

/// Pairs (i, k): the file i of `second` has the bytes of file k of `first`, by their sums; the first such k.
std::vector<std::pair<std::int64_t, std::int64_t>> same_content(const std::vector<std::string>& first,
                                                                const std::vector<std::string>& second);

}  // namespace basin::data
