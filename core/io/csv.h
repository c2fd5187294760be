// CSV (RFC 4180): rows of cells between commas; a cell with a comma, a quote or a line break stands in
// quotes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace basin {

/// One row, with a bare newline at the end.
std::string csv_row(const std::vector<std::string>& cells);

/// Reads the row of `text` that begins at `at` into `cells`, and moves `at` behind its line end (LF or CRLF),
/// or to the end of the text. Returns what is wrong with it: "a quote inside a cell", "a quote that is not
/// closed", "text after a quoted cell"; null if nothing is.
const char* read_csv_row(std::string_view text, std::size_t& at, std::vector<std::string>& cells);

/// All rows. A last row without its line end is left out: its writer was killed. Errors: DataError for what
/// read_csv_row() finds, and rows of different lengths.
std::vector<std::vector<std::string>> parse_csv(std::string_view text);

}  // namespace basin
