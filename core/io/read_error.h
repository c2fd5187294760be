// The error of a file or directory that the system does not let us read.
#pragma once

#include <string>

#include "core/error.h"

namespace basin {

/// The system refused to open or to read what may well be whole: not permitted, too many open files, a disk
/// that fails.
struct ReadError : DataError {
  ReadError(int error_number, const std::string& message) : DataError(message), number(error_number) {}
  int number;  // errno
};

}  // namespace basin
