// The list of commands of `basin`.
#pragma once

#include "apps/cli/command.h"

namespace basin::apps {

/// The program: every command there is, in the order of `basin --help`.
const Program& program();

}  // namespace basin::apps
