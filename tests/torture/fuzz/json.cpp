// JSON: records of runs, headers of tensor files.
#include "core/io/json.h"

#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  const Json value = parse_json(bytes);
  const std::string compact = value.compact();
  expect(parse_json(compact).compact() == compact, "a value that is written is the value that is read");
  expect(parse_json(value.indented()) == parse_json(compact), "both forms are one value");
}
