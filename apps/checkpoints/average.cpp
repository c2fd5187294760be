// The mean of the weights of several files.
#include <map>

#include "apps/checkpoints/checkpoint_tools.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/config/average.h"
#include "apps/config/run_length.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/run_data.h"
#include "apps/runs/run_config.h"
#include "apps/training/experiment.h"
#include "apps/weights/class_match.h"
#include "apps/weights/finite.h"
#include "apps/weights/weights.h"
#include "core/io/hash.h"
#include "nn/recalibration.h"

namespace basin::apps {
namespace {

/// (x_1 + ... + x_n) / n of each tensor. Whole numbers, which count batches, are those of the last.
class TensorMean {
 public:
  /// Errors: CheckpointError, saying that `path` has other tensors than the first file.
  void add(const std::string& path, const std::vector<ArchiveEntry>& tensors) {
    if (count_++ == 0) {
      for (const ArchiveEntry& t : tensors) sums_.push_back(t.tensor.to(Dtype::f64).clone());
      last_ = tensors;
      return;
    }
    if (tensors.size() != last_.size())
      throw CheckpointError("[ckpt] ", path, " has ", tensors.size(), " tensors, the first file ",
                            last_.size(), ": weights of another network");
    for (std::size_t k = 0; k < tensors.size(); ++k) {
      const ArchiveEntry& t = tensors[k];
      if (t.name != last_[k].name || t.tensor.shape() != last_[k].tensor.shape() ||
          t.tensor.dtype() != last_[k].tensor.dtype())
        throw CheckpointError("[ckpt] ", path, " has '", t.name, "' ", t.tensor.shape(),
                              " where the first file has '", last_[k].name, "' ", last_[k].tensor.shape(),
                              ": weights of another network");
      const Tensor numbers = t.tensor.to(Dtype::f64);
      auto* sum = sums_[k].mutable_data<double>();
      for (Index i = 0; i < numbers.elements(); ++i) sum[i] += numbers.data<double>()[i];
    }
    last_ = tensors;
  }

  std::vector<ArchiveEntry> mean() const {
    std::vector<ArchiveEntry> all = last_;
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (!is_floating(all[k].tensor.dtype())) continue;
      Tensor mean = sums_[k].clone();
      auto* x = mean.mutable_data<double>();
      for (Index i = 0; i < mean.elements(); ++i) x[i] /= static_cast<double>(count_);
      all[k].tensor = mean.to(all[k].tensor.dtype());
    }
    return all;
  }

 private:
  std::vector<Tensor> sums_;
  std::vector<ArchiveEntry> last_;
  int count_ = 0;
};

/// The weights in a file, under their plain names, in the order of those: of a checkpoint its model.
std::vector<ArchiveEntry> weights_in(const std::string& path) {
  constexpr std::string_view kModel = "model.";
  const WeightFile file(path);
  const bool checkpoint = file.metadata().count(kPositionKey) > 0;
  std::map<std::string, Tensor> tensors;
  for (const ArchiveTensor& t : file.tensors())
    if (!checkpoint || t.name.starts_with(kModel))
      tensors.emplace(checkpoint ? t.name.substr(kModel.size()) : t.name, file.read(t.name));
  std::vector<ArchiveEntry> all;
  for (const auto& [name, tensor] : tensors) all.push_back({.name = name, .tensor = tensor});
  return all;
}

bool has_running_statistics(const std::vector<ArchiveEntry>& tensors) {
  for (const ArchiveEntry& t : tensors)
    if (t.name.ends_with("running_mean")) return true;
  return false;
}

void write(const std::string& out, const std::vector<ArchiveEntry>& tensors, const Identity& identity) {
  if (const std::string bad = first_not_finite(tensors); !bad.empty())
    throw NumericalError("[ckpt] the mean of '", bad, "' is not finite: ", out, " is not written");
  write_archive(out, tensors, weight_metadata(identity));
}

/// The mean in the run's network, with statistics of its own. Returns how many images they are of.
std::int64_t write_recalibrated(const AverageFilesConfig& asked, const Identity& identity,
                                Terminal& terminal) {
  TrainConfig config = read_run_config(asked.run);
  apply(config.device);
  const RunData data = load_run_data(config.data, config.run.seed,
                                     {.watch = LongWork(terminal).parts(),
                                      .training = true,
                                      .normalisation = {identity.mean, identity.deviation}});
  terminal.repaint("");
  const auto model =
      build_model(config.model, data.set.image, data.set.classes(), config.run.seed, config.device.dtype);
  TensorMean mean;
  for (const std::string& path : asked.files) {
    load_weights(path, *model, {.wanted = identity_of(config.model, data.set)});
    mean.add(path, weight_entries(entries_of(*model)));
  }
  std::vector<ArchiveEntry> own = weight_entries(entries_of(*model));
  const std::vector<ArchiveEntry> means = mean.mean();
  for (std::size_t k = 0; k < own.size(); ++k) own[k].tensor.copy_from(means[k].tensor);
  std::int64_t images = 0;
  if (nn::needs_recalibration(*model) && config.model.norm_statistics == NormStatistics::batch) {
    EvaluationOptions options = evaluation_options(config);
    options.watch = LongWork(terminal).part("statistics", "images");
    const std::int64_t epochs = run_length(config.schedule, data.train->size()).epochs;
    images = recalibrate(*model, data.train, config.run.seed, epochs, config.average.recalibration, options);
    terminal.repaint("");
  }
  write(asked.out, weight_entries(entries_of(*model)), identity);
  return images;
}

}  // namespace

ExitCode average_files(const AverageFilesConfig& config, Terminal& terminal) {
  const Identity identity = common_identity(config.files);
  std::int64_t images = 0;
  if (!config.run.empty()) {
    images = write_recalibrated(config, identity, terminal);
  } else {
    TensorMean mean;
    for (const std::string& path : config.files) mean.add(path, weights_in(path));
    const std::vector<ArchiveEntry> tensors = mean.mean();
    write(config.out, tensors, identity);
    if (has_running_statistics(tensors))
      terminal.warn(
          "the running statistics of batch norm are the files' mean, which belongs to no one network's "
          "weights; --run DIR estimates them anew on the run's training images");
  }
  const std::string sha256 = sha256_file(config.out);
  terminal.result(text(config.out, ": the mean of ", config.files.size(), " files",
                       images > 0 ? text(", statistics of ", grouped(images), " images") : "", ", sha256 ",
                       sha256, "\n"));
  Json names = Json::Array{};
  for (const std::string& path : config.files) names.append(path);
  Json document;
  document.set("file", config.out).set("of", std::move(names)).set("sha256", sha256);
  terminal.result(document.set("recalibrated_on", images));
  return ExitCode::success;
}

}  // namespace basin::apps
