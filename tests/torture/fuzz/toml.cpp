// Configurations, recipes, studies.
#include "apps/options/toml_file.h"
#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  const std::string text(bytes);
  for (const apps::TomlEntry& entry : apps::parse_toml(text, "fuzz.toml")) {
    if (entry.kind != apps::TomlEntry::Kind::text) continue;
    const auto again = apps::parse_toml("a = " + apps::toml_string(entry.value), "again.toml");
    expect(again.size() == 1 && again[0].value == entry.value,
           "a text that is written is the text that is read");
  }
}
