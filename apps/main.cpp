// The program `basin`.
#include <iostream>

#include "apps/cli/dispatch.h"
#include "apps/cli/signals.h"
#include "apps/commands/commands.h"
#include "core/error.h"

int main(int argc, char** argv) {
  using namespace basin::apps;
  if (!open_standard_streams()) return number(basin::ExitCode::output);
  install_signal_handlers();
  return run_basin(program(), {argv + (argc > 0 ? 1 : 0), argv + argc}, process_environment(),
                   {std::cout, std::cerr, detect_terminal()});
}
