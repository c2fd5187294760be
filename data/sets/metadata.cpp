#include "data/sets/metadata.h"

#include "core/error.h"
#include "core/io/json.h"

namespace basin::data {
namespace {

template <class Value>
std::string list(const std::vector<Value>& values) {
  return Json(Json::Array(values.begin(), values.end())).compact();
}

}  // namespace

ArchiveMetadata metadata_of(const std::string& data, const Shape& image, std::int64_t classes,
                            const std::vector<std::string>& class_names, const std::vector<double>& mean,
                            const std::vector<double>& deviation) {
  ArchiveMetadata metadata;
  if (!data.empty()) metadata.emplace("data", data);
  if (image.rank() == 3) metadata.emplace("image", image_label(image));
  if (classes > 0) metadata.emplace("classes", std::to_string(classes));
  if (!class_names.empty()) metadata.emplace("class_names", list(class_names));
  if (!mean.empty()) metadata.emplace("mean", list(mean));
  if (!deviation.empty()) metadata.emplace("deviation", list(deviation));
  return metadata;
}

ArchiveMetadata weight_metadata(const std::string& model, const Dataset& set) {
  ArchiveMetadata metadata = metadata_of(set.name, {set.height(), set.width(), set.channels()}, set.classes(),
                                         set.class_names, set.mean, set.deviation);
  metadata.emplace("model", model);
  metadata.emplace("format", "pt");
  return metadata;
}

std::string image_label(const Shape& image) {
  std::string label;
  for (int i = 0; i < image.rank(); ++i) label += text(i > 0 ? "x" : "", image[i]);
  return label;
}

}  // namespace basin::data
