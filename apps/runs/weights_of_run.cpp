#include "apps/runs/weights_of_run.h"

#include <charconv>
#include <string_view>

#include "apps/runs/members.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/utf8.h"

namespace basin::apps {

std::string weights_file(const std::string& command, const std::string& run, const std::string& which) {
  constexpr std::string_view kMember = "member:";
  const bool of_run =
      which == "last" || which == "swa" || which == "ema" || which == "lawa" || which.starts_with(kMember);
  if (!of_run) return which;
  if (run.empty())
    throw UsageError("--weights ", which, " is of a run: give --run DIR too (or ./", which, " for a file)");
  std::string file = run + (which == "last" ? "/final.safetensors" : "/final-" + which + ".safetensors");
  if (which.starts_with(kMember)) {
    std::int64_t number = 0;
    const char* begin = which.data() + kMember.size();
    const char* end = which.data() + which.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (error != std::errc() || stop != end || number < 1)
      throw UsageError("--weights ", quote(which), ": members are member:1, member:2, ...");
    file = member_path(run, number);
  }
  if (kind_of_file(file) == FileKind::none)
    throw CheckpointError("[", command, "] ", file, " is not there: the run in ", run,
                          " has not ended, or keeps no such weights (a checkpoint of it can be given as "
                          "--weights ",
                          run, "/ckpt-....safetensors)");
  return file;
}

}  // namespace basin::apps
