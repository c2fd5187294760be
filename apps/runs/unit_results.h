// UnitResults: the results of a long work, stored unit by unit as they come, so that it can go on after it
// was interrupted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/io/json.h"
#include "core/io/record_file.h"
#include "data/watch.h"

namespace basin::apps {

/// A work is a list of units that do not depend on each other: the points of a landscape, the members of an
/// ensemble. Each unit that is done is one line of a file, on the disk before the next begins; a call that
/// finds the file computes only what it lacks.
///
///     UnitResults points(run.file("landscape.jsonl"), Json::Object{{"weights", sha256}, {"grid", 21}});
///     points.complete(names, [&](const std::string& name) { return Json(loss_at(name)); },
///                     work.part("landscape", "points"));
///     for (const std::string& name : names) ... points.at(name) ...
///
/// The first line is {"work": ...}, the others {"unit": name, "result": ...}. A torn last line, of a process
/// that was killed, is computed again. Write numbers that may not be finite by recorded(): they keep their
/// bits.
class UnitResults {
 public:
  /// Opens `path` or begins it. `work` is what decides the results, all of it: a file that was begun for
  /// another work, or is something else, is refused and stays as it is. Errors: CheckpointError for such a
  /// file; those of read_file(); OutputError when it cannot be made.
  UnitResults(const std::string& path, const Json& work);

  /// Computes in order, and stores, each of `units` that has no result. `watch` is told before each of these
  /// and at the end how many units have one, of how many; it may throw (LongWork does when a signal has
  /// come): what is done by then is stored, and so is what was done when `compute` throws. Errors: theirs;
  /// OutputError for a result that the disk does not take.
  void complete(const std::vector<std::string>& units,
                const std::function<Json(const std::string& unit)>& compute, const data::Watch& watch = {});

  /// The stored result; null if there is none.
  const Json* find(const std::string& unit) const;
  /// The same of a unit that complete() was called for. Errors: ArgumentError, it has none.
  const Json& at(const std::string& unit) const;
  /// Results that earlier calls left.
  std::size_t earlier() const { return earlier_; }

 private:
  void store(const Json& line);

  RecordFile file_;
  std::map<std::string, Json> results_;
  std::size_t earlier_ = 0;
};

}  // namespace basin::apps
