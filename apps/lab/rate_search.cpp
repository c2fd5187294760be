#include "apps/lab/rate_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/runs/checkpoint.h"
#include "apps/training/experiment.h"
#include "apps/training/run_state.h"
#include "core/io/directory.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

constexpr const char* kState = "rate_search";
constexpr std::int64_t kSaveEvery = 100;

Json to_json(const RateRecord& record) {
  return Json::Object{{"losses", recorded(record.losses)}, {"passes", record.passes}};
}

/// The running mean that keeps `smoothing` of itself a step, without the pull of its start at 0 (as Adam
/// corrects its moments).
class RunningMean {
 public:
  explicit RunningMean(double smoothing) : smoothing_(smoothing) {}
  double take(double loss) {
    mean_ = smoothing_ * mean_ + (1 - smoothing_) * loss;
    weight_ *= smoothing_;
    return mean_ / (1 - weight_);
  }

 private:
  double smoothing_, mean_ = 0, weight_ = 1;
};

class Search {
 public:
  Search(const TrainConfig& config, const RunData& data, const RateSearchConfig& search, std::string file)
      : config_(config),
        data_(data),
        search_(search),
        file_(std::move(file)),
        length_(run_length(config.schedule, data.train->size())),
        experiment_(config, data.set, length_) {
    experiment_.take_rates([this](std::int64_t step) { return rate_of(search_, step); });
    if (kind_of_file(file_) == FileKind::none) return;
    const Archive archive(file_);
    const auto words = archive.metadata().find(kState);
    if (words == archive.metadata().end())
      throw CheckpointError("[lr-find] ", file_, " is no state of a search; remove it");
    restore_state(archive, parts_of(experiment_));
    const Json json = parse_json(words->second);
    record_.passes = json.at("passes").integer();
    for (const double loss : recorded_numbers(json.at("losses"))) enter(loss);
  }

  RateRecord run(const data::Watch& watch) {
    try {
      while (record_.end.empty()) epoch(watch);
    } catch (...) {
      save();
      throw;
    }
    if (watch) watch(search_.steps, search_.steps);
    if (kind_of_file(file_) == FileKind::regular) remove_file(file_);
    return record_;
  }

 private:
  std::int64_t made() const { return std::ssize(record_.losses); }

  void epoch(const data::Watch& watch) {
    data::Loader loader(data_.train, training_batches(config_, made() / length_.steps_per_epoch,
                                                      made() % length_.steps_per_epoch));
    for (data::Batch batch; record_.end.empty() && loader.next(batch);) {
      if (watch) watch(made(), search_.steps);
      const optim::StepReport report = experiment_.step(batch, made());
      record_.passes += report.passes;
      enter(report.loss);
      if (record_.end.empty() && !report.finite) record_.end = text("step ", made(), " was not finite");
      if (record_.end.empty() && made() % kSaveEvery == 0) save();
    }
  }

  /// Takes a step's loss, and ends the search where it is over.
  void enter(double loss) {
    record_.rates.push_back(rate_of(search_, made()));
    record_.losses.push_back(loss);
    const double smooth = mean_.take(loss);
    least_ = std::min(least_, smooth);
    if (!std::isfinite(loss))
      record_.end = text("the loss of step ", made(), " was not finite");
    else if (smooth > search_.diverged * least_)
      record_.end = text("the smoothed loss was above ", search_.diverged, " times its least");
    else if (made() == search_.steps)
      record_.end = "the last step";
  }

  void save() {
    write_archive(file_, state_entries(parts_of(experiment_)), {{kState, to_json(record_).compact()}});
  }

  const TrainConfig& config_;
  const RunData& data_;
  const RateSearchConfig& search_;
  std::string file_;
  RunLength length_;
  Experiment experiment_;
  RateRecord record_;
  RunningMean mean_{search_.smoothing};
  double least_ = std::numeric_limits<double>::infinity();
};

}  // namespace

double rate_of(const RateSearchConfig& c, std::int64_t step) {
  if (step == c.steps - 1) return c.high;
  return c.low * std::pow(c.high / c.low, static_cast<double>(step) / static_cast<double>(c.steps - 1));
}

std::vector<double> smoothed(const std::vector<double>& losses, double smoothing) {
  std::vector<double> all;
  RunningMean mean(smoothing);
  for (const double loss : losses) all.push_back(mean.take(loss));
  return all;
}

RateRecord search_rates(const TrainConfig& config, const RunData& data, const RateSearchConfig& search,
                        const std::string& file, const data::Watch& watch) {
  return Search(config, data, search, file).run(watch);
}

std::optional<RateSuggestion> suggestion_of(const std::vector<double>& rates,
                                            const std::vector<double>& smooth) {
  constexpr double kFall = 0.01;
  std::size_t count = 0;  // up to the first that is not finite
  while (count < smooth.size() && std::isfinite(smooth[count])) ++count;
  if (count < 3) return {};
  const auto low = static_cast<std::size_t>(
      std::min_element(smooth.begin(), smooth.begin() + static_cast<std::ptrdiff_t>(count)) - smooth.begin());
  if (!(smooth[low] < (1 - kFall) * smooth[0])) return {};
  RateSuggestion s{.minimum = rates[low], .least = smooth[low], .tenth = rates[low] / 10};
  const std::size_t reach = std::max<std::size_t>(1, rates.size() / 20);
  for (std::size_t i = 0; i <= low; ++i) {
    const std::size_t from = i > reach ? i - reach : 0, to = std::min(i + reach, low);
    if (to == from) continue;
    const double slope = (smooth[to] - smooth[from]) / std::log10(rates[to] / rates[from]);
    if (slope < s.slope) {
      s.slope = slope;
      s.steepest = rates[i];
    }
  }
  return s;
}

}  // namespace basin::apps
