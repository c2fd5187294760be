// Files of weights in other number types and formats, and the words about files that are neither.
#include "apps/weights/weight_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "apps/training/start.h"
#include "apps/weights/weights.h"
#include "core/io/half.h"
#include "core/io/npz.h"
#include "nn/models/registry.h"
#include "tests/apps/calls.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using test::failure, test::TemporaryDirectory;

namespace {

std::unique_ptr<nn::Module> network(Dtype dtype = Dtype::f32, const std::string& name = "mlp") {
  return nn::make_model({.name = name, .height = 8, .width = 8, .channels = 1, .classes = 3, .dtype = dtype});
}

/// The nearest F16 below or at |x|, for x that F16 has as a normal number.
std::uint16_t cut_to_half(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t exponent = (bits >> 23 & 255) - 112;
  if (exponent < 1 || exponent > 30) return static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  return static_cast<std::uint16_t>((bits >> 16 & 0x8000) | exponent << 10 | (bits >> 13 & 0x3ff));
}

std::uint16_t cut_to_bfloat(float x) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x) >> 16);
}

/// The model's weights as a safetensors file of two-byte numbers, as another program writes it.
void save_halves(const std::string& path, nn::Module& model, const std::string& dtype) {
  std::string header = "{", data;
  for (const ArchiveEntry& e : weight_entries(entries_of(model))) {
    const std::size_t begin = data.size();
    for (Index i = 0; i < e.tensor.elements(); ++i) {
      const float x = e.tensor.data<float>()[i];
      const std::uint16_t half = dtype == "F16" ? cut_to_half(x) : cut_to_bfloat(x);
      data.push_back(static_cast<char>(half & 255));
      data.push_back(static_cast<char>(half >> 8));
    }
    std::string shape;
    for (const Index extent : e.tensor.shape()) shape += (shape.empty() ? "" : ",") + std::to_string(extent);
    header += text(header.size() > 1 ? "," : "", '"', e.name, "\":{\"dtype\":\"", dtype, "\",\"shape\":[",
                   shape, "],\"data_offsets\":[", begin, ',', data.size(), "]}");
  }
  header += "}";
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i) & 255);
  std::ofstream(path, std::ios::binary) << length << header << data;
}

}  // namespace

TEST_CASE("half precision: every number of two bytes is the f32 that the formats define") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const int exponent = static_cast<int>(bits >> 10 & 31), fraction = static_cast<int>(bits & 1023);
    double expected = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) expected = fraction == 0 ? INFINITY : NAN;
    const float found = from_half(half);
    CHECK(std::signbit(found) == (bits >> 15 == 1));
    if (std::isnan(expected))
      CHECK(std::isnan(found));
    else
      CHECK(std::fabs(static_cast<double>(found)) == expected);
  }
  CHECK(from_bfloat(0x3f80) == 1);
  CHECK(from_bfloat(0xc040) == -3);
  CHECK(from_bfloat(1) == std::ldexp(1.0f, -133));
}

TEST_CASE("init: F16, BF16 and F64 become the model's dtype, and the words say so") {
  TemporaryDirectory dir;
  const auto model = network();
  for (const std::string dtype : {"F16", "BF16"}) {
    save_halves(dir / "halves", *model, dtype);
    for (const Dtype wanted : {Dtype::f32, Dtype::f64}) {
      const auto other = network(wanted);
      const LoadReport report = load_weights(dir / "halves", *other);
      CHECK(report.converted == report.tensors);
      CHECK(in_words(report) == text("6 tensors, 6 converted from ", dtype, ", exactly"));
      const Entries a = entries_of(*model), b = entries_of(*other);
      for (std::size_t i = 0; i < a.parameters.size(); ++i) {
        const Tensor ours = a.parameters[i].parameter->value(),
                     read = b.parameters[i].parameter->value().to(Dtype::f64);
        for (Index k = 0; k < ours.elements(); ++k) {
          const float x = ours.data<float>()[k];
          const float cut = dtype == "F16" ? from_half(cut_to_half(x)) : from_bfloat(cut_to_bfloat(x));
          REQUIRE(read.data<double>()[k] == static_cast<double>(cut));
        }
      }
    }
  }
  const auto fine = network(Dtype::f64), coarse = network();
  Tensor numbers = entries_of(*fine).parameters[0].parameter->value();
  numbers.mutable_data<double>()[0] = 1 / 3.0;
  save_weights(dir / "fine", *fine);
  CHECK(in_words(load_weights(dir / "fine", *coarse)) == "6 tensors, 6 converted from F64, rounded to f32");
  CHECK(entries_of(*coarse).parameters[0].parameter->value().data<float>()[0] == 1 / 3.0f);
  numbers.mutable_data<double>()[0] = 1e300;
  save_weights(dir / "fine", *fine);
  CHECK(failure([&] { load_weights(dir / "fine", *coarse); }) ==
        "4: [load] " + (dir / "fine") +
            ": '1.weight' holds 1e+300, which f32 does not; --dtype f64 takes it as "
            "it is");
  CHECK(load_weights(dir / "fine", *fine).converted == 0);
}

