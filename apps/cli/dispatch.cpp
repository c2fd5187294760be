// One place where exceptions end.
#include "apps/cli/dispatch.h"

#include <algorithm>
#include <new>
#include <ostream>
#include <system_error>

#include "apps/cli/help.h"
#include "apps/cli/parse.h"
#include "apps/options/suggest.h"
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

ExitCode run(const Parsed& parsed, const Streams& streams, const Runner& runner) {
  Terminal terminal(streams.out, streams.err, streams.traits, parsed.call->output());
  for (const std::string& warning : parsed.warnings) terminal.warn(warning);
  for (const std::string& origin : parsed.origins) terminal.detail("option " + origin);
  if (!parsed.print.empty()) {
    write_out(streams.out, parsed.print);
    return ExitCode::success;
  }
  cpu::instruction_set();  // BASIN_ARCH may name none: before anything is made
  return runner(*parsed.call, terminal);
}

ExitCode dispatch(const Program& program, const std::vector<std::string>& arguments,
                  const Environment& environment, const Streams& streams, const Runner& runner) {
  if (arguments.empty()) {
    streams.err << usage(program, help_width());
    return ExitCode::usage;
  }
  const std::string& word = arguments[0];
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  for (const Command& command : program.commands)
    if (command.name == word) return run(parse(program, command, rest, environment), streams, runner);

  const auto alone = [&](const std::string& text) {
    if (!rest.empty()) throw UsageError(word, " stands alone, got ", quote(rest[0]), " too");
    write_out(streams.out, text);
    return ExitCode::success;
  };
  if (word == "--help" || word == "-h") return alone(usage(program, help_width()));
  if (word == "--version") return alone(program.version + "\n");
  if (word == "--help-markdown") return alone(help_markdown(program));
  if (word == "--help-man") return alone(manual_page(program));

  const std::vector<std::string> names = program.command_names();
  if (word.starts_with('-'))
    throw UsageError("the first word must be a command (", one_of(names), "), got ", quote(word));
  throw UsageError("unknown command ", quote(word), "; there are ", one_of(names), did_you_mean(word, names));
}

}  // namespace

int run_basin(const Program& program, const std::vector<std::string>& arguments,
              const Environment& environment, const Streams& streams, const Runner& runner) {
  const auto fail = [&](ExitCode code, const std::string& what) {
    streams.err << "basin: " << one_line(what) << std::endl;
    return number(code);
  };
  try {
    return number(dispatch(program, arguments, environment, streams, runner));
  } catch (const BrokenPipe&) {
    return number(BrokenPipe::kExitCode);
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
