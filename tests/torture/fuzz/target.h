// A fuzz target: one reader of files, given bytes that nobody vouches for.
#pragma once

#include <string>
#include <string_view>

namespace basin::fuzz {

/// What each target defines: reads the bytes as its file. An Error that blames the file is what a reader owes
/// (UsageError, DataError, CheckpointError, ...). Everything else ends the fuzzing: a crash, an InternalError
/// or MemoryError, another exception, more memory than 64 MB and 10 bytes for each byte of the file.
void read(std::string_view bytes);

/// Ends the fuzzing where what must hold does not, such as that a value written is the value read.
void expect(bool holds, const char* what);

/// A file with this content, in memory, for readers that take a path; the next one takes its place.
const std::string& file_with(std::string_view bytes);

}  // namespace basin::fuzz
