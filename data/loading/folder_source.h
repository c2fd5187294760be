// Pictures of an image folder as a network wants them: decoded, cut and changed in the loader's threads.
#pragma once

#include <cstdint>
#include <vector>

#include "data/augment/policies.h"
#include "data/augment/resize.h"
#include "data/loading/source.h"
#include "data/sets/image_folder.h"

namespace basin::data {

/// What becomes of a picture of any size before it is a {size,size,3} tensor, in this order.
struct PictureTransform {
  enum class Cut {
    resized,  // draw_resized_crop(), resized to size x size
    random,   // the shorter side resized to `resize`, then size x size anywhere in it
    center    // the same, in the middle
  };

  Cut cut = Cut::center;
  std::int64_t size = 224;
  std::int64_t resize = 0;  // 0: size * 256 / 224, rounded
  ResizedCrop area{};       // for Cut::resized
  Interpolation interpolation = Interpolation::bilinear;
  bool flip = false;     // left and right exchanged with probability 1/2
  Policy policy{};       // after the flip, as torchvision's reference has it
  ColorJitter jitter{};  // after the policy
  // Channel c becomes (byte / 255 - mean[c]) / deviation[c] in f64, rounded once; these are ImageNet's.
  std::vector<double> mean{0.485, 0.456, 0.406};
  std::vector<double> deviation{0.229, 0.224, 0.225};
};

/// torchvision's reference training and evaluation: a random resized crop and a flip; a center crop.
PictureTransform train_transform(std::int64_t size = 224);
PictureTransform eval_transform(std::int64_t size = 224);

/// The pictures of a folder. Nothing is kept between calls. The draws for picture `index` in epoch `epoch`
/// come from Random(seed, Stream::augment, epoch, index): the top bit of bits() for the flip, drawn always,
/// then those of draw_resized_crop(), or below() for top and left of Cut::random. Policy and jitter:
/// augment_colors().
class FolderSource : public ExampleSource {
 public:
  /// Errors: UsageError for sizes that do not go together, ArgumentError for a normalisation that is not of
  /// three channels with positive deviations.
  FolderSource(ImageFolder folder, PictureTransform transform, std::uint64_t seed);

  std::int64_t size() const override { return folder_.size(); }
  Shape image_shape() const override { return {transform_.size, transform_.size, 3}; }

  /// Errors: ArgumentError for an index out of range; DataError naming the file that cannot be read or
  /// decoded, or is too long and narrow to be resized (more than kMostPixels).
  std::int64_t write(std::int64_t epoch, std::int64_t index, float* image) const override;

  std::string name(std::int64_t index) const override { return folder_.path_of(index); }

  /// The same before normalisation, to look at.
  Image look(std::int64_t epoch, std::int64_t index) const;

  /// The decoded picture `index` as it looks in epoch `epoch`. Errors: DataError naming a picture that is too
  /// long and narrow to be resized.
  Image changed(Image image, std::int64_t epoch, std::int64_t index) const;

  const ImageFolder& folder() const { return folder_; }
  /// What PictureTransform::resize came to.
  std::int64_t shorter_side() const { return transform_.resize; }

 private:
  ImageFolder folder_;
  PictureTransform transform_;
  std::uint64_t seed_;
  std::vector<float> normalised_;  // [channel][byte]
};

}  // namespace basin::data
