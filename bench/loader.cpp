// How fast the data side is: images/s of reading, augmenting and batching CIFAR-shaped images, for each
// augmentation and number of workers. Training needs far fewer, so the network never waits. Usage: loader
#include <chrono>
#include <cstdio>
#include <memory>

#include "data/loading/loader.h"
#include "data/sets/load.h"

using namespace basin;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Images/s that a consumer who does nothing gets.
double measure(const data::Dataset& set, const std::string& augmentation, int workers) {
  const auto source = std::make_shared<data::DatasetSource>(set, data::parse_augmentation(augmentation), 1);
  data::Loader loader(source, {.batch_size = 128, .seed = 1, .workers = workers});
  data::Batch batch;
  for (int warm_up = 0; warm_up < 8; ++warm_up) loader.next(batch);
  const Clock::time_point start = Clock::now();
  std::int64_t images = 0;
  while (seconds_since(start) < 0.5) {
    loader.next(batch);
    images += batch.size();
  }
  return static_cast<double>(images) / seconds_since(start);
}

}  // namespace

int main() {
  const Clock::time_point start = Clock::now();
  const data::Dataset set = data::synthetic({.train = 8192}, 0, true);
  std::printf("synthetic 32x32x3: %.0f images/s drawn\n",
              static_cast<double>(set.size()) / seconds_since(start));
  for (const char* augmentation : {"none", "basic", "basic,reflect", "cutout"}) {
    std::printf("%-14s", augmentation);
    for (const int workers : {0, 1, 2})
      std::printf("  workers %d: %7.0f images/s", workers, measure(set, augmentation, workers));
    std::printf("\n");
  }
}
