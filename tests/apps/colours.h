// A folder of pictures whose classes are colours, and a run that knows them from each other.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/formats/png.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"

namespace basin::test {

/// DIR/train and DIR/test with four pictures of one colour for each class, whose colour its name tells.
inline void paint(const std::string& dir, const std::vector<std::string>& classes) {
  const std::map<char, std::vector<int>> colours = {
      {'a', {255, 0, 0}}, {'b', {0, 255, 0}}, {'c', {0, 0, 255}}, {'d', {255, 255, 0}}};
  for (const std::string split : {"train", "test"})
    for (const std::string& name : classes) {
      const std::string folder = dir + "/" + split + "/" + name;
      std::filesystem::create_directories(folder);
      for (int i = 0; i < 4; ++i) {
        data::Image image = data::Image::black(16, 16);
        const std::vector<int>& colour = colours.at(name.back());
        for (std::size_t k = 0; k < image.pixels.size(); ++k)
          image.pixels[k] = static_cast<std::uint8_t>(colour[k % 3] > 0 ? 255 - 8 * i : 8 * i);
        data::write_png(folder + "/" + std::to_string(i) + ".png", image);
      }
    }
}

/// A run that knows red, green and blue from each other, trained on a/, b/ and c/.
struct Colours {
  TemporaryDirectory dir;
  std::string data = dir / "abc", run = dir / "run";
  Colours() {
    paint(data, {"a", "b", "c"});
    REQUIRE(train(recipe(run, data)).code == 0);
  }
  static apps::TrainConfig recipe(const std::string& run, const std::string& data, const Words& more = {}) {
    Words words = {"--data",    "folder",   "--data-dir", data,   "--image-size", "16",           "--model",
                   "mlp",       "--epochs", "4",          "--lr", "0.01",         "--batch-size", "4",
                   "--augment", "none",     "--workers",  "0",    "--quiet",      "--run",        run};
    words.insert(words.end(), more.begin(), more.end());
    return test::train_config(words);
  }
  std::string file() const { return run + "/final.safetensors"; }
};

}  // namespace basin::test
