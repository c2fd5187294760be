#include "data/loading/verify.h"

#include <filesystem>
#include <functional>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "core/io/hash.h"
#include "data/formats/decode.h"

namespace basin::data {
namespace {

std::string sum_of(const std::string& bytes) {
  Sha256 sum;
  sum.update(bytes.data(), bytes.size());
  return sum.hex();
}

/// `use` gets each picture that was decoded, and its index.
Verification verify_with(const ImageFolder& folder, const Watch& watch,
                         const std::function<void(Image, std::int64_t)>& use) {
  const auto count = static_cast<std::size_t>(folder.size());
  struct Finding {
    std::string reason{}, stray{};
    bool unsupported = false;
  };
  std::vector<Finding> findings(count);
  Verification result{.files = folder.size(), .bytes = folder.bytes()};
  result.sums.resize(count);
  watched_for(folder.size(), watch, [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    try {
      const std::string bytes = folder.read(index);
      result.sums[i] = sum_of(bytes);
      DecodedImage decoded = decode_file(bytes, folder.path_of(index));
      findings[i].stray = std::move(decoded.stray);
      use(std::move(decoded.image), index);
    } catch (const UnsupportedImageError& error) {
      findings[i] = {.reason = error.what(), .unsupported = true};
    } catch (const DataError& error) {
      findings[i] = {.reason = error.what()};
    }
  });
  std::map<std::string, std::string> first;  // path of the first file with these bytes
  Sha256 all;
  bool complete = true;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& path = folder.files[i].path;
    const auto index = static_cast<std::int64_t>(i);
    if (!findings[i].reason.empty())
      result.bad.push_back({path, findings[i].reason, index, findings[i].unsupported});
    else if (!findings[i].stray.empty())
      result.stray.push_back({path, findings[i].stray, index});
    const std::string& sum = result.sums[i];
    complete = complete && !sum.empty();
    all.update(sum.data(), sum.size());
    if (sum.empty()) continue;
    const auto known = first.emplace(sum, path);
    if (!known.second) result.repeated.emplace_back(path, known.first->second);
  }
  if (complete) result.content_hash = all.hex();
  return result;
}

}  // namespace

Verification verify(const ImageFolder& folder, const Watch& watch) {
  return verify_with(folder, watch, [](Image, std::int64_t) {});
}

Verification verify(const FolderSource& source, const Watch& watch) {
  return verify_with(source.folder(), watch, [&](Image image, std::int64_t index) {
    source.changed(std::move(image), /*epoch=*/0, index);
  });
}

ImageFolder without_bad_images(const FolderSource& source, const Watch& watch) {
  const ImageFolder& folder = source.folder();
  ImageFolder good = folder;
  const Verification found = verify(source, watch);
  good.files.clear();
  std::size_t next = 0;  // of the bad ones, which are in the order of the files
  for (std::int64_t i = 0; i < folder.size(); ++i) {
    if (next < found.bad.size() && found.bad[next].index == i) {
      good.bad.push_back(found.bad[next++]);
    } else {
      good.files.push_back(folder.files[static_cast<std::size_t>(i)]);
      good.files.back().sum = found.sums[static_cast<std::size_t>(i)];
    }
  }
  std::vector<std::int64_t> left(folder.class_names.size());
  for (const ImageFile& file : good.files) ++left[static_cast<std::size_t>(file.label)];
  for (const ImageFile& file : folder.files) {
    const auto label = static_cast<std::size_t>(file.label);
    if (left[label] == 0) {
      throw DataError((std::filesystem::path(folder.root) / folder.class_names[label]).string(),
                      ": no picture of this class can be read; the first bad one: ", good.bad.front().reason);
    }
  }
  good.hash = folder_hash(good);
  return good;
}

std::vector<std::pair<std::int64_t, std::int64_t>> same_content(const std::vector<std::string>& first,
                                                                const std::vector<std::string>& second) {
  std::unordered_map<std::string, std::int64_t> places;
  for (std::size_t k = 0; k < first.size(); ++k)
    if (!first[k].empty()) places.emplace(first[k], static_cast<std::int64_t>(k));
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  for (std::size_t i = 0; i < second.size(); ++i)
    if (const auto place = places.find(second[i]); place != places.end())
      pairs.emplace_back(static_cast<std::int64_t>(i), place->second);
  return pairs;
}

}  // namespace basin::data
