#include "data/loading/device_batch.h"

#include <algorithm>

#include "core/error.h"
#include "core/images/image_batch.h"

namespace basin::data {
namespace {

std::int64_t* put(const Rectangle& r, std::int64_t* to) {
  for (const std::int64_t edge : {r.top, r.bottom, r.left, r.right}) *to++ = edge;
  return to;
}

}  // namespace

DrawnBatch draw_batch(const ExampleSource& source, const Pictures& pictures,
                      const std::vector<std::int64_t>& indices, const BatchMix& mix, std::uint64_t seed,
                      std::uint64_t epoch, std::uint64_t step) {
  const auto rows = static_cast<std::int64_t>(indices.size());
  const bool covered = mix.cutout > 0, mixed = mix.mixup > 0 || mix.cutmix > 0;
  DrawnBatch drawn{.pictures = pictures,
                   .covered = covered,
                   .mixed = mixed,
                   .exchanged = mix.cutmix > 0,
                   .rows = rows,
                   .numbers = Tensor::empty({covered || mixed ? 12 * rows + 8 : 9 * rows}, Dtype::i64),
                   .lambda = 1};
  std::int64_t* draw = drawn.numbers.mutable_data<std::int64_t>();
  std::int64_t* labels = draw + 8 * rows;
  for (std::int64_t b = 0; b < rows; ++b, draw += 8)
    labels[b] = source.draw(static_cast<std::int64_t>(epoch), indices[static_cast<std::size_t>(b)], draw);
  if (!covered && !mixed) return drawn;
  const Shape image = source.image_shape();
  const MixDraw m = draw_mix(mix, rows, image[0], image[1], seed, epoch, step);
  drawn.lambda = m.lambda;
  std::int64_t* partners = put(m.exchanged, put(m.covered, labels + rows));
  for (std::int64_t b = 0; b < rows; ++b) {
    partners[b] = mixed ? m.partners[static_cast<std::size_t>(b)] : b;
    partners[rows + b] = labels[partners[b]];
    partners[2 * rows + b] = labels[m.lambda < 0.5 ? partners[b] : b];
  }
  return drawn;
}

DeviceBatch::DeviceBatch(const DrawnBatch& first) : here_(first) {
  const Device device = here_.pictures.pixels.device();
  here_.numbers = Tensor::empty(first.numbers.shape(), Dtype::i64, device);
  if (here_.mixed) shares_ = Tensor::empty({2}, Dtype::f64, device);
  send(first);
}

bool DeviceBatch::fits(const DrawnBatch& drawn) const {
  return drawn.rows == here_.rows && drawn.covered == here_.covered && drawn.mixed == here_.mixed &&
         drawn.exchanged == here_.exchanged && drawn.pictures.pixels.raw() == here_.pictures.pixels.raw();
}

void DeviceBatch::send(const DrawnBatch& drawn) {
  if (!fits(drawn))
    throw ArgumentError("[device batch] ", drawn.rows, " images do not fit in the place of ", here_.rows,
                        ", or are of other pictures or mixed otherwise");
  here_.numbers.copy_from(drawn.numbers);
  if (here_.mixed) shares_.copy_from(Tensor::from(std::vector<double>{drawn.lambda, 1 - drawn.lambda}));
}

Tensor DeviceBatch::partner_labels() const {
  return here_.mixed ? here_.numbers.view(10 * here_.rows + 8, {here_.rows}) : Tensor();
}

Tensor DeviceBatch::heavier_labels() const {
  return here_.mixed ? here_.numbers.view(11 * here_.rows + 8, {here_.rows}) : labels();
}

Tensor DeviceBatch::images() const {
  const Tensor& pixels = here_.pictures.pixels;
  const Shape& s = pixels.shape();
  Tensor out = Tensor::empty({here_.rows, s[1], s[2], s[3]}, Dtype::f32, pixels.device());
  images(out);
  return out;
}

void DeviceBatch::images(Tensor& out) const {
  const std::int64_t rows = here_.rows;
  const Tensor draws = here_.numbers.view(0, {rows, 8});
  Tensor partners, covered, exchanged;
  if (here_.covered) covered = here_.numbers.view(9 * rows, {4});
  if (here_.exchanged) exchanged = here_.numbers.view(9 * rows + 4, {4});
  if (here_.mixed) partners = here_.numbers.view(9 * rows + 8, {rows});
  image_batch({.pixels = here_.pictures.pixels,
               .table = here_.pictures.table,
               .draws = draws,
               .reflect = here_.pictures.reflect,
               .covered = here_.covered ? &covered : nullptr,
               .partners = here_.mixed ? &partners : nullptr,
               .exchanged = here_.exchanged ? &exchanged : nullptr,
               .lambda = here_.mixed ? Scalar(shares_.slice_rows(0, 1)) : Scalar(1)},
              out);
}

}  // namespace basin::data
