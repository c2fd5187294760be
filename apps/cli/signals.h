// Signals as a flag that long loops poll: Ctrl-C, a batch system's SIGTERM, a lost terminal and a used-up CPU
// limit save before they end the program.
#pragma once

namespace basin::apps {

/// From now on SIGINT, SIGTERM, SIGHUP and SIGXCPU are noted instead of ending the process. A second SIGINT
/// or SIGTERM ends it at once (exit 130 or 143); SIGHUP and SIGXCPU come several times for one reason and
/// never do. A signal that the caller ignores stays ignored (nohup; SIGINT of a script's background jobs).
/// SIGPIPE and SIGXFSZ are ignored, so that a failing write is an error with a reason.
void install_signal_handlers();

/// One of those signals has come. Cheap: poll it in every loop that takes longer than a moment.
bool interruption_requested();

/// 128 + the signal: 129 after SIGHUP, 130 after SIGINT, 143 after SIGTERM, 152 after SIGXCPU; 0 if there was
/// none.
int interruption_exit_code();

/// "interrupted (SIGINT)" for 130, and so on; null for any other number.
const char* interruption_name(int exit_code);

/// Forgets an interruption (for tests).
void clear_interruption();

}  // namespace basin::apps
