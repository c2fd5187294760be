// Handlers do only what is allowed in one: store an atomic, _exit.
#include "apps/cli/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace basin::apps {

namespace {

std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free);

// Told by a machine rather than typed by someone in a hurry, and told again: the kernel and the shell both
// report a lost terminal, and a CPU limit every second.
bool repeats(int signal_number) { return signal_number == SIGHUP || signal_number == SIGXCPU; }

void note(int signal_number) {
  int before = received.load();
  while (!(before != 0 && repeats(signal_number)) && !received.compare_exchange_weak(before, signal_number)) {
  }
  if (before != 0 && !repeats(before) && !repeats(signal_number)) _exit(128 + signal_number);
}

void handle(int signal_number, void (*handler)(int)) {
  struct sigaction action {};
  sigaction(signal_number, nullptr, &action);
  if (action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

void install_signal_handlers() {
  handle(SIGINT, note);
  handle(SIGTERM, note);
  handle(SIGHUP, note);
  handle(SIGXCPU, note);
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
}

bool interruption_requested() { return received.load(std::memory_order_relaxed) != 0; }

const char* interruption_name(int exit_code) {
  switch (exit_code - 128) {
    case SIGHUP:
      return "hung up (SIGHUP)";
    case SIGINT:
      return "interrupted (SIGINT)";
    case SIGTERM:
      return "terminated (SIGTERM)";
    case SIGXCPU:
      return "out of CPU time (SIGXCPU)";
    default:
      return nullptr;
  }
}

int interruption_exit_code() {
  const int signal_number = received.load();
  return signal_number == 0 ? 0 : 128 + signal_number;
}

void clear_interruption() { received.store(0); }

}  // namespace basin::apps
