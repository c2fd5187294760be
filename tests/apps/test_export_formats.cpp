// Export formats: each holds the model bit for bit, and a file that does not is noticed.
#include <doctest/doctest.h>

#include "apps/weights/export_format.h"
#include "apps/weights/weights.h"
#include "nn/models/registry.h"
#include "tests/apps/calls.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;

namespace {

struct Exported {
  std::unique_ptr<nn::Module> model = nn::make_model({.name = "resnet20", .height = 8, .width = 8});
  ExportSource source{.model = *model,
                      .identity = {.model = "resnet20",
                                   .data = "synthetic",
                                   .image = {8, 8, 3},
                                   .classes = 2,
                                   .class_names = {"a \"b\"", "\u00e4"},
                                   .mean = {0.1, 0.2, 1 / 3.0},
                                   .deviation = {1, 2, 3}},
                      .tensors = weight_entries(entries_of(*model))};
};

}  // namespace

TEST_CASE("export: each format reads back as what was written") {
  const Exported e;
  const test::TemporaryDirectory directory;
  for (const ExportFormat& format : export_formats()) {
    INFO(format.name);
    const std::string path = directory / ("w" + format.ending);
    CHECK(&export_format("auto", path) == &format);
    format.write(e.source, path);
    const Compared compared = format.check(e.source, path);
    // A graph for inference has no counters: one for each of 19 normalisations.
    const std::int64_t left_out = format.name == "onnx" ? 19 : 0;
    CHECK(compared.tensors == static_cast<std::int64_t>(e.source.tensors.size()) - left_out);
    std::int64_t numbers = -left_out;
    for (const ArchiveEntry& entry : e.source.tensors) numbers += entry.tensor.elements();
    CHECK(compared.numbers == numbers);
  }
}

TEST_CASE("export: other numbers, another shape and a missing tensor are noticed") {
  const Exported e;
  const test::TemporaryDirectory directory;
  for (const ExportFormat& format : export_formats()) {
    INFO(format.name);
    const std::string path = directory / ("w" + format.ending);
    format.write(e.source, path);
    const auto notice = [&](auto change) {
      ExportSource other = e.source;
      change(other.tensors);
      return test::failure([&] { format.check(other, path); });
    };
    CHECK(notice([](std::vector<ArchiveEntry>& t) {
            t[0].tensor = t[0].tensor.clone();
            t[0].tensor.mutable_data<float>()[5] += 1;
          }) == "7: [export] " + path + ": 'conv1.weight' reads back with other numbers");
    CHECK(notice([](std::vector<ArchiveEntry>& t) {
            t[0].tensor = Tensor::zeros({3, 3, 3, 8});
          }).find("'conv1.weight' reads back as f32 {3,3,3,16}") != std::string::npos);
    CHECK(notice([](std::vector<ArchiveEntry>& t) { t[0].name = "conv0.weight"; }) != "");
  }
}
