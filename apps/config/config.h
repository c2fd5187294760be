// The typed configuration of each subcommand: filled in from the option tables (apps/config/option_tables.h),
// read by the commands (apps/commands/commands.h). The initial values here are the defaults that --help
// shows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/ops/ops.h"
#include "core/conv_algorithm.h"
#include "core/device.h"
#include "core/dtype.h"
#include "data/loading/label_noise.h"
#include "data/sets/image_folder.h"
#include "nn/models/registry.h"
#include "nn/recalibration.h"
#include "optim/averages/average.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam.h"
#include "optim/schedule/schedule.h"

namespace basin::apps {

/// A recurring moment of a run: every `count` steps, epochs (0.1 epochs is allowed) or seconds; never if
/// count is 0.
struct Period {
  enum class Unit { steps, epochs, seconds };
  double count = 0;
  Unit unit = Unit::epochs;
  bool never() const { return count == 0; }
  bool operator==(const Period&) const = default;
};

enum class CropPadding { zero, reflect };
enum class HeldOutFrom { drawn, end };
enum class DataCheck { fast, full };
enum class NormStatistics { batch, frozen };
enum class Optimizer { sgd, adam, adamw, rmsprop, lion };
enum class Decay { all, weights };
enum class DecayIn { update, loss };
enum class Sharpness { none, sam, asam, gsam, gnp, fsam, looksam, msam, gam };
enum class Micro { none, own, shared };
enum class MicroNorm { own, batch };
enum class Average { none, swa, ema };
enum class CollectAt { epoch, step, cycle };
enum class EnsembleKind { none, snapshot, fge };

struct DataConfig {
  std::string name = "cifar10";
  std::string dir;              // empty: the data set's usual places
  std::int64_t limit = 0;       // the first so many training images; 0: all
  std::int64_t subset = 0;      // then so many drawn, classes balanced; 0: all
  std::int64_t validation = 0;  // then so many held out; 0: none
  HeldOutFrom validation_from = HeldOutFrom::drawn;
  double label_noise = 0;  // share of the remaining training images
  data::NoiseTarget noise_target = data::NoiseTarget::other_classes;
  std::uint64_t seed = 0;         // of these draws; apart from the run's, so that runs share their data
  std::string augment = "basic";  // a list that data::parse_augmentation() reads
  CropPadding crop_padding = CropPadding::zero;
  std::int64_t image_size = 224;  // of a picture set: height and width
  data::BadImages bad_images = data::BadImages::fail;
  DataCheck check = DataCheck::fast;         // how far the content of pictures is known, see LoadPlan
  std::string train_shards = "train-*.tar";  // of a webdataset, see data::find_shards()
  std::string test_shards;                   // the same; empty: test-*.tar or val-*.tar
  std::int64_t workers = 2;                  // 0: batches are prepared by the training thread
};

struct ModelConfig {
  std::string name = "resnet20";
  nn::Shortcut shortcut = nn::Shortcut::a;  // of the CIFAR ResNets
  std::string init;                         // safetensors file; empty: random
  bool ignore_head = false;                 // of that file: the last layer stays random
  std::string freeze;                       // patterns between commas: parameters that do not train
  NormStatistics norm_statistics = NormStatistics::batch;
};

struct OptimizerConfig {
  Optimizer kind = Optimizer::sgd;
  double lr = 0.1;
  double momentum = 0.9;
  double dampening = 0;
  bool nesterov = false;
  double beta1 = 0.9, beta2 = 0.999;
  double adam_eps = 1e-8;
  double rms_alpha = 0.9;
  bool eps_inside_root = true;
  double weight_decay = 5e-4;
  Decay decay = Decay::all;
  DecayIn decay_in = DecayIn::update;
  double clip = 0;               // longest direction; 0: any
  std::int64_t skip_limit = 10;  // steps in a row that may be skipped
};

struct SharpnessConfig {
  Sharpness kind = Sharpness::none;
  double rho = 0.05;
  optim::RadiusKind rho_schedule = optim::RadiusKind::constant;
  double rho_end = 0;
  double rho_warmup_epochs = 0;
  double p_norm = 2;
  optim::Scaling scaling = optim::Scaling::none;
  double eta = 0.01;
  bool normalise = true;
  optim::Perturbed perturb = optim::Perturbed::all;
  std::string perturb_names;  // patterns between commas
  std::int64_t inner_steps = 1;
  double inner_step = 0;
  double alpha = 1;
  double sigma = 1, lambda = 0.9;
  optim::GamForm gam_form = optim::GamForm::paper;
  double rho_prime = 0.02;
  double gam_beta = 0.5, gam_gamma = 0.03;
  bool gam_with_sam = false;
  std::int64_t every = 1;
  double start = 0;  // epochs, or below 1 a fraction of the run
  Micro micro = Micro::none;
  std::int64_t micro_size = 32;
  MicroNorm micro_norm = MicroNorm::own;
};

struct ScheduleConfig {
  optim::ScheduleKind kind = optim::ScheduleKind::cosine;
  std::int64_t epochs = 30;
  std::int64_t steps = 0;  // of the run; 0: as many as the epochs have. See with_length()
  std::int64_t batch_size = 128;
  double warmup_epochs = 0;
  std::vector<double> milestones = {0.5, 0.75};  // as given; milestone_epochs() resolves fractions
  double gamma = 0.1;
  double min_lr = 0;
  std::int64_t cycles = 5;
  double cycle_epochs = 4;
  bool code_form = false;
  optim::OneCycle one_cycle;
};

struct AverageConfig {
  Average kind = Average::none;
  CollectAt at = CollectAt::epoch;
  std::int64_t every = 1;
  double start = 0.8;  // first epoch (1, 2, ...) that takes part, or below 1 a fraction of the run
  double ema_decay = 0.999;
  optim::EmaWarmup ema_warmup = optim::EmaWarmup::none;
  double swa_lr = 0.05;  // 0: the schedule's own
  double swa_anneal_epochs = 0;
  optim::Anneal swa_anneal = optim::Anneal::cosine;
  double swa_cycle_epochs = 0;
  double swa_high_lr = 0.1;
  bool recalibrate_last = false;
  nn::RecalibrationMode recalibration = nn::RecalibrationMode::pooled;
};

struct EnsembleConfig {
  EnsembleKind kind = EnsembleKind::none;
  double start = 0.8;  // fge: as AverageConfig::start
  double cycle_epochs = 2;
  double high_lr = 0.05, low_lr = 0.0005;
};

struct LossConfig {
  double label_smoothing = 0;
  Smoothing form = Smoothing::uniform;
};

struct RunConfig {
  std::string dir;   // --run, or the directory of --resume; empty: runs/NAME-NNN
  std::string name;  // empty: DATA-MODEL[-SHARPNESS], see run_name()
  std::uint64_t seed = 42;
  bool force = false;   // replace the run in `dir`
  bool resume = false;  // go on with the run in `dir`
  Period checkpoint_every{1, Period::Unit::epochs};
  std::int64_t keep = 2;              // checkpoints
  std::int64_t stop_after_steps = 0;  // of this call; 0: no limit
  std::int64_t max_seconds = 0;       // of this call; 0: no limit
  bool dry_run = false;
  std::vector<std::string> command;  // as called, for run.json
};

struct DeviceConfig {
  Device device;
  std::int64_t threads = 0;  // 0: every CPU this process may use
  Dtype dtype = Dtype::f32;
  ConvAlgorithm conv_algorithm = ConvAlgorithm::winograd4;
};

/// Makes the process's settings those of the configuration: threads, the arithmetic of convolutions. Errors:
/// UsageError for BASIN_ARCH; MemoryError for more threads than the system starts.
void apply(const DeviceConfig& device);

struct OutputConfig {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool progress = true;
  Period log_every{0.1, Period::Unit::epochs};
};

struct TrainConfig {
  DataConfig data;
  ModelConfig model;
  OptimizerConfig optimizer;
  SharpnessConfig sharpness;
  ScheduleConfig schedule;
  AverageConfig average;
  EnsembleConfig ensemble;
  LossConfig loss;
  RunConfig run;
  DeviceConfig device;
  OutputConfig output;
};

/// Evaluates `weights` or the members of `ensemble` if given, else the weights of the run in `run`, whose
/// config.toml then fills in data, model and device. Of `data`, only name, dir and workers count.
struct EvalConfig {
  std::string run;
  std::string weights;
  std::string ensemble;  // a run, or its members/
  DataConfig data;
  ModelConfig model;
  std::int64_t batch_size = 128;
  DeviceConfig device;
  OutputConfig output;
};

/// Writes weights to `out` for other programs: those of the run in `run`, whose config.toml then fills in
/// data and model, or those in a file. Of `data`, name and image size count: they tell the shape of an image,
/// where the file does not or `image_given`.
struct ExportConfig {
  std::string run;
  std::string weights = "last";  // last, swa, ema, member:N, or a file
  std::string out;
  std::string format = "auto";  // by the ending of `out`, or one of export_formats()
  DataConfig data;
  bool image_given = false;  // data.name or data.image_size is not the default
  ModelConfig model;
  OutputConfig output;
};

/// Describes this build and machine; with a target, a model by name or a file. With `models`, the list of
/// models.
struct InfoConfig {
  std::string target;
  bool models = false;
  DataConfig data;  // the name alone: whose image shape and classes a model's summary assumes
  ModelConfig model;
  OutputConfig output;
};

struct GradcheckConfig {
  std::string op;  // empty: every op
  std::int64_t order = 1;
  OutputConfig output;
};

/// Measures `what`: "rules", "step", "memory", "scaling", "conv" or "ops" (apps/bench/bench.h).
struct BenchConfig {
  std::string what;
  std::string rules;  // names between commas; empty: the subject's own choice
  ModelConfig model;
  std::int64_t image_size = 32;
  std::int64_t batch_size = 128;
  std::string augment = "none";  // of `step`, as in DataConfig; none: one batch, prepared beforehand
  std::int64_t workers = 2;
  std::int64_t rounds = 5;
  std::int64_t steps = 10;
  DeviceConfig device;
  OutputConfig output;
};

/// Looks at a data set: "verify" decodes every picture, "show" draws examples as a network sees them into a
/// PNG file, "get" fetches the set data.name from its publisher into data.dir.
struct DataToolConfig {
  std::string what;
  DataConfig data;
  std::uint64_t seed = 42;
  std::string out = "examples.png";
  std::int64_t count = 64;
  std::int64_t epoch = 0;
  std::int64_t epochs = 1;
  std::int64_t columns = 8;
  std::int64_t enlarge = 2;
  OutputConfig output;
};

/// Checks what no single option can: relations between options. Errors: UsageError.
void validate(const TrainConfig& config);

/// The configuration with schedule.epochs as schedule.steps has them: the last epoch may be a short one. As
/// it is if the run is counted in epochs. Errors: as validate() for what depends on the length of the run.
TrainConfig with_length(const TrainConfig& config, std::int64_t steps_per_epoch);

/// The configuration with --data-dir and --init as absolute paths: config.toml is read from other places too.
TrainConfig with_whole_paths(const TrainConfig& config);

/// Steps of the whole run.
std::int64_t total_steps(const TrainConfig& config, std::int64_t steps_per_epoch);

/// The epochs, rising, after which the step schedule lowers the rate: a milestone below 1 is a fraction of
/// the run.
std::vector<double> milestone_epochs(const ScheduleConfig& schedule);

/// A moment of the run as a first epoch 1, 2, ...: `start` itself, or below 1 the fraction of the run,
/// rounded up.
std::int64_t first_epoch(double start, std::int64_t epochs);

/// config.run.name, or what the run is about: cifar10-resnet20-sam, with -none left out.
std::string run_name(const TrainConfig& config);

/// The whole configuration as TOML: what --print-config prints and RUN/config.toml holds. Options that do not
/// apply (rho without SAM) and those that concern one call only (--run, --resume, --json) are left out.
std::string to_toml(const TrainConfig& config);

/// The part that decides the numbers a run computes: equal texts, equal weights. Its hash belongs in
/// checkpoints.
std::string recipe_toml(const TrainConfig& config);

}  // namespace basin::apps
