#include "apps/evaluation/data_identity.h"

#include "core/error.h"
#include "core/io/files.h"

namespace basin::apps {

void know_data_again(TrainingPosition& saved, const RunData& data, const std::string& record,
                     Terminal& terminal) {
  const bool by_content = data.hash != data.hash_by_sizes;
  if (saved.data_hash == data.hash && by_content) return;
  const DataFiles recorded = read_data_files(record);
  const std::int64_t others = touched(recorded, data.files);
  if (saved.data_hash == data.hash && others == 0) return;
  const Json* by_sizes = saved.extra.find("data_by_sizes");
  const bool sizes_alone = by_sizes == nullptr || by_sizes->string() == saved.data_hash;
  const std::string& saved_sizes = by_sizes == nullptr ? saved.data_hash : by_sizes->string();
  const bool same_sizes = !data.hash_by_sizes.empty() && saved_sizes == data.hash_by_sizes;
  if (same_sizes && (sizes_alone || !by_content)) {
    terminal.warn(text("the pictures are known again by names and sizes alone, not by their content",
                       others > 0 ? text("; ", others, " of ", data.files.size(),
                                         " were written to or copied since the run began")
                                  : "",
                       "; a run under --data-check full knows the content"));
    saved.data_hash = data.hash;
    return;
  }
  const std::string what = recorded.empty() ? "" : difference(recorded, data.files);
  throw CheckpointError(
      "[resume] the data are not those that the run began with: ",
      what.empty() ? "their hash was " + saved.data_hash.substr(0, 12) + ", it is " + data.hash.substr(0, 12)
                   : what,
      "; bring them back, or begin a new run (--init takes this one's weights)");
}

void record_data(const RunData& data, const std::string& record, Terminal& terminal) {
  try {
    write_file_atomically(record, to_text(data.files));
  } catch (const OutputError& error) {
    terminal.warn(text(error.what(), "; a resumed run will not be able to say which files changed"));
  }
}

}  // namespace basin::apps
