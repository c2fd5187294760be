#include "data/augment/image_ops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <numeric>

#include "core/error.h"

namespace basin::data {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

void look_up(Image& image, const Table& table) {
  for (std::uint8_t& value : image.pixels) value = table[value];
}

std::uint8_t clipped(std::int64_t value) {
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(value, 0, 255));
}

// A table of its own for each channel, made from the channel's histogram.
template <class MakeTable>
void look_up_by_histogram(Image& image, const MakeTable& make_table) {
  std::array<Histogram, 3> histograms{};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) ++histograms[i % 3][image.pixels[i]];
  const std::array<Table, 3> tables = {make_table(histograms[0]), make_table(histograms[1]),
                                       make_table(histograms[2])};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = tables[i % 3][image.pixels[i]];
}

Table identity() {
  Table table{};
  std::iota(table.begin(), table.end(), std::uint8_t{0});
  return table;
}

int luma(const std::uint8_t* pixel) {
  return (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16;
}

// degenerate + factor (value - degenerate).
std::uint8_t blended(int degenerate, int value, float factor) {
  const float mixed = static_cast<float>(degenerate) + factor * static_cast<float>(value - degenerate);
  return mixed <= 0 ? 0 : mixed >= 255 ? 255 : static_cast<std::uint8_t>(mixed);
}

// Each pixel (x, y) shows what was at (a0 x + a1 y + a2, a3 x + a4 y + a5), pixels being squares around
// half-numbers; computed in 16.16 fixed point as Pillow does.
void map_places(Image& image, const std::array<double, 6>& a) {
  const auto fixed = [](double v) { return static_cast<std::int64_t>(std::floor(v * 65536.0 + 0.5)); };
  const std::int64_t step_x = fixed(a[0]), step_y = fixed(a[3]);
  const std::int64_t next_x = fixed(a[1]), next_y = fixed(a[4]);
  std::int64_t start_x = fixed(a[2] + a[0] * 0.5 + a[1] * 0.5);
  std::int64_t start_y = fixed(a[5] + a[3] * 0.5 + a[4] * 0.5);
  Image out = Image::black(image.height, image.width);
  for (std::int64_t y = 0; y < image.height; ++y, start_x += next_x, start_y += next_y) {
    std::int64_t x_in = start_x;
    std::int64_t y_in = start_y;
    std::uint8_t* to = out.row(y);
    for (std::int64_t x = 0; x < image.width; ++x, to += 3, x_in += step_x, y_in += step_y) {
      const std::int64_t column = x_in >> 16, row = y_in >> 16;
      if (column < 0 || column >= image.width || row < 0 || row >= image.height) continue;
      std::memcpy(to, image.row(row) + 3 * column, 3);
    }
  }
  image = std::move(out);
}

struct Hsv {
  std::uint8_t hue, saturation, value;
};

Hsv to_hsv(const std::uint8_t* rgb) {
  const std::uint8_t most = std::max({rgb[0], rgb[1], rgb[2]});
  const std::uint8_t least = std::min({rgb[0], rgb[1], rgb[2]});
  if (most == least) return {0, 0, most};
  const auto range = static_cast<float>(most - least);
  const float saturation = range / static_cast<float>(most);
  const float red = static_cast<float>(most - rgb[0]) / range;
  const float green = static_cast<float>(most - rgb[1]) / range;
  const float blue = static_cast<float>(most - rgb[2]) / range;
  float hue = 0;
  if (rgb[0] == most) {
    hue = blue - green;
  } else if (rgb[1] == most) {
    hue = static_cast<float>(2.0 + red - blue);
  } else {
    hue = static_cast<float>(4.0 + green - red);
  }
  hue = static_cast<float>(std::fmod(hue / 6.0 + 1.0, 1.0));
  return {clipped(static_cast<int>(hue * 255.0)), clipped(static_cast<int>(saturation * 255.0)), most};
}

void to_rgb(const Hsv& hsv, std::uint8_t* rgb) {
  const std::uint8_t v = hsv.value;
  if (hsv.saturation == 0) {
    std::fill(rgb, rgb + 3, v);
    return;
  }
  const float sixths = static_cast<float>(hsv.hue) * 6.0f;
  const auto sector = static_cast<int>(std::floor(sixths / 255.0));
  const auto f = static_cast<float>(sixths / 255.0 - static_cast<double>(static_cast<float>(sector)));
  const auto s = static_cast<float>(static_cast<float>(hsv.saturation) / 255.0);
  const auto value = static_cast<double>(v);
  const auto part = [&](double share) { return clipped(std::lround(value * share)); };
  const std::uint8_t p = part(1.0 - s);
  const std::uint8_t q = part(1.0 - static_cast<double>(s * f));
  const std::uint8_t t = part(1.0 - s * (1.0 - f));
  const std::array<std::array<std::uint8_t, 3>, 6> sectors = {
      {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}}};
  const auto& chosen = sectors[static_cast<std::size_t>(sector % 6)];
  std::copy(chosen.begin(), chosen.end(), rgb);
}

}  // namespace

void invert(Image& image) {
  for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(255 - value);
}

void posterize(Image& image, int bits) {
  if (bits < 0 || bits > 8) throw ArgumentError("[posterize] expects 0 to 8 bits, got ", bits);
  const auto mask = static_cast<std::uint8_t>(0xff00 >> bits);
  for (std::uint8_t& value : image.pixels) value &= mask;
}

