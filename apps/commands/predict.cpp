// `basin predict`: what trained weights say of pictures: classes with probabilities.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/config/device.h"
#include "apps/config/train_config.h"
#include "apps/evaluation/ensemble.h"
#include "apps/evaluation/picture_answers.h"
#include "apps/evaluation/picture_words.h"
#include "apps/lab/subject.h"
#include "apps/runs/members.h"
#include "apps/runs/run_config.h"
#include "apps/runs/weights_of_run.h"
#include "apps/training/loaded_run.h"
#include "apps/weights/class_match.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/npy.h"
#include "data/sets/picture_list.h"
#include "data/sets/pictures.h"

namespace basin::apps {
namespace {

enum class Asked { pictures, train, validation, test };

/// Weights of the run in `run`, or of `file`, are asked about `words` (see pictures_of()), or about a split
/// of the data.
struct PredictConfig {
  std::string run, file;         // one of the two
  std::string weights = "last";  // of the run: last, swa, ema, member:N, ensemble; or a file
  std::vector<std::string> words;
  Asked split = Asked::pictures;
  std::int64_t top = 5;
  std::string csv, logits, classes;  // files; empty for none
  TrainConfig wanted;                // data, model, device, batches
};

/// What was found: the answers, with the logits behind them.
struct Found {
  PictureAnswers answers{};
  Tensor logits{};  // f64 {N,K}
  Json seen{};      // how pictures are made images; null of a split, which its data set makes
};

Found of_pictures(const PredictConfig& config, const std::vector<std::string>& files, Terminal& terminal) {
  PicturesByWords named = pictures_of(config.words, std::cin);
  const std::vector<std::string> classes =
      config.classes.empty() ? std::vector<std::string>{} : data::read_class_names(config.classes);
  const Classifier network = open_classifier(config.wanted, files, classes, terminal);
  if (!named.class_names.empty()) {
    const Identity lists{
        .data = "the lists", .classes = std::ssize(named.class_names), .class_names = named.class_names};
    const ClassMatch match = match_classes(files.front(), network.identity, lists, "");
    for (data::GivenPicture& picture : named.pictures)
      if (picture.label >= 0) picture.label = match.place[static_cast<std::size_t>(picture.label)];
  }
  const auto source = std::make_shared<data::GivenPictures>(std::move(named.pictures), network.look);
  EvaluationOptions passes = evaluation_options(config.wanted);
  passes.watch = LongWork(terminal).part("predicting", "pictures");
  Found found{.answers = {.classes = network.names, .labels = source->labels()}};
  found.logits = logits_together(*network.model, files, source, network.identity.classes, passes).numbers;
  for (std::int64_t i = 0; i < source->size(); ++i) {
    found.answers.names.push_back(source->name(i));
    found.answers.errors.push_back(source->error_of(i));
  }
  found.seen.set("shorter_side", network.look.resize).set("size", network.look.size);
  found.seen.set("mean", recorded(network.look.mean)).set("deviation", recorded(network.look.deviation));
  return found;
}

Found of_split(const PredictConfig& config, const std::vector<std::string>& files, Terminal& terminal) {
  const Split split = config.split == Asked::train        ? Split::train
                      : config.split == Asked::validation ? Split::validation
                                                          : Split::test;
  const LoadedRun run = load_ensemble(config.wanted, files, terminal);
  const auto source = examples_of(run.data, split, 0, 0);
  Logits said = logits_together(*run.model, files, source, run.logits, run.passes("predicting", terminal));
  Found found{.answers = {.classes = run.logit_names(), .labels = std::move(said.labels)},
              .logits = std::move(said.numbers)};
  for (std::int64_t i = 0; i < source->size(); ++i) found.answers.names.push_back(source->name(i));
  found.answers.errors.resize(found.answers.names.size());
  return found;
}

/// Rows of pictures that could not be read become NaN. Returns whether all other numbers are finite.
bool blank_unreadable(Tensor& logits, const std::vector<std::string>& errors) {
  double* row = logits.mutable_data<double>();
  const Index classes = logits.size(1);
  bool finite = true;
  for (const std::string& error : errors) {
    for (Index k = 0; k < classes; ++k) {
      if (!error.empty()) row[k] = std::numeric_limits<double>::quiet_NaN();
      finite = finite && (!error.empty() || !std::isnan(row[k]));
    }
    row += classes;
  }
  return finite;
}

class PredictCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("weights", "Whose weights");
    t.add_call(
        "weights", free_text(config_.weights, "WHICH", "last, swa, ema, member:N, ensemble or a file"),
        "which weights of RUN: last, swa, ema, member:N, or ensemble (the mean of the probabilities of "
        "all its members); or a file");
    t.add_call("classes", free_text(config_.classes, "FILE", "a file"),
               "what the classes are called, a name a line, in place of what the weights say");
    t.group("pictures", "Of which pictures (those of IMAGES, or a split)");
    t.add_call("split",
               choice(config_.split, {{"none", Asked::pictures},
                                      {"train", Asked::train},
                                      {"validation", Asked::validation},
                                      {"test", Asked::test}}),
               "in place of IMAGES the images of that split of the data, not augmented");
    t.group("answers", "What is told of each");
    t.add_call("top", whole(config_.top, 1, 1'000'000'000), "the N most probable classes, at most all");
    t.add_call(
        "csv", free_text(config_.csv, "FILE", "a file"),
        "also write file,label,rank,class,probability,error as CSV; -: on stdout, in the table's place");
    t.add_call("logits", free_text(config_.logits, "FILE", "a file"),
               "also write the logits as NumPy's .npy, f64 {pictures,classes}: of an ensemble the logarithms "
               "of its probabilities, of a picture that cannot be read NaN");
    add_evaluated(t, config_.wanted, "pictures");
    add(t, output_);
    add_progress(t, output_);
  }

  std::string build_on(OptionTable& table, const std::vector<std::string>& words) override {
    if (words.empty())
      throw UsageError("nothing to predict with: name a RUN's directory or a FILE of weights");
    if (kind_of_file(words[0]) != FileKind::regular) {
      config_.run = words[0];
      take_from_run(table, config_.run);
      return config_.run;
    }
    config_.file = words[0];
    take_from_file(table, config_.file);
    return "";
  }

  void check(const OptionTable& table, const std::vector<std::string>& words) override {
    config_.words.assign(words.begin() + 1, words.end());
    const bool split = config_.split != Asked::pictures;
    if (config_.words.empty() && !split)
      throw UsageError("nothing to predict: name pictures, folders, lists or - (stdin) behind ", words[0],
                       ", or give --split test");
    if (split && !config_.words.empty())
      throw UsageError("--split takes the images of the data, not ", quote(config_.words[0]), " too");
    if (split && !config_.classes.empty())
      throw UsageError("--classes names classes of IMAGES; those of a split are the data's");
    if (config_.file.empty()) return;
    if (table.by_flag("weights")->source == Source::flag)
      throw UsageError("--weights is of a RUN, ", config_.file, " is a file of weights itself");
    for (const char* flag : {"model", "data"})
      if (table.by_flag(flag)->source == Source::standard)
        throw UsageError(config_.file,
                         " does not say of what network and images it is: give --model NAME and "
                         "--data NAME (folder: pictures as ImageNet's are seen)");
  }

  std::string settled(const OptionTable&) override {
    if (config_.csv == "-" && output_.json)
      throw UsageError("--csv - and --json exclude each other: both are stdout");
    return "";
  }

  ExitCode run(Terminal& terminal) override {
    apply(config_.wanted.device);
    return interruptible([&] { return predict(terminal); });
  }

 private:
  /// What a file of Basin's says of its network, below everything else.
  static void take_from_file(OptionTable& table, const std::string& file) {
    const Identity said = identity_in(WeightFile(file).metadata());
    const auto take = [&](const char* flag, const std::string& value) {
      Option& option = *table.by_flag(flag);
      const std::vector<std::string>& choices = option.binding.choices;
      if (value.empty()) return;
      if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) return;
      table.assign(option, value, Source::file, file);
    };
    take("model", said.model);
    take("shortcut", said.shortcut);
    take("data", said.data);
    if (data::is_picture_set(said.data) && said.image.rank() == 3 && said.image[0] == said.image[1])
      take("image-size", std::to_string(said.image[0]));
  }

