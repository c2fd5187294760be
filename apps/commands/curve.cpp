// `basin curve`: the loss between two solutions, along the line and along a curve that is trained to be low.
#include <algorithm>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/config/data.h"
#include "apps/config/device.h"
#include "apps/lab/answer.h"
#include "apps/lab/curve/aligned.h"
#include "apps/lab/curve/curve_figures.h"
#include "apps/lab/curve/curve_points.h"
#include "apps/lab/curve/curve_training.h"
#include "apps/lab/landscape/landscape_config.h"
#include "apps/report/tables.h"
#include "apps/runs/lab_directory.h"
#include "apps/runs/run_config.h"
#include "apps/runs/weights_of_run.h"
#include "apps/weights/weights.h"
#include "core/io/directory.h"
#include "core/io/hash.h"
#include "core/ops.h"

namespace basin::apps {
namespace {

const NamesOf<CurveKind>& kind_names() {
  static const NamesOf<CurveKind> names = {
      {"line", CurveKind::line}, {"bezier", CurveKind::bezier}, {"chain", CurveKind::chain}};
  return names;
}

struct CurveConfig {
  SubjectConfig subject;  // A
  std::string other;      // B: a run or a file
  std::string to = "last";
  CurveKind kind = CurveKind::bezier;
  std::int64_t bends = 1;
  std::int64_t points = 61;
  StatisticsAt statistics = StatisticsAt::recomputed;
  bool align = false;
  CurveTrainingConfig training;
  AnswerConfig answer;
};

/// Else it is a file of weights.
bool is_run(const std::string& path) {
  return kind_of_file(path) != FileKind::regular && !path.ends_with(".safetensors") &&
         !path.ends_with(".npz");
}

/// What else than the subject's examples is looked at.
struct CurveImages {
  std::shared_ptr<const data::ExampleSource> test{};        // null where the subject's are these
  std::shared_ptr<const data::ExampleSource> statistics{};  // that running statistics are recomputed from
};

/// --images of each split, or all.
CurveImages images_for(const Subject& subject, const SubjectConfig& config) {
  const auto some_of = [&](Split split) {
    return examples_at_most(subject.run.data, split, config.images, config.seed);
  };
  CurveImages images{.statistics = some_of(Split::train)};
  if (config.split != Split::test) images.test = some_of(Split::test);
  return images;
}

/// The computation of one call.
class CurveStudy {
 public:
  CurveStudy(const CurveConfig& config, Subject& subject, const CurveImages& images, Solution a, Solution b,
             const Answer& answer, Terminal& terminal)
      : config_(config),
        subject_(subject),
        images_(images),
        a_(std::move(a)),
        b_(std::move(b)),
        answer_(answer),
        work_(terminal) {}

  Json run() {
    result_.set("split", subject_.statement.at("split"))
        .set("batch_norm", name_of(statistics_names(), config_.statistics));
    result_.set("distance", distance(a_.w, b_.w));
    paths_.push_back(
        {"line", "line", ModeCurve(CurveKind::line, {a_.w, b_.w}), {a_.statistics, b_.statistics}});
    if (config_.align) align();
    if (config_.kind != CurveKind::line) train();
    measure();
    return result_;
  }

 private:
  static double distance(const Tensor& a, const Tensor& b) { return norm(a - b); }

  void align() {
    const Aligned found =
        aligned(subject_, a_, b_, config_.subject.seed, work_.part("matching channels", "classes"));
    const MatchingReport& m = found.matching;
    result_.set("alignment", Json::Object{{"classes", found.classes},
                                          {"rounds", m.rounds},
                                          {"assignments", m.assignments},
                                          {"inner_product_before", m.before},
                                          {"inner_product_after", m.after},
                                          {"distance_after", distance(a_.w, found.solution.w)}});
    b_ = found.solution;
    paths_.push_back({"line_aligned",
                      "line, B aligned",
                      ModeCurve(CurveKind::line, {a_.w, b_.w}),
                      {a_.statistics, b_.statistics}});
    put(b_, subject_);
    save("aligned.safetensors");
  }

  void train() {
    fit_ = std::make_unique<CurveFit>(config_.kind, a_.w, b_.w, static_cast<std::size_t>(config_.bends),
                                      config_.training.momentum);
    const CurveTrainingRecord record =
        train_curve(*fit_, subject_, config_.training, answer_.file("training.safetensors"),
                    work_.part("training the curve", "steps"));
    result_.set("training", Json::Object{{"steps", record.steps},
                                         {"images", record.images},
                                         {"epoch_losses", recorded(record.epoch_losses)}});
    CurvePath path{name_of(kind_names(), config_.kind),
                   text(config_.kind == CurveKind::bezier ? "Bezier curve" : "chain",
                        config_.align ? ", B aligned" : ""),
                   fit_->curve(),
                   {a_.statistics}};
    for (std::size_t j = 1; j <= fit_->bends(); ++j) {
      put({"", path.curve.points()[j], a_.statistics}, subject_);
      recompute_statistics(subject_, images_.statistics, work_.part("batch norm of a bend", "images"));
      save(text("bend-", j, ".safetensors"));
      path.statistics.push_back(solution_in(subject_, "").statistics);
    }
    path.statistics.push_back(b_.statistics);
    paths_.push_back(std::move(path));
  }

