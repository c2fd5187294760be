# Writes OUTPUT, a C++ source that says what this build is; the file is touched only when that changes.
file(READ ${FLAGS_FILE} flags)
string(STRIP "${flags}" flags)
string(REGEX REPLACE "[ \t\n]+" " " flags "${flags}")
# Paths of the build machine have no place in a program.
string(REGEX REPLACE "-f[a-z]+-prefix-map=[^ ]*" "" flags "${flags}")
set(revision "")
execute_process(COMMAND git --no-optional-locks -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(revision "unknown")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [=[
// Written by apps/write_build_info.cmake.
#include "apps/runs/environment.h"

namespace basin::apps {

BuildInfo build_info() {
  return {.version = "@VERSION@", .revision = "@revision@", .compiler = compiler_name(), .build_type = "@BUILD_TYPE@",
          .flags = R"(@flags@)", .sanitizers = "@SANITIZE@"};
}

}  // namespace basin::apps
]=])