TEST_CASE(
    "init: whole numbers in place of weights are named with their dtype, without advice about classes") {
  TemporaryDirectory dir;
  const auto model = network();
  std::vector<ArchiveEntry> entries = weight_entries(entries_of(*model));
  for (ArchiveEntry& e : entries) e.tensor = e.tensor.to(Dtype::i64);
  write_archive(dir / "file", entries);
  const std::string said = failure([&] { load_weights(dir / "file", *model, {.head = "5"}); });
  CHECK(said.find("5.weight (I64 {3,128}, expected F32 {3,128})") != said.npos);
  CHECK(said.find("--ignore-head") == said.npos);
}

TEST_CASE("init: a file that says of which model it is, is quoted where it does not fit") {
  TemporaryDirectory dir;
  const auto deep = nn::make_model({.name = "resnet20"}), flat = nn::make_model({.name = "resnet8"});
  const Identity deep_one{.model = "resnet20", .image = {32, 32, 3}, .classes = 10};
  save_weights(dir / "file", *deep, deep_one);
  const Identity wanted{.model = "resnet8", .image = {28, 28, 1}, .classes = 10};
  const std::string said = failure([&] { load_weights(dir / "file", *flat, {.wanted = wanted}); });
  CHECK(said.find("; the file says of itself: model resnet20, here resnet8; images 32x32x3, here 28x28x1") !=
        said.npos);
}

TEST_CASE("weights: an npz file, NumPy's own or ours, is read by its names") {
  TemporaryDirectory dir;
  const auto model = nn::make_model({.name = "resnet8"}),
             other = nn::make_model({.name = "resnet8", .seed = 9});
  const Identity id{.model = "resnet8", .data = "cifar10", .image = {32, 32, 3}, .classes = 10};
  write_npz(dir / "w.npz", weight_entries(entries_of(*model)), to_metadata(id));
  CHECK(load_weights(dir / "w.npz", *other).tensors == 44);
  save_weights(dir / "a", *model);
  save_weights(dir / "b", *other);
  CHECK(read_file(dir / "a") == read_file(dir / "b"));
  CHECK(to_metadata(identity_in(WeightFile(dir / "w.npz").metadata())) == to_metadata(id));
  CHECK(WeightFile(dir / "w.npz").verify());
  CHECK(failure([&] { WeightFile(dir / "w.npz").at("fc.w"); }).starts_with("4: [load] "));
  // A foreign array of that name is an array.
  write_npz(dir / "x.npz", {{"__metadata__", Tensor::scalar(1)}, {"a", Tensor::scalar(2)}});
  CHECK(WeightFile(dir / "x.npz").tensors().size() == 2);
  const Tensor text = Tensor::from(std::vector<std::uint8_t>{'[', ']'}, {2});
  write_npz(dir / "y.npz", {{"__metadata__", text}});
  CHECK(WeightFile(dir / "y.npz").tensors().size() == 1);
}

TEST_CASE("init: the command for a file of torch.save ends with the file as a word of a shell") {
  CHECK(torch_conversion("a/b.pth").ends_with("' a/b.pth"));
  CHECK(torch_conversion("it's.pth").ends_with("' 'it'\\''s.pth'"));
}
