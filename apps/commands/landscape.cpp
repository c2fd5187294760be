// `basin landscape`: the loss over a line or a plane through the space of weights.
#include <algorithm>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/config/device.h"
#include "apps/lab/answer.h"
#include "apps/lab/landscape/choose_slice.h"
#include "apps/lab/landscape/landscape_answer.h"
#include "apps/runs/lab_directory.h"
#include "apps/runs/run_config.h"
#include "core/io/directory.h"
#include "core/io/hash.h"

namespace basin::apps {
namespace {

constexpr std::size_t kMostRuns = 32;

/// "sam" of runs/sam/, and "sam-2" where it is the second of that name.
std::string label_of(const std::string& run, const std::vector<std::string>& before) {
  const std::string name = run.empty() ? "weights" : last_name(run);
  std::string label = name;
  for (int number = 2; std::find(before.begin(), before.end(), label) != before.end(); ++number)
    label = text(name, "-", number);
  return label;
}

/// One picture's subject.
struct Sitter {
  std::string label{};
  Subject subject{};
  std::vector<NamedWeights> weights{};  // that its slice is of
  std::shared_ptr<const data::ExampleSource> test{}, recomputed{};
};

class LandscapeCall : public Call {
 public:
  void options(OptionTable& t) override {
    add(t, config_);
    subject_.images = 1000;
    add(t, subject_);
    add(t, answer_);
    add(t, output_);
    add_progress(t, output_);
  }

  std::string build_on(OptionTable& table, const std::vector<std::string>& words) override {
    for (const std::string& word : words)
      if (!word.empty()) runs_.push_back(word);
    return build_on_run(table, subject_, words.front());
  }

  void check(const OptionTable& table, const std::vector<std::string>&) override {
    apps::check(table, subject_);
    dir_given_ = table.by_flag("data-dir")->source >= Source::environment;
    for (const char* flag : {"model", "data"})
      if (runs_.size() > 1 && table.by_flag(flag)->source == Source::flag)
        throw UsageError("--", flag, " is for one subject; ", runs_.size(), " runs have their own");
  }

  std::string settled(const OptionTable& table) override {
    config_.spans();
    const bool plane = config_.directions == Directions::plane;
    if (config_.statistics == StatisticsAt::interpolated && !plane)
      throw UsageError("--bn interpolated needs solutions to lie between: it is for --directions plane");
    if (subject_.batch_norm == nn::Mode::train && table.by_flag("bn")->source == Source::flag)
      throw UsageError("--bn is of running statistics, which --batch-norm train does without");
    if (config_.directions == Directions::pca && runs_.empty())
      throw UsageError("--directions pca is of a RUN's training, not of a file of weights");
    if (!config_.solutions.empty() && runs_.size() > 1)
      throw UsageError("--solutions are of one RUN; several runs are the solutions themselves");
    if (!config_.vectors.empty() && runs_.size() > 1)
      throw UsageError("--vectors are of one RUN, here are ", runs_.size());
    if (config_.test && subject_.split == Split::test)
      throw UsageError("--split test measures the test images already, without --test");
    return "";
  }

  ExitCode run(Terminal& terminal) override {
    apply(subject_.device);
    return resumable(terminal, [&] { return work(terminal); });
  }

 private:
  /// One for each run; a single one of all for a plane.
  std::vector<Sitter> open(Terminal& terminal) const {
    const bool plane = config_.directions == Directions::plane;
    std::vector<NamedWeights> solutions;
    if (plane) solutions = plane_solutions(runs_, subject_.weights, config_.solutions);
    std::vector<Sitter> all;
    std::vector<std::string> labels;
    for (std::size_t k = 0; k < std::max<std::size_t>(runs_.size(), 1) && !(plane && k > 0); ++k) {
      const SubjectConfig config = config_of(k);
      Sitter sitter{.label = plane ? "plane" : label_of(config.run, labels),
                    .subject = open_subject(config, terminal)};
      if (plane) sitter.weights = solutions;
      if (config_.directions == Directions::pca) sitter.weights = trajectory_of(config.run);
      const auto some_of = [&](Split split) {
        return examples_at_most(sitter.subject.run.data, split, config.images, config.seed);
      };
      if (config_.test) sitter.test = some_of(Split::test);
      if (config_.statistics == StatisticsAt::recomputed && config.batch_norm == nn::Mode::eval)
        sitter.recomputed = some_of(Split::train);
      labels.push_back(sitter.label);
      all.push_back(std::move(sitter));
    }
    return all;
  }

