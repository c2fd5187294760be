// What the program knows of its build and machine, and how it takes signals.
#include "apps/runs/environment.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/cli/signals.h"
#include "core/parallel.h"

using namespace basin;
using namespace basin::apps;

TEST_CASE("build and machine are known, as JSON too") {
  const BuildInfo build = build_info();
  CHECK(build.version.find('.') != std::string::npos);
  CHECK(build.compiler == compiler_name());
  CHECK_FALSE(build.revision.empty());
  CHECK(build.flags.find("-ffp-contract=off") != std::string::npos);
  CHECK(build.flags.find("$<") == std::string::npos);
  CHECK(build.flags.find("/") == std::string::npos);  // no path of the build machine
  CHECK(version_line().starts_with("basin " + build.version + " ("));

  const MachineInfo machine = machine_info();
  CHECK(machine.system.starts_with("Linux "));
  CHECK(machine.cpus >= 1);
  CHECK(machine.usable_cpus == available_cpus());
  CHECK(machine.memory_bytes > (std::int64_t{64} << 20));
  CHECK(machine.available_bytes <= machine.memory_bytes);
  CHECK(to_json(machine).at("cpus").integer() == machine.cpus);
  CHECK(parse_json(to_json(build).compact()) == to_json(build));
}

TEST_CASE("bytes and times in words") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(48 << 10) == "48 KiB");
  CHECK(bytes_text(std::int64_t{7900} << 20) == "7.7 GiB");
  CHECK(timestamp().size() == 20);
  CHECK(timestamp().ends_with("Z"));
}

TEST_CASE("SIGINT and SIGTERM are noted, a second one ends the process") {
  // In a child, so that handlers and the second signal do not touch the tests.
  const auto exit_of = [](const auto& body) {
    const pid_t child = fork();
    if (child == 0) {
      install_signal_handlers();
      body();
      _exit(99);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  };
  CHECK(exit_of([] { _exit(interruption_requested() ? 1 : interruption_exit_code()); }) == 0);
  CHECK(exit_of([] {
          raise(SIGINT);
          _exit(interruption_requested() ? interruption_exit_code() : 1);
        }) == 130);
  CHECK(exit_of([] {
          raise(SIGTERM);
          _exit(interruption_requested() ? interruption_exit_code() : 1);
        }) == 143);
  CHECK(exit_of([] {
          raise(SIGINT);
          raise(SIGINT);
        }) == 130);
  CHECK(exit_of([] {
          raise(SIGINT);
          raise(SIGTERM);
        }) == 143);
  CHECK(exit_of([] {
          raise(SIGPIPE);
          raise(SIGXFSZ);
          _exit(interruption_requested());
        }) == 0);
  CHECK(exit_of([] {
          raise(SIGINT);
          clear_interruption();
          _exit(interruption_requested());
        }) == 0);
}
