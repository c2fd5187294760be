#include "data/loading/chosen.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/random.h"

namespace basin::data {
namespace {

class Chosen : public ExampleSource {
 public:
  Chosen(std::shared_ptr<const ExampleSource> all, std::vector<std::int64_t> places)
      : all_(std::move(all)), places_(std::move(places)) {
    for (const std::int64_t place : places_) {
      if (place < 0 || place >= all_->size())
        throw ArgumentError("[chosen] there is no example ", place, " of ", all_->size());
    }
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(places_.size()); }
  Shape image_shape() const override { return all_->image_shape(); }
  std::int64_t write(std::int64_t epoch, std::int64_t index, float* image) const override {
    return all_->write(epoch, places_.at(static_cast<std::size_t>(index)), image);
  }
  std::string name(std::int64_t index) const override {
    return all_->name(places_.at(static_cast<std::size_t>(index)));
  }
  std::optional<Pictures> pictures(Device device) const override { return all_->pictures(device); }
  std::int64_t draw(std::int64_t epoch, std::int64_t index, std::int64_t* row) const override {
    return all_->draw(epoch, places_.at(static_cast<std::size_t>(index)), row);
  }

 private:
  std::shared_ptr<const ExampleSource> all_;
  std::vector<std::int64_t> places_;
};

}  // namespace

std::shared_ptr<const ExampleSource> chosen(std::shared_ptr<const ExampleSource> all,
                                            std::vector<std::int64_t> places) {
  return std::make_shared<Chosen>(std::move(all), std::move(places));
}

std::shared_ptr<const ExampleSource> drawn(std::shared_ptr<const ExampleSource> all, std::int64_t n,
                                           std::uint64_t seed) {
  if (n >= all->size()) return all;
  std::vector<std::int64_t> places = permutation(all->size(), seed, Stream::probe, 0);
  places.resize(static_cast<std::size_t>(n));
  std::sort(places.begin(), places.end());
  return chosen(std::move(all), std::move(places));
}

}  // namespace basin::data
