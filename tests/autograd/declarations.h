// Reads the function declarations of a header, for the test that no op lacks a row.
#pragma once

#include <string>
#include <vector>

namespace basin {

/// The free functions declared in a namespace of C++ source text, as "name(Type, Type)": comments, const,
/// references, parameter names and default values are dropped, members of structs skipped.
std::vector<std::string> declared_functions(const std::string& source);

}  // namespace basin
