// ImageBatch: images of a batch, cut out of a data set that lies on a device as bytes.
#pragma once

#include "core/scalar.h"
#include "core/tensor.h"

namespace basin {

/// What image_batch() makes a batch of B images of. Everything but `reflect` is on one device.
///
/// Image b is the picture draws[b][0], moved, mirrored, covered:
///
///     u = flipped ? W-1-x : x                          the column before the image was mirrored
///     v = byte of the picture at (y + down, u + right)  outside of it: `reflect`
///     image(y, x, c) = (y, x) in its box ? 0 : table[c][v]
///
/// then what a batch has in common: 0 in `covered`, and the partner's part. A box {top, bottom, left, right}
/// holds the rows [top, bottom) and the columns [left, right); one with top = bottom is empty.
struct ImageBatch {
  const Tensor& pixels;  // u8 {n,H,W,C}: all pictures
  const Tensor& table;   // f32 {C,256}: what a byte of a channel becomes
  const Tensor& draws;   // i64 {B,8}: place among the pictures, down, right, flipped (0 or 1), its box
  bool reflect = false;  // a picture goes on as mirrored at its edge pixel, which is not repeated; else as 0

  const Tensor* covered = nullptr;    // i64 {4}: a box that is 0 in all images; null: none
  const Tensor* partners = nullptr;   // i64 {B}: the place in the batch of each image's partner; null: none
  const Tensor* exchanged = nullptr;  // i64 {4}: a box that is the partner's, the rest is the image's own
  /// Without `exchanged`: the image is lambda own + (1 - lambda) partner's, in f32, each product and the sum
  /// rounded. Also (1 - lambda) is: of lambda rounded to f32.
  Scalar lambda = 1;
};

/// The images, f32 {B,H,W,C}: into `out`, or new ones. Errors: ArgumentError for wrong dtypes, shapes or
/// devices; of numbers on the host also for places, partners or mirrored borders outside of what there is.
/// Those of a device are not looked at: whoever sends them sees to it.
void image_batch(const ImageBatch& b, Tensor& out);
Tensor image_batch(const ImageBatch& b);

}  // namespace basin
