#include "core/images/image_batch.h"

#include "core/backend.h"
#include "core/op_checks.h"

namespace basin {
namespace {

constexpr const char* kOp = "image_batch";

void expect(const Tensor& x, const char* what, Dtype dtype, const Shape& shape, Device device) {
  checks::expect_defined(kOp, x, what);
  if (x.dtype() != dtype || x.shape() != shape)
    throw ArgumentError("[", kOp, "] ", what, " must be ", dtype, ' ', shape, ", got ", x.dtype(), ' ',
                        x.shape());
  if (!(x.device() == device))
    throw ArgumentError("[", kOp, "] the pictures are on ", device, ", not so ", what, ": on ", x.device());
}

void expect_draws(const ImageBatch& b) {
  const Index pictures = b.pixels.size(0), height = b.pixels.size(1), width = b.pixels.size(2);
  const Index* draw = b.draws.data<Index>();
  const auto seen = [](Index moved, Index extent) { return -extent < moved && moved < extent; };
  for (Index i = 0; i < b.draws.size(0); ++i, draw += 8) {
    if (draw[0] < 0 || draw[0] >= pictures)
      throw ArgumentError("[", kOp, "] image ", i, " asks for picture ", draw[0], " of ", pictures);
    if (b.reflect && (!seen(draw[1], height) || !seen(draw[2], width)))
      throw ArgumentError("[", kOp, "] image ", i, " is moved by ", draw[1], " and ", draw[2],
                          ", beyond the mirrored border of ", height, 'x', width, " pixels");
  }
}

void expect_inputs(const ImageBatch& b) {
  checks::expect_defined(kOp, b.pixels, "pixels");
  checks::expect_defined(kOp, b.draws, "draws");
  if (b.pixels.rank() != 4 || b.pixels.dtype() != Dtype::u8)
    throw ArgumentError("[", kOp, "] pixels must be u8 {n,H,W,C}, got ", b.pixels.dtype(), ' ',
                        b.pixels.shape());
  if (b.draws.rank() != 2)
    throw ArgumentError("[", kOp, "] draws must be i64 {B,8}, got ", b.draws.dtype(), ' ', b.draws.shape());
  const Device device = b.pixels.device();
  const Index images = b.draws.size(0);
  expect(b.table, "the table", Dtype::f32, {b.pixels.size(3), 256}, device);
  expect(b.draws, "draws", Dtype::i64, {images, 8}, device);
  if (b.covered != nullptr) expect(*b.covered, "the covered box", Dtype::i64, {4}, device);
  if (b.exchanged != nullptr) expect(*b.exchanged, "the exchanged box", Dtype::i64, {4}, device);
  if (b.partners == nullptr && b.exchanged != nullptr)
    throw ArgumentError("[", kOp, "] a box is exchanged with partners, but there are none");
  if (device.is_host()) expect_draws(b);
  if (b.partners == nullptr) return;
  expect(*b.partners, "partners", Dtype::i64, {images}, device);
  checks::expect_index(kOp, b.draws, *b.partners, images, "partner");
}

}  // namespace

void image_batch(const ImageBatch& b, Tensor& out) {
  expect_inputs(b);
  const Shape& s = b.pixels.shape();
  expect(out, "the result", Dtype::f32, {b.draws.size(0), s[1], s[2], s[3]}, b.pixels.device());
  if (out.elements() > 0) backend_of(b.pixels, Work::shaping)->image_batch(b, out);
}

Tensor image_batch(const ImageBatch& b) {
  expect_inputs(b);
  const Shape& s = b.pixels.shape();
  Tensor out = Tensor::empty({b.draws.size(0), s[1], s[2], s[3]}, Dtype::f32, b.pixels.device());
  image_batch(b, out);
  return out;
}

}  // namespace basin