  /// What is measured of run number k: its own data and model, and what the call says.
  SubjectConfig config_of(std::size_t k) const {
    SubjectConfig config = subject_;
    if (k == 0) return config;
    config.run = runs_[k];
    const TrainConfig trained = read_run_config(config.run);
    config.model = trained.model;
    config.data = trained.data;
    config.data.workers = subject_.data.workers;
    if (dir_given_) config.data.dir = subject_.data.dir;
    return config;
  }

  Json question(const std::vector<Sitter>& sitters) const {
    Json q = config_.question();
    q.set("seed", subject_.seed);
    if (!config_.vectors.empty()) q.set("vectors_sha256", sha256_file(config_.vectors));
    Json subjects = Json::Array{};
    for (const Sitter& sitter : sitters) {
      Json entry = Json::Object{{"label", sitter.label}, {"measured", sitter.subject.statement}};
      if (sitter.test) entry.set("test_images", sitter.test->size());
      if (sitter.recomputed) entry.set("statistics_of_images", sitter.recomputed->size());
      Json files = Json::Array{};
      for (const NamedWeights& one : sitter.weights)
        files.append(Json::Object{{"label", one.label}, {"sha256", sha256_file(one.file)}});
      if (!sitter.weights.empty()) entry.set("weights", files);
      subjects.append(entry);
    }
    return q.set("subjects", subjects);
  }

  ExitCode work(Terminal& terminal) {
    const LongWork work(terminal);
    std::vector<Sitter> sitters = open(terminal);
    const Answer answer(answer_, lab_directory(runs_.size() == 1 ? runs_.front() : ""), "landscape",
                        question(sitters));
    if (const Json* earlier = answer.earlier()) {
      show(sitters, *earlier, answer, terminal);
      return ExitCode::success;
    }
    UnitResults heights = answer.units("heights");
    std::vector<Surveyed> all;
    for (Sitter& sitter : sitters) all.push_back(survey_of(sitter, answer, heights, work));
    work.done();
    const Json result = to_json(all);
    answer.write(result, figures_of(all));
    show(sitters, result, answer, terminal);
    return ExitCode::success;
  }

  Surveyed survey_of(Sitter& sitter, const Answer& answer, UnitResults& heights, const LongWork& work) const {
    Subject& subject = sitter.subject;
    Surveyed one{.label = sitter.label, .test = sitter.test != nullptr};
    one.measured =
        text(grouped(subject.examples->size()), " ", subject.statement.at("split").string(), " images");
    one.slice = choose_slice(subject, config_, subject_.seed, sitter.weights,
                             {answer.path(), sitter.label, heights, work});
    const Grid grid = grid_of(one.slice.axes, config_.spans());
    const LongWork::Nested watch = work.nested("landscape of " + sitter.label, "points", "images");
    HeightsOf height(subject, sitter.test, sitter.recomputed, watch.within);
    one.landscape = survey(
        one.slice, grid, *subject.w, entries_of(*subject.run.model).buffers, [&] { return height(); },
        heights, sitter.label + ": ", watch.pieces);
    const auto places =
        std::ssize(one.landscape.heights) + std::ssize(one.landscape.marks) + one.slice.centred;
    one.passes = places * height.passes();
    return one;
  }

  void show(const std::vector<Sitter>& sitters, const Json& result, const Answer& answer,
            Terminal& terminal) const {
    std::vector<std::string> said;
    for (const Sitter& sitter : sitters) {
      const std::string line = in_words(sitter.subject.statement);
      if (std::find(said.begin(), said.end(), line) == said.end()) terminal.result(line + "\n");
      said.push_back(line);
    }
    terminal.result(config_.in_words() + "\n\n");
    terminal.result(table_of(result).text(terminal.unicode()));
    if (!result.at("runs").array().front().at("marks").array().empty())
      terminal.result("\n" + marks_of(result).text(terminal.unicode()));
    answer.tell(result, terminal);
  }

  LandscapeConfig config_;
  SubjectConfig subject_;
  AnswerConfig answer_;
  std::vector<std::string> runs_;
  bool dir_given_ = false;
};

}  // namespace

Command landscape_command() {
  return {"landscape", "RUN [RUN ...] | --weights FILE [options]",
          "the loss over a line or a plane through the space of weights, as a picture", kMostRuns,
          make_call<LandscapeCall>};
}

}  // namespace basin::apps
