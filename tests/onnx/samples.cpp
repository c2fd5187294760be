// Writes a model of each family as ONNX, and images with Basin's own logits as npz: what check.py compares.
#include <cstdio>
#include <filesystem>

#include "autograd/recording.h"
#include "core/io/npz.h"
#include "core/ops.h"
#include "nn/models/registry.h"
#include "nn/onnx/onnx.h"
#include "tests/nn/tiny_models.h"

using namespace basin;

namespace {

/// Weights and statistics that leave no term at zero or one.
void stir(nn::Module& model) {
  nn::Initializer draw(7);
  const Entries entries = entries_of(model);
  for (const NamedParameter& p : entries.parameters) {
    Tensor values = p.parameter->value();
    axpby(1, draw.normal(values.shape(), 0, 0.05), 1, values);
  }
  for (const NamedBuffer& b : entries.buffers)
    if (b.kind == BufferKind::statistics)
      b.buffer->copy_from(b.name.ends_with("var") ? draw.uniform(b.buffer->shape(), 0.5, 2)
                                                  : draw.normal(b.buffer->shape(), 0, 0.3));
}

void write(nn::Module& model, const Shape& sample, const std::string& name, const std::string& directory) {
  stir(model);
  nn::write_onnx(directory + "/" + name + ".onnx", nn::onnx_graph(model, sample, name));
  std::vector<ArchiveEntry> numbers;
  nn::Initializer draw(3);
  for (Index batch : {1, 3}) {
    const Tensor image = draw.normal({batch, sample[0], sample[1], sample[2]}, 0, 1);
    nn::Context ctx = nn::Context::evaluation();
    const NoRecording off;
    numbers.push_back({text("image.", batch), permute(image, Axes{0, 3, 1, 2})});
    numbers.push_back({text("logits.", batch), model(Variable(image), ctx).value()});
  }
  write_npz(directory + "/" + name + ".npz", numbers);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2) throw UsageError("usage: onnx_samples DIRECTORY [MODEL SIDE]...");
    const std::string directory = argv[1];
    std::filesystem::create_directories(directory);
    if (argc == 2) {
      for (const TinyModel& tiny : tiny_models()) {
        nn::Initializer init(5);
        write(*tiny.make(init), {kTinySide, kTinySide, 3}, tiny.name, directory);
      }
      for (const char* name : {"mlp", "lenet5", "resnet20"})
        write(*nn::make_model({.name = name}), {32, 32, 3}, name, directory);
    }
    for (int i = 2; i + 1 < argc; i += 2) {
      const Index side = std::stol(argv[i + 1]);
      write(*nn::make_model({.name = argv[i], .height = side, .width = side}), {side, side, 3}, argv[i],
            directory);
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
