#include "apps/weights/class_match.h"

#include <algorithm>
#include <map>
#include <utility>

#include "apps/weights/weight_file.h"
#include "core/io/utf8.h"
#include "data/sets/metadata.h"

namespace basin::apps {
namespace {

constexpr std::size_t kShownPlaces = 4;

class Relabelled : public data::ExampleSource {
 public:
  Relabelled(std::shared_ptr<const data::ExampleSource> source, std::vector<std::int64_t> place)
      : source_(std::move(source)), place_(std::move(place)) {}

  std::int64_t size() const override { return source_->size(); }
  Shape image_shape() const override { return source_->image_shape(); }
  std::int64_t write(std::int64_t epoch, std::int64_t index, float* image) const override {
    return place_.at(static_cast<std::size_t>(source_->write(epoch, index, image)));
  }
  std::string name(std::int64_t index) const override { return source_->name(index); }
  std::optional<data::Pictures> pictures(Device device) const override { return source_->pictures(device); }
  std::int64_t draw(std::int64_t epoch, std::int64_t index, std::int64_t* row) const override {
    return place_.at(static_cast<std::size_t>(source_->draw(epoch, index, row)));
  }

 private:
  std::shared_ptr<const data::ExampleSource> source_;
  std::vector<std::int64_t> place_;
};

std::vector<std::int64_t> counted(std::int64_t classes) {
  std::vector<std::int64_t> place;
  for (std::int64_t k = 0; k < classes; ++k) place.push_back(k);
  return place;
}

/// Says which side has no names, where that is so.
ClassMatch by_number(const std::string& path, const Identity& weights, const Identity& data) {
  const bool silent = weights.class_names.empty();
  return {.place = counted(data.classes),
          .words = text(silent ? path : data.data, " does not say what its classes are called: compared by ",
                        "their number alone, ", data.classes),
          .in_order = true};
}

}  // namespace

ClassMatch match_classes(const std::string& path, const Identity& weights, const Identity& data,
                         const std::string& remedy) {
  if (weights.class_names.empty() || data.class_names.empty()) {
    if (weights.classes > 0 && weights.classes != data.classes)
      throw CheckpointError("[classes] ", path, " is of ", weights.classes, " classes, ", data.data, " has ",
                            data.classes, remedy);
    return by_number(path, weights, data);
  }
  ClassMatch match{.place = counted(data.classes)};
  if (weights.class_names == data.class_names) return match;
  std::map<std::string, std::int64_t> places;
  for (std::size_t k = 0; k < weights.class_names.size(); ++k)
    places.emplace(weights.class_names[k], static_cast<std::int64_t>(k));
  std::vector<std::string> strangers;
  std::string moves;
  std::size_t known = 0;
  for (std::size_t k = 0; k < data.class_names.size(); ++k) {
    const auto found = places.find(data.class_names[k]);
    if (found == places.end()) {
      strangers.push_back(data.class_names[k]);
      continue;
    }
    match.place[k] = found->second;
    if (++known <= kShownPlaces)
      moves +=
          text(known > 1 ? ", " : "", '\'', excerpt(data.class_names[k]), "' ", k, " is ", found->second);
  }
  if (known > kShownPlaces) moves += ", ...";
  if (!strangers.empty())
    throw CheckpointError("[classes] ", path, " knows no class ", few_names(strangers), " of ", data.data,
                          ": its ", weights.classes, " classes are ", few_names(weights.class_names),
                          ", the ", data.classes, " of the data ", few_names(data.class_names),
                          moves.empty() ? "" : "; matched by name are " + moves, remedy);
  match.in_order = false;
  const bool fewer = data.classes < weights.classes;
  match.words = text(fewer ? text("the data have ", data.classes, " of the ", weights.classes, " classes of ")
                           : text("the data have their classes in another order than "),
                     path, ", matched by name (", moves, ")");
  return match;
}

std::shared_ptr<const data::ExampleSource> relabelled(std::shared_ptr<const data::ExampleSource> source,
                                                      std::vector<std::int64_t> place) {
  return std::make_shared<Relabelled>(std::move(source), std::move(place));
}

std::vector<std::string> expect_same_network(const std::string& path, const Identity& weights,
                                             const Identity& wanted) {
  // A or B shows in the tensors.
  if (!weights.model.empty() && weights.model != wanted.model)
    throw CheckpointError("[load] ", path, " says that it is a ", model_label(weights), ", --model is ",
                          model_label(wanted));
  std::vector<std::string> lines;
  if (weights.image.rank() != 3 || weights.image == wanted.image) return lines;
  if (weights.image[2] != wanted.image[2])
    throw CheckpointError("[load] ", path, " is of images with ", weights.image[2], " channels, those of ",
                          wanted.data, " have ", wanted.image[2]);
  lines.push_back(text(path, " was trained on images ", data::image_label(weights.image), ", these are ",
                       data::image_label(wanted.image)));
  return lines;
}

Identity common_identity(const std::vector<std::string>& paths) {
  Identity first;
  std::string of;
  for (const std::string& path : paths) {
    Identity next = identity_in(WeightFile(path).metadata());
    if (next.model.empty()) continue;
    if (of.empty()) {
      first = std::move(next);
      of = path;
      continue;
    }
    next.image = first.image;  // a member may have seen another size
    const std::string other = differences(next, first);
    if (!other.empty()) throw CheckpointError("[ensemble] ", path, " is no member beside ", of, ": ", other);
  }
  return first;
}

void expect_same_run(const std::string& path, const Identity& saved, const Identity& wanted) {
  const std::string other = differences(saved, wanted);
  if (!other.empty()) throw CheckpointError("[run] ", path, " is not of this run and its data: ", other);
}

}  // namespace basin::apps
