// One place where exceptions end.
#include "apps/cli/dispatch.h"

#include <algorithm>
#include <new>
#include <ostream>
#include <system_error>

#include "apps/cli/help.h"
#include "apps/cli/suggest.h"
#include "apps/runs/environment.h"
#include "core/cpu/simd/instruction_set.h"
#include "core/error.h"
#include "core/io/utf8.h"

namespace basin::apps {

namespace {

constexpr const char* kReport =
    "; this is a bug in basin: please report it with the command line and `basin info`";

/// Whatever an error quotes of what was given (a path of any length), it is one line of bounded length.
std::string one_line(std::string text) {
  constexpr std::size_t kLongest = 4000;
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return excerpt(text, kLongest);
}

template <class Config>
int run(const Call<Config>& call, const std::function<int(const Config&, Terminal&)>& command,
        const Streams& streams) {
  Terminal terminal(streams.out, streams.err, streams.traits, call.config.output);
  for (const std::string& warning : call.warnings) terminal.warn(warning);
  for (const std::string& origin : call.origins) terminal.detail("option " + origin);
  if (!call.print.empty()) {
    write_out(streams.out, call.print);
    return 0;
  }
  cpu::instruction_set();  // BASIN_ARCH may name none: before anything is made
  return command(call.config, terminal);
}

int dispatch(const std::vector<std::string>& arguments, const Environment& environment,
             const Commands& commands, const Streams& streams) {
  if (arguments.empty()) {
    streams.err << usage(help_width());
    return static_cast<int>(ExitCode::usage);
  }
  const std::string& command = arguments[0];
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (command == "train") {
    Call<TrainConfig> call = parse_train(rest, environment);
    call.config.run.command.assign({"basin"});
    call.config.run.command.insert(call.config.run.command.end(), arguments.begin(), arguments.end());
    return run(call, commands.train, streams);
  }
  if (command == "eval") return run(parse_eval(rest, environment), commands.eval, streams);
  if (command == "export") return run(parse_export(rest, environment), commands.write, streams);
  if (command == "info") return run(parse_info(rest, environment), commands.info, streams);
  if (command == "data") return run(parse_data(rest, environment), commands.data, streams);
  if (command == "bench") return run(parse_bench(rest, environment), commands.bench, streams);
  if (command == "gradcheck") return run(parse_gradcheck(rest, environment), commands.gradcheck, streams);

  const auto alone = [&](const std::string& text) {
    if (!rest.empty()) throw UsageError(command, " stands alone, got ", quote(rest[0]), " too");
    write_out(streams.out, text);
    return 0;
  };
  if (command == "--help" || command == "-h") return alone(usage(help_width()));
  if (command == "--version") return alone(version_line() + "\n");
  if (command == "--help-markdown") return alone(help_markdown());

  std::vector<std::string> names;
  for (const CommandSummary& summary : command_summaries()) names.push_back(summary.name);
  if (command.starts_with('-')) {
    throw UsageError("the first word must be a command (", one_of(names), "), got ", quote(command));
  }
  throw UsageError("unknown command ", quote(command), "; there are ", one_of(names),
                   did_you_mean(command, names));
}

}  // namespace

int run_basin(const std::vector<std::string>& arguments, const Environment& environment,
              const Commands& commands, const Streams& streams) {
  const auto fail = [&](ExitCode code, const std::string& what) {
    streams.err << "basin: " << one_line(what) << std::endl;
    return static_cast<int>(code);
  };
  try {
    return dispatch(arguments, environment, commands, streams);
  } catch (const BrokenPipe&) {
    return BrokenPipe::kExitCode;
  } catch (const Error& error) {
    return fail(error.code(),
                error.code() == ExitCode::internal ? error.what() + std::string(kReport) : error.what());
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::out_of_memory, "out of memory; a smaller --batch-size or model needs less");
  } catch (const std::system_error& error) {  // files included: an error of the system is no bug
    const bool resources = error.code() == std::errc::resource_unavailable_try_again ||
                           error.code() == std::errc::not_enough_memory;
    return fail(resources ? ExitCode::out_of_memory : ExitCode::output,
                text("the system refuses: ", error.what(),
                     resources ? "; fewer --threads or --workers need less" : ""));
  } catch (const std::exception& error) {
    return fail(ExitCode::internal, error.what() + std::string(kReport));
  } catch (...) {
    return fail(ExitCode::internal, std::string("an exception of unknown type") + kReport);
  }
}

}  // namespace basin::apps