  void measure() {
    const std::vector<double> t = equally_spaced(static_cast<int>(config_.points));
    std::vector<std::string> names;
    for (const CurvePath& path : paths_)
      for (std::size_t i = 0; i < t.size(); ++i) names.push_back(text(path.name, " ", i));
    UnitResults units = answer_.units("points");
    std::size_t next = 0;
    const LongWork::Nested watch = work_.nested("measuring curves", "points", "images");
    const bool recomputed =
        config_.statistics == StatisticsAt::recomputed && config_.subject.batch_norm == nn::Mode::eval;
    HeightsOf height(subject_, images_.test, recomputed ? images_.statistics : nullptr, watch.within);
    const CurveMeasure at(subject_, height, config_.statistics);
    const auto compute = [&](const std::string& name) {
      while (names[next] != name) ++next;
      return at.at(paths_[next / t.size()], t[next % t.size()]);
    };
    units.complete(names, compute, watch.pieces);
    Json all = Json::Array{};
    for (const CurvePath& path : paths_) {
      std::vector<Json> measured;
      for (std::size_t i = 0; i < t.size(); ++i) measured.push_back(units.at(text(path.name, " ", i)));
      all.append(path_result(path, t, measured));
    }
    result_.set("passes", height.passes() * std::ssize(names)).set("paths", std::move(all));
  }

  /// What is in the model, as a file of weights.
  void save(const std::string& name) {
    Identity identity = identity_in(WeightFile(subject_.file).metadata());
    if (identity.model.empty()) identity = identity_of(subject_.run.config.model, subject_.run.data.set);
    save_weights(answer_.file(name), entries_of(*subject_.run.model), identity);
  }

