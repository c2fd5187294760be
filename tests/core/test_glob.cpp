// Patterns with stars: what they match, and in how many steps.
#include "core/io/glob.h"

#include <doctest/doctest.h>

#include <string>

using namespace basin;

TEST_CASE("glob: stars stand for any text, question marks for one byte") {
  for (const char* pattern :
       {"layer1.conv", "*", "**", "layer1.*", "*conv", "l*1*v", "layer?.conv", "*.????"})
    CHECK_MESSAGE(glob_matches(pattern, "layer1.conv"), pattern);
  for (const char* pattern :
       {"", "layer1", "layer1.conv.", "?", "*x", "l*2*v", "layer?conv.", "*.?????", "conv*"})
    CHECK_FALSE_MESSAGE(glob_matches(pattern, "layer1.conv"), pattern);
  CHECK(glob_matches("", ""));
  CHECK(glob_matches("***", ""));
  CHECK_FALSE(glob_matches("?", ""));
  CHECK(glob_matches("*ab*ab", "abab"));
  CHECK(glob_matches("*abc", "ababc"));
  CHECK(glob_matches("a*b*c", "a-b-b-c"));
}

TEST_CASE("glob: stars in a row and near misses cost pattern times text, not a power of it") {
  // A search that tries every text for every star does not end on these.
  CHECK_FALSE(glob_matches(std::string(100, '*') + "x", std::string(1000, 'a')));
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "*a";
  CHECK_FALSE(glob_matches(stars + "b", std::string(1000, 'a')));
  CHECK(glob_matches(stars + "*", std::string(1000, 'a')));
}
