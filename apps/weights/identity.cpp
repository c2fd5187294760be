#include "apps/weights/identity.h"

#include <charconv>
#include <limits>

#include "core/io/utf8.h"
#include "data/sets/metadata.h"

namespace basin::apps {
namespace {

constexpr std::size_t kShownNames = 6;

template <class Value>
Json list(const std::vector<Value>& values) {
  return Json::Array(values.begin(), values.end());
}

/// "32x32x3" as {32,32,3}; rank 0 for another text.
Shape parse_image(std::string_view text) {
  Shape image;
  while (!text.empty() && image.rank() < 3) {
    Index extent = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, extent);
    if (error != std::errc() || extent < 1) return {};
    image.push_back(extent);
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    if (!text.empty() && text.front() != 'x') return {};
    if (!text.empty()) text.remove_prefix(1);
  }
  return image.rank() == 3 && text.empty() ? image : Shape{};
}

/// read(key's value), if the key is there and in the form that read() takes.
template <class Read>
void take(const ArchiveMetadata& metadata, const char* key, Read read) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return;
  try {
    read(found->second);
  } catch (const JsonError&) {
    // Another program's key of the same name.
  }
}

std::vector<double> numbers(const std::string& json) {
  std::vector<double> all;
  const Json array = parse_json(json);
  for (const Json& value : array.array()) all.push_back(value.number());
  return all;
}

bool knows_model(const std::string& name) {
  for (const std::string& known : nn::model_names())
    if (known == name) return true;
  return false;
}

/// Whether the classes of a set are called by their numbers because nothing names them.
bool unnamed(const ImageSet& set) {
  if (set.name != "webdataset") return false;
  for (std::size_t k = 0; k < set.class_names.size(); ++k)
    if (set.class_names[k] != std::to_string(k)) return false;
  return true;
}

}  // namespace

Identity identity_of(const ModelConfig& model, const ImageSet& set) {
  return {.model = model.name,
          .shortcut = model.shortcut == nn::Shortcut::b ? "B" : "",
          .data = set.name,
          .image = set.image,
          .classes = set.classes(),
          .class_names = unnamed(set) ? std::vector<std::string>{} : set.class_names,
          .mean = set.mean,
          .deviation = set.deviation};
}

ArchiveMetadata to_metadata(const Identity& id) {
  ArchiveMetadata metadata =
      data::metadata_of(id.data, id.image, id.classes, id.class_names, id.mean, id.deviation);
  if (!id.model.empty()) metadata.emplace("model", id.model);
  if (!id.shortcut.empty()) metadata.emplace("shortcut", id.shortcut);
  return metadata;
}

Identity identity_in(const ArchiveMetadata& metadata) {
  Identity id;
  take(metadata, "model", [&](const std::string& text) {
    if (knows_model(text)) id.model = text;
  });
  if (id.model.empty()) return id;  // not of Basin: its other keys could mean anything
  take(metadata, "shortcut", [&](const std::string& text) {
    if (text == "B") id.shortcut = text;
  });
  take(metadata, "data", [&](const std::string& text) { id.data = text; });
  take(metadata, "image", [&](const std::string& text) { id.image = parse_image(text); });
  take(metadata, "class_names", [&](const std::string& text) {
    std::vector<std::string> names;
    const Json array = parse_json(text);
    for (const Json& name : array.array()) names.push_back(name.string());
    id.class_names = std::move(names);
  });
  take(metadata, "classes", [&](const std::string& text) {
    const Json count = parse_json(text);
    if (count.integer() > 0) id.classes = count.integer();
  });
  if (!id.class_names.empty()) id.classes = static_cast<std::int64_t>(id.class_names.size());
  take(metadata, "mean", [&](const std::string& text) { id.mean = numbers(text); });
  take(metadata, "deviation", [&](const std::string& text) { id.deviation = numbers(text); });
  bool usable = id.mean.size() == id.deviation.size();
  for (const double deviation : id.deviation) usable = usable && deviation > 0;
  if (!usable) id.mean = id.deviation = {};
  return id;
}

Json to_json(const Identity& id) {
  Json json = Json::Object{};
  if (!id.model.empty()) json.set("model", id.model);
  if (!id.shortcut.empty()) json.set("shortcut", id.shortcut);
  if (!id.data.empty()) json.set("data", id.data);
  if (id.image.rank() == 3) json.set("image", Json::Array{id.image[0], id.image[1], id.image[2]});
  if (id.classes > 0) json.set("classes", id.classes);
  if (!id.class_names.empty()) json.set("class_names", list(id.class_names));
  if (!id.mean.empty()) json.set("mean", list(id.mean)).set("deviation", list(id.deviation));
  return json;
}

std::vector<std::string> logit_names(const Identity& identity, std::int64_t logits) {
  if (static_cast<std::int64_t>(identity.class_names.size()) == logits) return identity.class_names;
  std::vector<std::string> names;
  for (std::int64_t k = 0; k < logits; ++k) names.push_back(text("class ", k));
  return names;
}

std::string model_label(const Identity& id) {
  return id.model + (id.shortcut.empty() ? "" : "-" + id.shortcut);
}

std::string few_names(const std::vector<std::string>& names) {
  std::string line;
  for (std::size_t k = 0; k < names.size() && k < kShownNames; ++k)
    line += text(k > 0 ? ", " : "", '\'', excerpt(names[k]), '\'');
  return names.size() > kShownNames ? text(line, " and ", names.size() - kShownNames, " more") : line;
}

std::string differences(const Identity& theirs, const Identity& ours) {
  std::string line;
  const auto differ = [&](bool known, bool equal, const auto&... words) {
    if (known && !equal) line += text(line.empty() ? "" : "; ", words...);
  };
  differ(!theirs.model.empty() && !ours.model.empty(), model_label(theirs) == model_label(ours), "model ",
         model_label(theirs), ", here ", model_label(ours));
  differ(theirs.image.rank() == 3 && ours.image.rank() == 3, theirs.image == ours.image, "images ",
         data::image_label(theirs.image), ", here ", data::image_label(ours.image));
  if (!theirs.class_names.empty() && !ours.class_names.empty()) {
    std::size_t first = 0;
    const std::vector<std::string>&a = theirs.class_names, &b = ours.class_names;
    while (first < a.size() && first < b.size() && a[first] == b[first]) ++first;
    const auto name = [&](const std::vector<std::string>& names) {
      return first < names.size() ? "'" + excerpt(names[first]) + "'" : std::string("none");
    };
    differ(true, a == b, a.size(), " classes (", few_names(a), "), here ", b.size(), "; class ", first,
           " is ", name(a), ", here ", name(b));
  } else {
    differ(theirs.classes > 0 && ours.classes > 0, theirs.classes == ours.classes, theirs.classes,
           " classes, here ", ours.classes);
  }
  const bool normalisations = !theirs.mean.empty() && !ours.mean.empty();
  differ(normalisations, theirs.mean == ours.mean && theirs.deviation == ours.deviation,
         "inputs normalised by mean ", list(theirs.mean).compact(), " and deviation ",
         list(theirs.deviation).compact(), ", here ", list(ours.mean).compact(), " and ",
         list(ours.deviation).compact());
  return line;
}

}  // namespace basin::apps
