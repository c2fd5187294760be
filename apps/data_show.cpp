// `basin data show`: a contact sheet of training images as a network sees them.
#include <algorithm>
#include <numeric>

#include "apps/data_command.h"
#include "apps/examples.h"
#include "core/error.h"
#include "core/json.h"
#include "data/contact_sheet.h"
#include "data/png.h"

namespace basin::apps {
namespace {

/// The first `count` training images in `epoch` as one batch, changes of the batch included.
std::vector<data::Image> first_batch(const Examples& examples, const DataToolConfig& config,
                                     std::int64_t count, std::int64_t epoch) {
  data::Loader loader(examples.train, {.batch_size = count,
                                       .shuffle = false,
                                       .seed = config.seed,
                                       .mix = data::parse_augmentation(config.data.augment).mix,
                                       .first_epoch = epoch});
  data::Batch batch;
  loader.next(batch);
  const Shape shape = examples.train->image_shape();
  std::vector<data::Image> pictures;
  for (std::int64_t i = 0; i < batch.size(); ++i)
    pictures.push_back(data::picture_of(batch.images.data<float>() + i * shape.elements(), shape,
                                        examples.set.mean, examples.set.deviation));
  return pictures;
}

}  // namespace

int show_data(const DataToolConfig& config, Terminal& terminal) {
  const Examples examples = load_examples(config.data, config.seed);
  const std::int64_t count = std::min(config.count, examples.train->size());
  std::vector<data::Image> pictures;
  for (std::int64_t epoch = config.epoch; epoch < config.epoch + config.epochs; ++epoch)
    for (data::Image& picture : first_batch(examples, config, count, epoch))
      pictures.push_back(std::move(picture));
  const data::Image sheet =
      data::contact_sheet(pictures, {.columns = config.columns, .enlarged = config.enlarge});
  data::write_png(config.out, sheet);
  const std::string epochs = config.epochs == 1
                                 ? text("epoch ", config.epoch)
                                 : text("epochs ", config.epoch, " to ", config.epoch + config.epochs - 1);
  terminal.result(text(config.out, ": ", count, " training images of ", examples.set.name, " as in ", epochs,
                       ", augment ", config.data.augment, " (", sheet.width, " x ", sheet.height,
                       " pixels)\n"));
  Json document;
  document.set("file", config.out).set("images", count);
  document.set("data", examples.set.name).set("augment", config.data.augment);
  document.set("epoch", config.epoch).set("epochs", config.epochs);
  terminal.result(document);
  return static_cast<int>(ExitCode::success);
}

}  // namespace basin::apps
