// Handlers do only what is allowed in one: store an atomic, _exit.
#include "apps/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace basin::apps {

namespace {

std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free);

void note(int signal_number) {
  if (received.exchange(signal_number) != 0) _exit(128 + signal_number);
}

void handle(int signal_number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

void install_signal_handlers() {
  handle(SIGINT, note);
  handle(SIGTERM, note);
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
}

bool interruption_requested() { return received.load(std::memory_order_relaxed) != 0; }

int interruption_exit_code() {
  const int signal_number = received.load();
  return signal_number == 0 ? 0 : 128 + signal_number;
}

void clear_interruption() { received.store(0); }

}  // namespace basin::apps
