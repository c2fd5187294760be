// Whether a resumed run has the data that it began with.
#pragma once

#include <string>

#include "apps/cli/terminal.h"
#include "apps/evaluation/run_data.h"
#include "apps/runs/checkpoint.h"

namespace basin::apps {

/// Compares the data of a checkpoint with those of this call. Where one of the two knows pictures by names
/// and sizes alone (a checkpoint of an earlier version, a large set that was never read whole), these are
/// compared and the terminal is warned; `saved.data_hash` then becomes that of `data`. `record` is the run's
/// file of kDataFilesName. Errors: CheckpointError for other data, saying which files differ as far as
/// recorded.
void know_data_again(TrainingPosition& saved, const RunData& data, const std::string& record,
                     Terminal& terminal);

/// Writes what the data are of to the file `record`. A failure is a warning: the hash is in the checkpoints.
void record_data(const RunData& data, const std::string& record, Terminal& terminal);

}  // namespace basin::apps
