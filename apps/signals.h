// Signals as a flag that long loops poll: Ctrl-C and a batch system's SIGTERM save before they end the
// program.
#pragma once

namespace basin::apps {

/// From now on SIGINT and SIGTERM are noted instead of ending the process; a second one ends it at once (exit
/// 130 or 143). SIGPIPE and SIGXFSZ are ignored, so that a failing write is an error with a reason.
void install_signal_handlers();

/// A SIGINT or SIGTERM has come. Cheap: poll it in every loop that takes longer than a moment.
bool interruption_requested();

/// 130 after SIGINT, 143 after SIGTERM, 0 if there was none.
int interruption_exit_code();

/// Forgets an interruption (for tests).
void clear_interruption();

}  // namespace basin::apps
