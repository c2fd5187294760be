// The files of a run's weights by the words of --weights.
#pragma once

#include <string>

namespace basin::apps {

/// The file that `which` stands for: last (RUN/final.safetensors), swa, ema, lawa or member:N of the run in
/// `run`, or else the file itself. `command` is who asks, for errors: "export". Errors: UsageError for one of
/// these words without a run, or no number of a member; CheckpointError for a file that is not there.
std::string weights_file(const std::string& command, const std::string& run, const std::string& which);

}  // namespace basin::apps
