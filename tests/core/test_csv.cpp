// CSV rows, written and read back.
#include "core/io/csv.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/error.h"

using namespace basin;

TEST_CASE("CSV rows: RFC 4180 quoting, read back as written") {
  const std::vector<std::string> cells = {"plain", "a,b", "say \"hi\"", "two\nlines", "", " space ", "cr\r"};
  CHECK(csv_row({"a", "b,c", "d\"e"}) == "a,\"b,c\",\"d\"\"e\"\n");
  CHECK(parse_csv(csv_row(cells) + csv_row(cells)) == std::vector<std::vector<std::string>>{cells, cells});
  CHECK(parse_csv("").empty());
  CHECK(parse_csv("a,b\r\nc,d\r\n") == std::vector<std::vector<std::string>>{{"a", "b"}, {"c", "d"}});
  CHECK(parse_csv("a,b\nc,d\ne,") == std::vector<std::vector<std::string>>{{"a", "b"}, {"c", "d"}});
  for (const char* bad : {"a,b\nc\n", "\"a\n", "a\"b\n", "\"a\"b\n"})
    CHECK_THROWS_AS(parse_csv(bad), DataError);
  std::size_t at = 0;
  std::vector<std::string> row;
  CHECK(read_csv_row("a,\"\"\nb", at, row) == nullptr);
  CHECK(row == std::vector<std::string>{"a", ""});
  CHECK(at == 5);
  CHECK(read_csv_row("a,\"\"\nb", at, row) == nullptr);
  CHECK(row == std::vector<std::string>{"b"});
  at = 0;
  CHECK(std::string(read_csv_row("\"a\"b", at, row)) == "text after a quoted cell");
}
