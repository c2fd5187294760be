// Distances by hand, and the words that people really mistype.
#include "apps/options/suggest.h"

#include <doctest/doctest.h>

using namespace basin::apps;

TEST_CASE("edit_distance counts insertions, deletions, substitutions and swaps of neighbours") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("train", "train") == 0);
  CHECK(edit_distance("trian", "train") == 1);  // one swap, not two substitutions
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("ca", "abc") == 3);  // optimal string alignment: no edit inside a swapped pair
}

TEST_CASE("nearest finds what was meant, and nothing when nothing is near") {
  const std::vector<std::string> commands = {"train", "eval", "info", "gradcheck"};
  CHECK(nearest("trian", commands) == "train");
  CHECK(nearest("evaluate", commands) == "eval");
  CHECK(nearest("grad", commands) == "gradcheck");
  CHECK(nearest("gradchekc", commands) == "gradcheck");
  CHECK(nearest("zzz", commands).empty());
  CHECK(nearest("x", commands).empty());
  CHECK(nearest("", commands).empty());
  CHECK(nearest(std::string(10000, 't'), commands).empty());
  CHECK(nearest("cifar", {"mnist", "cifar10", "cifar100"}) == "cifar10");
  CHECK(nearest("cifr", {"mnist", "cifar10", "cifar100"}) == "cifar10");
  // Of two at the same distance, the one that the word begins.
  CHECK(nearest("resnet2", {"resnet8", "resnet20"}) == "resnet20");
}

TEST_CASE("the nearest few come nearest first") {
  const std::vector<std::string> models = {"mlp", "resnet110", "resnet20", "resnet20-noshort", "resnet32"};
  CHECK(nearest_few("resnet21", models, 2) == std::vector<std::string>{"resnet20", "resnet110"});
  CHECK(nearest_few("vgg", models, 3).empty());
  CHECK(did_you_mean_one_of("mlpp", models) == "; did you mean mlp?");
  CHECK(did_you_mean_one_of("resnet30", {"resnet20", "resnet32", "resnet8"}, "--") ==
        "; did you mean --resnet20, --resnet32 or --resnet8?");
}

TEST_CASE("did_you_mean is a clause, or nothing") {
  CHECK(did_you_mean("epoch", {"epochs"}, "--") == "; did you mean --epochs?");
  CHECK(did_you_mean("qqqqq", {"epochs"}, "--").empty());
}
