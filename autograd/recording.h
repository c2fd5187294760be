// Whether ops record history. The one switch of the engine, and it is a scope.
#pragma once

#include <cstdint>

namespace basin {

/// True while ops on tracked Variables record history on this thread (the default).
bool recording();

/// Sets recording for the enclosing scope and puts the former value back, also on an exception.
class RecordingScope {
 public:
  explicit RecordingScope(bool on);
  ~RecordingScope();
  RecordingScope(const RecordingScope&) = delete;
  RecordingScope& operator=(const RecordingScope&) = delete;

 private:
  bool before_;
};

/// Within this scope results are constants: evaluation, statistics, plain gradients.
struct NoRecording : RecordingScope {
  NoRecording() : RecordingScope(false) {}
};

/// A place in the order of the history, before all that are recorded or reserved later: for an op whose
/// result is formed some time after its call.
std::uint64_t reserve_place();

/// Gives the first op that is recorded in the scope a place that was reserved for it.
class PlaceScope {
 public:
  explicit PlaceScope(std::uint64_t place);
  ~PlaceScope();
  PlaceScope(const PlaceScope&) = delete;
  PlaceScope& operator=(const PlaceScope&) = delete;

 private:
  std::uint64_t before_;
};

}  // namespace basin
