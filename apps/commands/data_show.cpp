// `basin data show`: a contact sheet of training images as a network sees them.
#include <algorithm>

#include "apps/cli/long_work.h"
#include "apps/commands/data_command.h"
#include "apps/evaluation/run_data.h"
#include "core/error.h"
#include "core/io/json.h"
#include "data/augment/mix.h"
#include "data/formats/png.h"
#include "data/loading/contact_sheet.h"

namespace basin::apps {
namespace {

/// The first `count` training images in `epoch` as one batch, changes of the batch included, as a loader that
/// does not shuffle gives them; made by all threads.
std::vector<data::Image> first_batch(const RunData& data, const DataToolConfig& config, std::int64_t count,
                                     std::int64_t epoch, const data::Watch& watch) {
  const Shape shape = data.train->image_shape();
  Tensor images = Tensor::empty({count, shape[0], shape[1], shape[2]});
  Tensor labels = Tensor::empty({count}, Dtype::i64);
  float* pixels = images.mutable_data<float>();
  std::int64_t* label = labels.mutable_data<std::int64_t>();
  data::watched_for(count, watch, [&](std::int64_t i) {
    label[i] = data.train->write(epoch, i, pixels + i * shape.elements());
  });
  data::mix_batch(data::parse_augmentation(config.data.augment).mix, images, labels, config.seed,
                  static_cast<std::uint64_t>(epoch), /*step=*/0);
  std::vector<data::Image> pictures;
  for (std::int64_t i = 0; i < count; ++i)
    pictures.push_back(data::picture_of(images.data<float>() + i * shape.elements(), shape, data.set.mean,
                                        data.set.deviation));
  return pictures;
}

/// A sheet that no viewer would open is refused before its pictures are made.
void expect_drawable(const DataToolConfig& config, std::int64_t images, const Shape& image) {
  constexpr std::int64_t kMostPixels = 200'000'000;
  const std::int64_t side = config.enlarge * config.enlarge;
  if (images * config.epochs > kMostPixels / (image[0] * image[1] * side))
    throw UsageError("data show: ", images, " images in ", config.epochs, " epochs, enlarged ",
                     config.enlarge, " times, are more than ", kMostPixels / 1'000'000,
                     " million pixels; a smaller --count, --epochs or --enlarge makes a sheet");
}

}  // namespace

ExitCode show_data(const DataToolConfig& config, Terminal& terminal) {
  const RunData data = load_run_data(config.data, config.seed, {.watch = LongWork(terminal).parts()});
  tell(data, terminal);
  const std::int64_t count = std::min(config.count, data.train->size());
  expect_drawable(config, count, data.train->image_shape());
  std::vector<data::Image> pictures;
  for (std::int64_t epoch = config.epoch; epoch < config.epoch + config.epochs; ++epoch)
    for (data::Image& picture :
         first_batch(data, config, count, epoch, LongWork(terminal).part(text("epoch ", epoch), "images")))
      pictures.push_back(std::move(picture));
  terminal.repaint("");
  const data::Image sheet =
      data::contact_sheet(pictures, {.columns = config.columns, .enlarged = config.enlarge});
  data::write_png(config.out, sheet);
  const std::string epochs = config.epochs == 1
                                 ? text("epoch ", config.epoch)
                                 : text("epochs ", config.epoch, " to ", config.epoch + config.epochs - 1);
  terminal.result(text(config.out, ": ", count, " training images of ", data.set.name, " as in ", epochs,
                       ", augment ", config.data.augment, " (", sheet.width, " x ", sheet.height,
                       " pixels)\n"));
  Json document;
  document.set("file", config.out).set("images", count);
  document.set("data", data.set.name).set("augment", config.data.augment);
  document.set("epoch", config.epoch).set("epochs", config.epochs);
  terminal.result(document);
  return ExitCode::success;
}

}  // namespace basin::apps
