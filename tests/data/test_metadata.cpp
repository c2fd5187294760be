// What stands beside weights about inputs and outputs.
#include <doctest/doctest.h>

#include "data/sets/metadata.h"

using namespace basin;
using namespace basin::data;

TEST_CASE("metadata: what is known of a set, as text, and nothing of what is unknown") {
  Dataset set{.name = "pets",
              .images = Tensor::zeros({1, 4, 6, 3}, Dtype::u8),
              .labels = {0},
              .class_names = {"a \"b\"", "c"},
              .mean = {0.5, 0.25, 0},
              .deviation = {1, 2, 0.125}};
  CHECK(weight_metadata("lenet5", set) == ArchiveMetadata{{"format", "pt"},
                                                          {"model", "lenet5"},
                                                          {"data", "pets"},
                                                          {"image", "4x6x3"},
                                                          {"classes", "2"},
                                                          {"class_names", R"(["a \"b\"","c"])"},
                                                          {"mean", "[0.5,0.25,0.0]"},
                                                          {"deviation", "[1.0,2.0,0.125]"}});
  CHECK(metadata_of("", {}, 0, {}, {}, {}).empty());
  CHECK(metadata_of("own", {8, 8}, 7, {}, {}, {}) == ArchiveMetadata{{"data", "own"}, {"classes", "7"}});
}
