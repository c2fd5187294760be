#include "apps/runs/unit_results.h"

#include <algorithm>

#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/utf8.h"

namespace basin::apps {

namespace {

std::string opening(const Json& work) { return Json(Json::Object{{"work", work}}).compact(); }

/// `path`, if what is there was begun for that work. Nothing is written to what was not.
const std::string& expect_same_work(const std::string& path, const Json& work) {
  if (kind_of_file(path) == FileKind::none) return path;
  const std::string content = read_file(path), first = content.substr(0, content.find('\n')),
                    ours = opening(work);
  const bool torn = first.size() == content.size();
  if (torn ? ours.starts_with(first) : first == ours) return path;
  throw CheckpointError("[units] ", path, " holds something else: ", excerpt(first), ", not the results of ",
                        excerpt(ours), "; name another file, or remove this one");
}

}  // namespace

UnitResults::UnitResults(const std::string& path, const Json& work) : file_(expect_same_work(path, work)) {
  bool begun = false;
  file_.keep_lines([&](const std::string& line) {
    if (!begun) return begun = true;
    try {
      const Json json = parse_json(line);
      return results_.emplace(json.at("unit").string(), json.at("result")).second;
    } catch (const JsonError&) {
      return false;  // zeros after a power cut: computed again
    }
  });
  if (!file_.error().empty()) throw OutputError(file_.error());
  earlier_ = results_.size();
  if (!begun) store(Json::Object{{"work", work}});
}

void UnitResults::complete(const std::vector<std::string>& units,
                           const std::function<Json(const std::string& unit)>& compute,
                           const data::Watch& watch) {
  const auto total = static_cast<std::int64_t>(units.size());
  std::int64_t done =
      std::count_if(units.begin(), units.end(), [&](const std::string& unit) { return find(unit); });
  for (const std::string& unit : units) {
    if (find(unit)) continue;
    if (watch) watch(done, total);
    Json result = compute(unit);
    store(Json::Object{{"unit", unit}, {"result", result}});
    results_.emplace(unit, std::move(result));
    ++done;
  }
  if (watch) watch(done, total);
}

const Json* UnitResults::find(const std::string& unit) const {
  const auto found = results_.find(unit);
  return found == results_.end() ? nullptr : &found->second;
}

const Json& UnitResults::at(const std::string& unit) const {
  if (const Json* result = find(unit)) return *result;
  throw ArgumentError("[units] ", file_.path(), " has no result of '", unit, "'");
}

void UnitResults::store(const Json& line) {
  file_.append(line.compact() + "\n");
  file_.sync();
  if (!file_.error().empty()) throw OutputError(file_.error());
}

}  // namespace basin::apps
