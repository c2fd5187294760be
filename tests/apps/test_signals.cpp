// Which signals ask a command to save and end, what it exits with, and which are left alone.
#include "apps/cli/signals.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

using namespace basin::apps;

namespace {

/// The exit code of a process that installs the handlers and does `body`; signals as a shell would pass them
/// on.
int exit_of(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP, SIGXCPU}) ::signal(signal_number, SIG_DFL);
    body();
    ::_exit(interruption_requested() ? interruption_exit_code() : 0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

int exit_after(const std::vector<int>& signals) {
  return exit_of([&] {
    install_signal_handlers();
    for (const int signal_number : signals) ::raise(signal_number);
    if (signals.size() > 1 && !interruption_requested()) ::_exit(99);
  });
}

}  // namespace

TEST_CASE("SIGINT, SIGTERM, SIGHUP and SIGXCPU are noted, and the exit code names the signal") {
  CHECK(exit_after({}) == 0);
  CHECK(exit_after({SIGINT}) == 130);
  CHECK(exit_after({SIGTERM}) == 143);
  CHECK(exit_after({SIGHUP}) == 129);
  CHECK(exit_after({SIGXCPU}) == 152);
  CHECK(interruption_name(129) == std::string("hung up (SIGHUP)"));
  CHECK(interruption_name(143) == std::string("terminated (SIGTERM)"));
  CHECK(interruption_name(0) == nullptr);
  CHECK(interruption_name(139) == nullptr);
}

TEST_CASE("a second SIGINT or SIGTERM ends at once, a repeated SIGHUP or SIGXCPU never does") {
  const auto ends_at_once = [](const std::vector<int>& signals) {
    return exit_of([&] {
      install_signal_handlers();
      for (const int signal_number : signals) ::raise(signal_number);
      ::_exit(77);  // still here
    });
  };
  CHECK(ends_at_once({SIGINT, SIGINT}) == 130);
  CHECK(ends_at_once({SIGINT, SIGTERM}) == 143);
  CHECK(ends_at_once({SIGHUP, SIGTERM, SIGTERM}) == 143);
  // The kernel and the shell both say that a terminal is lost; systemd sends SIGHUP after SIGTERM.
  CHECK(ends_at_once({SIGHUP, SIGHUP, SIGHUP}) == 77);
  CHECK(ends_at_once({SIGHUP, SIGTERM}) == 77);
  CHECK(ends_at_once({SIGTERM, SIGHUP}) == 77);
  CHECK(ends_at_once({SIGXCPU, SIGXCPU, SIGTERM}) == 77);
  CHECK(exit_after({SIGTERM, SIGHUP}) == 143);
  CHECK(exit_after({SIGHUP, SIGTERM}) == 143);
}

TEST_CASE("a signal that the caller ignores stays ignored, as under nohup") {
  for (const int signal_number : {SIGHUP, SIGINT, SIGTERM, SIGXCPU})
    CHECK(exit_of([&] {
            ::signal(signal_number, SIG_IGN);
            install_signal_handlers();
            ::raise(signal_number);
          }) == 0);
}
