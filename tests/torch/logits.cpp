// basin_logits MODEL WEIGHTS PICTURE SIDE: prints what a network says of a picture, for round_trip.py.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "nn/models/registry.h"
#include "tests/torch/formula.h"

int main(int argc, char** argv) {
  using namespace basin;
  try {
    if (argc != 5) throw UsageError("basin_logits MODEL WEIGHTS PICTURE SIDE");
    const Index side = std::atol(argv[4]);
    const apps::WeightFile file(argv[2]);
    nn::ModelSpec spec{.name = argv[1], .height = side, .width = side, .blank = true};
    const auto probe = nn::make_model(spec);
    const std::string head = nn::head_of(*probe) + ".weight";
    const Index classes = spec.classes = apps::find_weight(file, entries_of(*probe), head).shape[0];
    const auto model = nn::make_model(spec);
    apps::load_weights(argv[2], *model);
    nn::Context ctx = nn::Context::evaluation();
    const Tensor logits = (*model)(Variable(test::picture_batch(argv[3], side)), ctx).value();
    for (Index k = 0; k < classes; ++k) std::printf("%.9g\n", static_cast<double>(logits.data<float>()[k]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "basin_logits: %s\n", error.what());
    return 1;
  }
}
