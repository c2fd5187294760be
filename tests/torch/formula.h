// Weights that are a function of name and index, and a picture: the same as in travel.py, bit for bit.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "apps/weights/weights.h"
#include "core/io/files.h"
#include "data/formats/decode.h"

namespace basin::test {

/// A number in [-1, 1) for element `index` of the tensor of that name.
class Uniform {
 public:
  explicit Uniform(const std::string& name) {
    for (const char c : name) seed_ = (seed_ ^ static_cast<unsigned char>(c)) * 16777619u;
  }
  double operator()(Index index) const {
    std::uint32_t x = static_cast<std::uint32_t>(index) * 2654435761u + seed_;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    return static_cast<double>(x) / 2147483648.0 - 1.0;
  }

 private:
  std::uint32_t seed_ = 2166136261u;  // FNV-1a
};

/// A tensor of a network as its file has it, f32; sizes keep activations near 1.
inline Tensor by_formula(const std::string& name, const Shape& shape) {
  double centre = 0, size = 0.1;
  if (name.ends_with("running_var")) {
    centre = 1, size = 0.25;
  } else if (shape.rank() == 1) {
    centre = name.ends_with("weight") ? 1 : 0;
  } else if (shape.rank() == 3) {  // class token, positions
    size = 0.5;
  } else {
    const double inputs = static_cast<double>(shape.elements() / shape[0]);
    size = std::sqrt((shape.rank() == 4 ? 6.0 : 3.0) / inputs);
  }
  const Uniform u(name);
  Tensor values = Tensor::empty(shape, Dtype::f32);
  float* out = values.mutable_data<float>();
  for (Index i = 0; i < values.elements(); ++i) out[i] = static_cast<float>(centre + size * u(i));
  return values;
}

/// Gives every tensor of the model but its counters the values of by_formula().
inline void fill_by_formula(nn::Module& model) {
  for (ArchiveEntry& entry : apps::weight_entries(entries_of(model))) {
    if (!is_floating(entry.tensor.dtype())) continue;
    const bool convolution = entry.layout == FileLayout::convolution;
    const Shape& s = entry.tensor.shape();
    const Tensor values = by_formula(entry.name, convolution ? Shape{s[3], s[2], s[0], s[1]} : s);
    entry.tensor.copy_from(convolution ? from_file_layout(values) : values);
  }
}

/// A picture file, repeated to `side` x `side`, normalised as ImageNet's: f32 {1,side,side,3}.
inline Tensor picture_batch(const std::string& path, Index side) {
  constexpr double kMean[] = {0.485, 0.456, 0.406}, kDeviation[] = {0.229, 0.224, 0.225};
  const data::Image image = data::decode_image(read_file(path), path);
  Tensor x = Tensor::empty({1, side, side, 3}, Dtype::f32);
  float* out = x.mutable_data<float>();
  for (Index row = 0; row < side; ++row)
    for (Index column = 0; column < side; ++column)
      for (Index c = 0; c < 3; ++c) {
        const double byte = image.row(row % image.height)[(column % image.width) * 3 + c];
        *out++ = static_cast<float>((byte / 255.0 - kMean[c]) / kDeviation[c]);
      }
  return x;
}

}  // namespace basin::test
