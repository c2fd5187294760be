// Streams and terminals made of strings.
#pragma once

#include <sstream>
#include <string>

#include "apps/cli/dispatch.h"
#include "apps/cli/terminal.h"

namespace basin::test {

/// A terminal that writes to strings.
struct FakeTerminal {
  std::ostringstream out, err;
  apps::Terminal terminal;
  explicit FakeTerminal(const apps::OutputConfig& output = {}, const apps::TerminalTraits& traits = {})
      : terminal(out, err, traits, output) {}
};

/// One that repaints lines of `width` columns.
inline apps::TerminalTraits repainting(int width, bool unicode = false) {
  return {.repaint = true, .unicode = unicode, .width = [width] { return width; }};
}

}  // namespace basin::test
