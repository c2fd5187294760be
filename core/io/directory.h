// What lies at a path and in a directory, asked so that an error of the system is never taken for "nothing
// there".
#pragma once

#include <string>
#include <vector>

namespace basin {

enum class FileKind { none, regular, directory, pipe, socket, device };

/// What is at `path`, symbolic links followed. Errors: ReadError when the system cannot say: not permitted to
/// look, a disk that fails.
FileKind kind_of_file(const std::string& path);

/// In words, with the article: "a directory".
const char* name_of(FileKind kind);

/// What stands where a regular file is expected, in words; empty for a regular file, nothing at all, and for
/// what the system cannot say.
std::string odd_file(const std::string& path);

/// The last name of a path: "sam" of runs/sam and of runs/sam/.
std::string last_name(const std::string& path);

/// The names in a directory but . and .., sorted. Errors: ReadError: it is not there or not a directory; it
/// cannot be read, or not to its end.
std::vector<std::string> list_directory(const std::string& path);

/// Makes the directory and every one above it that is missing; each is on the disk when this returns, for the
/// one above it is synced. Returns false if it was there. Errors: OutputError.
bool make_directory(const std::string& path);

}  // namespace basin
