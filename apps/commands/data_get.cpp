// `basin data get`: a data set from its publisher into --data-dir.
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/commands/data_command.h"
#include "apps/options/suggest.h"
#include "core/error.h"
#include "core/io/json.h"
#include "core/io/utf8.h"
#include "data/sets/fetch.h"

namespace basin::apps {
namespace {

const data::Publication& publication(const std::string& name) {
  std::vector<std::string> names;
  std::string list;
  for (const data::Publication& one : data::publications()) {
    if (one.name == name) return one;
    names.push_back(one.name);
    list += (list.empty() ? "" : ", ") + one.name;
  }
  throw UsageError("data get: ", quote(name), " is not one of ", list, did_you_mean(name, names));
}

/// How a file gets to its place without this program.
std::string by_hand(const data::RemoteFile& file, const std::string& dir) {
  return text("fetch ", file.address, " (", grouped(static_cast<std::int64_t>(file.bytes)), " bytes, sha256 ",
              file.sha256, ") and put it at ", file.by_hand(dir));
}

const char* said_of(data::Fetched how) {
  switch (how) {
    case data::Fetched::was_there:
      return "there already";
    case data::Fetched::by_hand:
      return "unpacked, from a file put there by hand";
    default:
      return "downloaded, sha256 right";
  }
}

}  // namespace

ExitCode get_data(const DataToolConfig& config, Terminal& terminal) {
  const data::Publication& set = publication(config.data.name);
  if (set.files.empty()) throw DataError(set.name, ": ", set.terms);
  const std::string& dir = config.data.dir;
  if (dir.empty()) throw UsageError("data get needs --data-dir DIR, where the files go");
  terminal.note(text(set.name, ": ", set.terms));
  Json files = Json::Array{};
  for (const data::RemoteFile& file : set.files) {
    data::Fetched how{};
    try {
      std::string phase;
      data::Watch shown;
      how = data::fetch(file, dir, [&](const char* what, std::uint64_t bytes, std::uint64_t all) {
        if (phase != what) shown = LongWork(terminal).part(text(phase = what, ' ', file.name()), "bytes");
        shown(static_cast<std::int64_t>(bytes), static_cast<std::int64_t>(all));
      });
    } catch (const DataError& error) {
      terminal.repaint("");
      std::string steps;
      for (const data::RemoteFile& wanted : set.files) {
        if (!wanted.is_there(dir)) steps += "  " + by_hand(wanted, dir) + "\n";
      }
      terminal.result(
          text("To do it by hand:\n", steps, "and give this command again, which checks and unpacks.\n"));
      throw;
    }
    terminal.repaint("");
    terminal.result(text(file.result(dir), ": ", said_of(how), "\n"));
    files.append(Json::Object{{"path", file.result(dir)}, {"sha256", file.sha256}, {"how", said_of(how)}});
  }
  Json document;
  document.set("data", set.name).set("dir", dir).set("files", files);
  terminal.result(document);
  return ExitCode::success;
}

}  // namespace basin::apps