  std::vector<std::string> weight_files() const {
    if (!config_.file.empty()) return {config_.file};
    if (config_.weights == "ensemble") return list_members(config_.run);
    return {weights_file("predict", config_.run, config_.weights)};
  }

  ExitCode predict(Terminal& terminal) const {
    const Clock clock = steady_clock();
    const double begin = clock();
    const std::vector<std::string> files = weight_files();
    Found found = config_.split == Asked::pictures ? of_pictures(config_, files, terminal)
                                                   : of_split(config_, files, terminal);
    terminal.repaint("");
    PictureAnswers& answers = found.answers;
    const bool finite = blank_unreadable(found.logits, answers.errors);
    answers.probabilities = probabilities_of(found.logits);
    answers.top = config_.top;
    if (!config_.logits.empty()) write_npy(config_.logits, found.logits);
    if (!config_.csv.empty() && config_.csv != "-") write_file_atomically(config_.csv, csv_of(answers));
    show(found, files, clock() - begin, terminal);
    if (!finite)
      throw NumericalError("[predict] ", files.front(),
                           " gives numbers that are not finite: the weights are, what they make of these "
                           "images is not");
    return answers.unreadable() == 0 ? ExitCode::success : ExitCode::data;
  }

  void show(const Found& found, const std::vector<std::string>& files, double seconds,
            Terminal& terminal) const {
    const PictureAnswers& answers = found.answers;
    for (const std::string& error : answers.errors)
      if (!error.empty()) terminal.warn(error);
    terminal.result(config_.csv == "-" ? csv_of(answers) : table_of(answers).text(terminal.unicode()));
    const std::string speed = fixed(ratio(static_cast<double>(answers.size()), seconds), 0);
    const std::string whose =
        files.size() == 1 ? files.front() : text(files.size(), " members of ", config_.run);
    const std::int64_t unreadable = answers.unreadable();
    terminal.note(text(grouped(answers.size()), " pictures by ", whose, ", ", speed, " a second",
                       unreadable > 0 ? text("; ", unreadable, " could not be read") : ""));
    const auto [known, right] = counted_right(answers);
    if (known > 0)
      terminal.note(text("top-1 is the label of ", grouped(right), " of ", grouped(known), ": ",
                         percent(ratio(static_cast<double>(right), static_cast<double>(known)), 2), " %"));
    Json document, used = Json::Array{};
    for (const std::string& file : files) used.append(file);
    document.set("weights", std::move(used)).set("model", config_.wanted.model.name);
    document.set("images", answers.size()).set("unreadable", unreadable);
    if (known > 0) document.set("labelled", known).set("correct", right);
    if (found.seen.is_object()) document.set("preprocessing", found.seen);
    document.set("seconds", seconds).set("pictures", to_json(answers));
    terminal.result(document);
  }

  PredictConfig config_;
};

}  // namespace

Command predict_command() {
  return {"predict", "RUN|FILE [IMAGES...] [options]",
          "what trained weights say of pictures: classes with probabilities", kAnyNumberOfWords,
          make_call<PredictCall>};
}

}  // namespace basin::apps
