#include "core/io/csv.h"

#include "core/error.h"

namespace basin {

std::string csv_row(const std::vector<std::string>& cells) {
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) row += ',';
    if (cells[i].find_first_of(",\"\r\n") == std::string::npos) {
      row += cells[i];
      continue;
    }
    row += '"';
    for (const char c : cells[i]) row += c == '"' ? "\"\"" : std::string(1, c);
    row += '"';
  }
  return row + "\n";
}

const char* read_csv_row(std::string_view text, std::size_t& at, std::vector<std::string>& cells) {
  cells.assign(1, "");
  while (at < text.size()) {
    const char c = text[at++];
    if (c == '"') {
      if (!cells.back().empty()) return "a quote inside a cell";
      for (;; ++at) {
        if (at >= text.size()) return "a quote that is not closed";
        if (text[at] == '"' && text.substr(at + 1, 1) != "\"") break;
        if (text[at] == '"') ++at;  // a doubled one
        cells.back() += text[at];
      }
      const std::string_view next = text.substr(++at, 1);
      if (!next.empty() && next != "," && next != "\n" && next != "\r") return "text after a quoted cell";
    } else if (c == ',') {
      cells.emplace_back();
    } else if (c == '\n') {
      return nullptr;
    } else if (c == '\r' && text.substr(at, 1) == "\n") {
      ++at;
      return nullptr;
    } else {
      cells.back() += c;
    }
  }
  return nullptr;
}

std::vector<std::vector<std::string>> parse_csv(std::string_view text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  for (std::size_t at = 0; at < text.size();) {
    const char* wrong = read_csv_row(text, at, row);
    const bool whole = text[at - 1] == '\n';
    if (!wrong && !whole) break;
    if (!wrong && !rows.empty() && row.size() != rows[0].size())
      wrong = "another number of cells than the first row";
    if (wrong) throw DataError("[csv] row ", rows.size() + 1, ": ", wrong);
    rows.push_back(row);
  }
  return rows;
}

}  // namespace basin