  const CurveConfig& config_;
  Subject& subject_;
  const CurveImages& images_;
  Solution a_, b_;
  const Answer& answer_;
  LongWork work_;
  std::vector<CurvePath> paths_;
  std::unique_ptr<CurveFit> fit_;
  Json result_;
};

void show(const Json& statement, const std::string& a, const std::string& b, const Json& result,
          Terminal& terminal) {
  terminal.result(in_words(statement) + "\n");
  terminal.result(text("from A, ", a, ", to B, ", b,
                       ": |A - B| = ", significant(result.at("distance").number(), 4),
                       "; batch norm along the way ", result.at("batch_norm").string(), "\n"));
  if (const Json* m = result.find("alignment"))
    terminal.result(text("B's channels in A's order: |A - B| = ",
                         significant(m->at("distance_after").number(), 4), ", ", m->at("classes").integer(),
                         " classes of channels matched in ", m->at("rounds").integer(), " rounds\n"));
  if (const Json* training = result.find("training"))
    terminal.result(text("curve trained for ", grouped(training->at("steps").integer()), " steps\n"));
  terminal.result("\n" + table_of(barrier_table(result), /*left=*/2).text(terminal.unicode()));
  std::string line = "\nlengths: ";
  for (const Json& path : result.at("paths").array())
    line += text(line.ends_with(": ") ? "" : "; ", path.at("label").string(), " ",
                 significant(path.at("length").number(), 4));
  terminal.result(text(line, "; ", grouped(result.at("passes").integer()), " passes over the images\n"));
}

class CurveCall : public Call {
 public:
  void options(OptionTable& t) override {
    CurveConfig& c = config_;
    t.group("curve", "The curve");
    t.add_call("to", free_text(c.to, "WHICH", "last, swa, ema, lawa, member:N or a file"),
               "B's weights: of the second RUN, or without one of the first; or a file");
    t.add_call(
        "kind", choice(c.kind, kind_names()),
        "what leads from A to B besides the straight line; line: nothing; bezier, chain: a curve whose "
        "inner points are trained for a low loss along it");
    const auto of_curve = [&](const char* flag, Binding binding, const std::string& help) {
      t.add_call(flag, std::move(binding), help).only_with("kind", {"bezier", "chain"});
    };
    of_curve("bends", whole(c.bends, 1, 100), "inner points of the curve");
    t.add_call("points", whole(c.points, 2, 100'000), "places, equally spaced in t, that are measured");
    t.add_call(
        "bn", choice(c.statistics, statistics_names()),
        "what batch normalisation divides by along the way; recomputed: the statistics of the training "
        "images at each place; interpolated: those of the curve's points, mixed as these are; frozen: "
        "A's");
    t.add_call("align", toggle(c.align),
               "first put B's channels in the order of A's by matching weights (Git Re-Basin)");
    t.group("curve-training", "Training of the curve");
    CurveTrainingConfig& training = c.training;
    of_curve("epochs", whole(training.epochs, 1, 1'000'000),
             "passes over the training images, --batch-size of them a step");
    of_curve("steps", whole(training.steps, 0, 1'000'000'000), "steps, in place of --epochs; 0: by epochs");
    of_curve("lr", real(training.lr, at_least(0)),
             "learning rate; it stays for half the training, then falls to a hundredth at nine tenths");
    of_curve("momentum", real(training.momentum, below_one()), "of SGD on the inner points");
    of_curve("weight-decay", real(training.weight_decay, at_least(0)),
             "adds weight-decay |w|^2 / 2 of the point w on the curve to the loss of a step");
    of_curve("augment", augmentation(training.augment),
             "random changes to the images, as of `basin train`; by default the run's, none for files");
    c.subject.images = 2000;
    add(t, c.subject);
    add(t, c.answer);
    add(t, output_);
    add_progress(t, output_);
  }

  std::string build_on(OptionTable& table, const std::vector<std::string>& words) override {
    std::string first = words[0];
    if (!first.empty() && !is_run(first)) {
      if (table.by_flag("weights")->source == Source::flag)
        throw UsageError("--weights is of a RUN, and ", first, " is none");
      table.assign(*table.by_flag("weights"), first, Source::flag, "A");
      first.clear();
    }
    config_.other = words[1];
    if (config_.other.empty() && table.by_flag("to")->source == Source::standard)
      throw UsageError(
          "nothing to go to: name a second RUN or file of weights, or --to swa, ema, lawa, member:N of the "
          "first");
    build_on_run(table, config_.subject, first);
    if (!first.empty() && table.by_flag("augment")->source == Source::standard)
      config_.training.augment = read_run_config(first).data.augment;
    return first;
  }

  void check(const OptionTable& table, const std::vector<std::string>&) override {
    config_.training.seed = config_.subject.seed;
    apps::check(table, config_.subject);
    if (is_run(config_.other) || config_.other.empty()) return;
    if (table.by_flag("to")->source != Source::standard)
      throw UsageError("--to is of a RUN, and ", config_.other, " is none");
  }

  ExitCode run(Terminal& terminal) override {
    apply(config_.subject.device);
    return resumable(terminal, [&] { return work(terminal); });
  }

 private:
  ExitCode work(Terminal& terminal) {
    const std::string file = other_file();
    Subject subject = open_subject(config_.subject, terminal);
    Solution a = solution_in(subject, "A"), b = solution_of_file(subject, "B", file);
    const CurveImages images = images_for(subject, config_.subject);
    const bool within = !config_.subject.run.empty() && config_.other.empty();
    const Answer answer(config_.answer, lab_directory(within ? config_.subject.run : ""), "curve",
                        question(subject, images, file));
    const std::string state = answer.file("training.safetensors");
    if (config_.answer.again && kind_of_file(state) == FileKind::regular) remove_file(state);
    Json result;
    if (const Json* earlier = answer.earlier()) {
      result = *earlier;
    } else {
      result = CurveStudy(config_, subject, images, std::move(a), std::move(b), answer, terminal).run();
      terminal.repaint("");
      answer.write(result, curve_figures(result));
    }
    show(subject.statement, subject.file, file, result, terminal);
    answer.tell(result, terminal);
    return ExitCode::success;
  }

  std::string other_file() const {
    if (config_.other.empty()) return weights_file("curve", config_.subject.run, config_.to);
    return is_run(config_.other) ? weights_file("curve", config_.other, config_.to) : config_.other;
  }

  /// All that decides the answer.
  Json question(const Subject& subject, const CurveImages& images, const std::string& file) const {
    const CurveConfig& c = config_;
    Json q;
    q.set("kind", name_of(kind_names(), c.kind)).set("points", c.points);
    q.set("bn", name_of(statistics_names(), c.statistics)).set("align", c.align).set("seed", c.subject.seed);
    if (c.kind != CurveKind::line) {
      const CurveTrainingConfig& training = c.training;
      q.set("bends", c.bends);
      training.steps > 0 ? q.set("steps", training.steps) : q.set("epochs", training.epochs);
      q.set("lr", training.lr).set("momentum", training.momentum).set("weight_decay", training.weight_decay);
      q.set("augment", training.augment);
    }
    if (images.test) q.set("test_images", images.test->size());
    q.set("statistics_of_images", images.statistics->size());
    return q.set("a", subject.statement).set("b_sha256", sha256_file(file));
  }

  CurveConfig config_;
};

}  // namespace

Command curve_command() {
  return {"curve", "A [B] [options]", "the loss from one minimum to another: the line, a trained curve", 2,
          make_call<CurveCall>};
}

}  // namespace basin::apps
