// Rows of cells between commas.
#include "core/io/csv.h"

#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  const std::vector<std::vector<std::string>> rows = parse_csv(bytes);
  std::string written;
  for (const std::vector<std::string>& row : rows) written += csv_row(row);
  expect(parse_csv(written) == rows, "rows that are written are the rows that are read");
}