void solarize(Image& image, double threshold) {
  Table table = identity();
  for (std::size_t v = 0; v < 256; ++v) {
    if (static_cast<double>(v) >= threshold) table[v] = static_cast<std::uint8_t>(255 - v);
  }
  look_up(image, table);
}

void autocontrast(Image& image) {
  look_up_by_histogram(image, [](const Histogram& histogram) {
    std::size_t low = 0;
    std::size_t high = 255;
    while (low < 255 && histogram[low] == 0) ++low;
    while (high > 0 && histogram[high] == 0) --high;
    Table table = identity();
    if (high <= low) return table;
    const double scale = 255.0 / static_cast<double>(high - low);
    const double offset = -static_cast<double>(low) * scale;
    for (std::size_t v = 0; v < 256; ++v) {
      table[v] = clipped(static_cast<std::int64_t>(static_cast<double>(v) * scale + offset));
    }
    return table;
  });
}

void equalize(Image& image) {
  look_up_by_histogram(image, [](const Histogram& histogram) {
    Table table = identity();
    std::int64_t total = 0;
    std::int64_t last = 0;  // pixels with the greatest byte there is
    for (const std::int64_t count : histogram) {
      total += count;
      if (count != 0) last = count;
    }
    const std::int64_t step = (total - last) / 255;
    if (step == 0) return table;
    std::int64_t sum = step / 2;
    for (std::size_t v = 0; v < 256; ++v) {
      table[v] = clipped(sum / step);
      sum += histogram[v];
    }
    return table;
  });
}

void brightness(Image& image, double factor) {
  Table table{};
  for (int v = 0; v < 256; ++v)
    table[static_cast<std::size_t>(v)] = blended(0, v, static_cast<float>(factor));
  look_up(image, table);
}

void color(Image& image, double factor) {
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    std::uint8_t* pixel = image.pixels.data() + i;
    const int grey = luma(pixel);
    for (int c = 0; c < 3; ++c) pixel[c] = blended(grey, pixel[c], static_cast<float>(factor));
  }
}

void contrast(Image& image, double factor) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) sum += luma(image.pixels.data() + i);
  const auto pixels = static_cast<double>(image.height * image.width);
  const int mean = static_cast<int>(static_cast<double>(sum) / pixels + 0.5);
  Table table{};
  for (int v = 0; v < 256; ++v) {
    table[static_cast<std::size_t>(v)] = blended(mean, v, static_cast<float>(factor));
  }
  look_up(image, table);
}

void sharpness(Image& image, double factor) {
  const Image before = image;
  const auto side = static_cast<float>(1.0 / 13);
  const auto middle = static_cast<float>(5.0 / 13);
  const auto mixed = static_cast<float>(factor);
  const auto bytes = static_cast<std::ptrdiff_t>(3 * image.width);
  for (std::int64_t y = 0; y < image.height; ++y) {
    const bool rim = y == 0 || y == image.height - 1;
    const std::uint8_t* in = before.row(y);
    std::uint8_t* out = image.row(y);
    for (std::ptrdiff_t x = 0; x < bytes; ++x) {
      int smooth = in[x];
      if (!rim && x >= 3 && x < bytes - 3) {
        const auto three = [x](const std::uint8_t* row, float left, float center) {
          return static_cast<float>(row[x - 3]) * left + static_cast<float>(row[x]) * center +
                 static_cast<float>(row[x + 3]) * left;
        };
        float sum = 0.5f;
        sum += three(in + bytes, side, side);
        sum += three(in, side, middle);
        sum += three(in - bytes, side, side);
        smooth = clipped(static_cast<int>(sum));
      }
      out[x] = blended(smooth, in[x], mixed);
    }
  }
}

void shift_hue(Image& image, double turns) {
  if (!(std::abs(turns) <= 0.5)) throw ArgumentError("[hue] expects -0.5 to 0.5 turns, got ", turns);
  const auto shift = static_cast<std::uint8_t>(static_cast<int>(turns * 255));
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    std::uint8_t* pixel = image.pixels.data() + i;
    Hsv hsv = to_hsv(pixel);
    hsv.hue = static_cast<std::uint8_t>(hsv.hue + shift);
    to_rgb(hsv, pixel);
  }
}

void shear_x(Image& image, double slope) { map_places(image, {1, slope, 0, 0, 1, 0}); }

void shear_y(Image& image, double slope) { map_places(image, {1, 0, 0, slope, 1, 0}); }

void translate(Image& image, std::int64_t right, std::int64_t down) {
  map_places(image, {1, 0, -static_cast<double>(right), 0, 1, -static_cast<double>(down)});
}

void rotate(Image& image, double degrees) {
  // Pillow rounds sine and cosine to 15 decimals, which also hides how the C library rounds them.
  const auto to_15_decimals = [](double v) { return std::nearbyint(v * 1e15) / 1e15; };
  const double angle = -degrees * (std::numbers::pi / 180);
  const double cosine = to_15_decimals(std::cos(angle));
  const double sine = to_15_decimals(std::sin(angle));
  const double x = static_cast<double>(image.width) / 2;
  const double y = static_cast<double>(image.height) / 2;
  map_places(image, {cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y});
}

}  // namespace basin::data
