// GivenPictures: any pictures, seen as a network's test images are; one that cannot be read is no end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/loading/folder_source.h"
#include "data/loading/source.h"

namespace basin::data {

/// A picture that somebody names.
struct GivenPicture {
  std::string path{};       // as it was given; a name where the bytes are here
  std::string bytes{};      // of the file; empty: they are read from the path
  std::int64_t label = -1;  // place of its class among the logits; -1: unknown
};

/// What a network of images {size,size,C} is to see of a picture of any size: the shorter side resized to
/// `resize`, the middle cut out, C = 1 its brightness, (299 R + 587 G + 114 B) / 1000 as Pillow rounds it;
/// then (byte / 255 - mean[c]) / deviation[c].
struct EvaluatedLook {
  std::int64_t size = 224, resize = 256;
  std::vector<double> mean{}, deviation{};  // one a channel; 1 or 3 channels
};

/// Pictures as examples. One that cannot be read or decoded is black, and error_of() says why once it was
/// written: thousands of pictures are not lost by one.
class GivenPictures : public ExampleSource {
 public:
  /// Errors: ArgumentError for other numbers of channels; those of FolderSource.
  GivenPictures(std::vector<GivenPicture> pictures, const EvaluatedLook& look);

  std::int64_t size() const override { return static_cast<std::int64_t>(given_.size()); }
  Shape image_shape() const override;
  /// Returns the label, 0 where it is unknown.
  std::int64_t write(std::int64_t epoch, std::int64_t index, float* image) const override;
  std::string name(std::int64_t index) const override;

  /// Why write() could not read that picture, its path first; empty where it could.
  const std::string& error_of(std::int64_t index) const { return errors_[static_cast<std::size_t>(index)]; }
  std::vector<std::int64_t> labels() const;

 private:
  std::vector<GivenPicture> given_;
  FolderSource cutter_;  // of files that are not read by it
  std::int64_t channels_;
  std::vector<float> normalised_;  // [channel][byte]
  // One for each picture, written by whoever writes that picture: nobody else touches it meanwhile.
  mutable std::vector<std::string> errors_;
};

/// A byte of "L" that Pillow makes of R, G, B: (19595 R + 38470 G + 7471 B + 2^15) / 2^16.
std::uint8_t brightness(const std::uint8_t* rgb);

}  // namespace basin::data
