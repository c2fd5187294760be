#include "apps/weights/matched_names.h"

#include <array>
#include <set>

#include "apps/weights/weight_names.h"

namespace basin::apps {

std::string FromFile::dtype(const WeightFile& file) const {
  const std::string first = file.at(names.front()).dtype;
  for (const std::string& name : names)
    if (file.at(name).dtype != first) return "";
  return first;
}

Shape FromFile::shape(const WeightFile& file) const {
  Shape whole = file.at(names.front()).shape;
  for (const std::string& name : names)
    if (file.at(name).shape != whole) return {};
  if (names.size() > 1 && whole.rank() > 0) whole[0] *= static_cast<Index>(names.size());
  return whole;
}

Tensor FromFile::read(const WeightFile& file, FileLayout layout) const {
  if (names.size() == 1) return file.read(names.front(), layout);
  Tensor whole;
  Index at = 0;
  for (const std::string& name : names) {
    const Tensor part = file.read(name, layout);
    if (!whole.defined()) whole = Tensor::empty(shape(file), part.dtype());
    whole.slice_rows(at, at + part.size(0)).copy_from(part);
    at += part.size(0);
  }
  return whole;
}

MatchedNames match_names(const WeightFile& file, const std::vector<NamedTensor>& tensors) {
  std::set<std::string> ours;
  for (const NamedTensor& own : tensors) ours.insert(own.name);
  MatchedNames names;
  const bool checkpoint = file.metadata().count(kPositionKey) > 0;
  names.prefix = checkpoint ? "model." : wrapper_prefix(file.names());
  std::vector<std::string> others;
  for (const std::string& name : file.names()) {
    if (!name.starts_with(names.prefix)) {
      if (!checkpoint) names.unknown.push_back(name);
      continue;
    }
    const std::string theirs = name.substr(names.prefix.size());
    if (ours.count(theirs) > 0)
      names.by_ours[theirs] = {{name}};
    else
      others.push_back(name);
  }
  std::map<std::string, std::array<std::string, 3>> thirds;
  for (const std::string& name : others) {
    const auto mine = our_name(name.substr(names.prefix.size()), ours);
    if (mine && mine->third != OurName::kWhole) {
      std::string& place = thirds[mine->name][static_cast<std::size_t>(mine->third)];
      if (place.empty())
        place = name;
      else
        names.unknown.push_back(name);
    } else if (mine && names.by_ours.emplace(mine->name, FromFile{{name}}).second) {
      ++names.renamed;
    } else {
      names.unknown.push_back(name);
    }
  }
  for (const auto& [mine, parts] : thirds) {
    std::vector<std::string> there;
    for (const std::string& part : parts)
      if (!part.empty()) there.push_back(part);
    if (there.size() == parts.size() && names.by_ours.emplace(mine, FromFile{there}).second)
      ++names.renamed;
    else
      names.unknown.insert(names.unknown.end(), there.begin(), there.end());
  }
  return names;
}

}  // namespace basin::apps
