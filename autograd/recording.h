// Whether ops record history. The one switch of the engine, and it is a scope.
#pragma once

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

}  // namespace basin
