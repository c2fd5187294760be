// `basin sharpness`: how much the loss rises around trained weights, and how steep it gets there.
#include "apps/lab/sharpness/sharpness.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/config/device.h"
#include "apps/config/sharpness.h"
#include "apps/lab/sharpness/flatness_check.h"
#include "apps/report/tables.h"
#include "apps/runs/lab_directory.h"

namespace basin::apps {
namespace {

Binding radii(std::vector<double>& field) { return numbers(field, above(0)); }

/// Sizes of micro-batches: whole numbers.
Binding sizes(std::vector<double>& field) {
  Binding binding = numbers(field, at_least(1));
  binding.allowed = "whole numbers >= 1 between commas";
  binding.assign = [&field, inner = binding.assign](const std::string& given) {
    const std::vector<double> before = field;
    inner(given);
    if (std::any_of(field.begin(), field.end(), [](double m) { return m != std::floor(m); })) {
      field = before;
      throw ValueError("is not a list of whole numbers");
    }
  };
  return binding;
}

/// Shapes of a ball. `outer` is none: it only says how long one step is.
NamesOf<optim::Scaling> balls() {
  NamesOf<optim::Scaling> names = scaling_names();
  std::erase_if(names, [](const auto& name) { return name.second == optim::Scaling::outer; });
  return names;
}

class SharpnessCall : public Call {
 public:
  SharpnessCall() { subject_.images = 1000; }

  void options(OptionTable& t) override {
    t.group("sharpness", "The neighbourhood and the search");
    t.add_call("rho", radii(q_.rho), "radii of the neighbourhood, measured one by one");
    t.add_call("p-norm", order(q_.ball.p), "norm in which the radius is measured: 2 or inf");
    t.add_call("scaling", choice(q_.ball.scaling, balls()),
               "shape of the neighbourhood; none: a ball; weights: ASAM's, scaled by |w|");
    t.add_call("eta", real(q_.ball.eta, at_least(0)), "small number added to |w|, see --scaling")
        .only_with("scaling", {"weights", "all", "segments"});
    t.add_call("steps", whole(q_.steps, 1, 1000),
               "steps of each ascent; 1: the estimates that SAM and GAM use");
    t.add_call("starts", whole(q_.starts, 1, 1000),
               "ascents: one from the gradient, the others from random points of the neighbourhood's rim");
    t.add_call("draws", whole(q_.draws, 0, 100'000), "random perturbations whose mean rise is measured");
    t.add_call("m", sizes(q_.m), "sizes of the micro-batches of m-sharpness, of which each climbs by itself");
    t.add_call("micro-batches", whole(q_.batches, 1, 1'000'000),
               "micro-batches of each size, drawn by --seed");
    t.add_call("first-order", toggle(q_.first_order),
               "measure R1 too, which takes products with the Hessian");
    t.add_call(
        "self-check", toggle(check_),
        "measure a quadratic whose flatness is known, in place of a run; exit code 7 where it differs");
    add(t, subject_);
    add(t, answer_);
    add(t, output_);
    add_progress(t, output_);
  }

  std::string build_on(OptionTable& table, const std::vector<std::string>& words) override {
    return check_ ? "" : build_on_run(table, subject_, words[0]);
  }

  void check(const OptionTable& table, const std::vector<std::string>&) override {
    apps::check(table, subject_);
    sizes_given_ = table.by_flag("m")->source != Source::standard;
  }

  std::string settled(const OptionTable&) override {
    if (q_.ball.p != 2 && !std::isinf(q_.ball.p))
      throw UsageError("--p-norm ", print_real(q_.ball.p), ": sharpness is measured for 2 and inf");
    return "";
  }

  ExitCode run(Terminal& terminal) override {
    if (check_) return check_flatness(terminal);
    return resumable(terminal, [&] { return measure_run(terminal); });
  }

 private:
  ExitCode measure_run(Terminal& terminal) {
    apply(subject_.device);
    const Subject subject = open_subject(subject_, terminal);
    settle_sizes(subject);
    Json question = to_json(q_);
    question.set("seed", subject_.seed).set("measured", subject.statement);
    const Answer answer(answer_, lab_directory(subject_.run), "sharpness", question);
    Json result;
    if (const Json* earlier = answer.earlier()) {
      result = *earlier;
    } else {
      UnitResults units = answer.units("measurements");
      const LongWork work(terminal);
      measure(subject, q_, units, work);
      work.done();
      result = summary(q_, units);
      answer.write(result, figures_of(q_, result));
    }
    show(subject.statement, result, answer, terminal);
    return ExitCode::success;
  }

  /// Sizes that were asked for must be there; of the usual ones those that are.
  void settle_sizes(const Subject& subject) {
    const auto images = static_cast<double>(subject.examples->size());
    for (const double m : q_.m) {
      if (sizes_given_ && m > images)
        throw UsageError("--m ", m, ": there are ", subject.examples->size(), " images (--images)");
    }
    std::erase_if(q_.m, [images](double m) { return m > images; });
  }

  void show(const Json& statement, const Json& result, const Answer& answer, Terminal& terminal) const {
    const Json& work = result.at("work");
    terminal.result(text(in_words(statement), "\nloss ", fixed(recorded_number(result.at("loss")), 6),
                         ", |g| ", significant(recorded_number(result.at("gradient_norm")), 4), "; ",
                         grouped(work.at("gradients").integer()), " gradients and ",
                         grouped(work.at("products").integer()), " products with the Hessian\n"));
    for (const Figure& figure : figures_of(q_, result)) {
      if (const auto* table = std::get_if<FigureTable>(&figure.content))
        terminal.result(text("\n", table->title, "\n", table_of(*table).text(terminal.unicode())));
    }
    answer.tell(result, terminal);
  }

  SharpnessQuestion q_;
  bool check_ = false, sizes_given_ = false;
  SubjectConfig subject_;
  AnswerConfig answer_;
};

}  // namespace

Command sharpness_command() {
  return {"sharpness", "RUN [options]", "how much the loss rises around trained weights, and how steeply", 1,
          make_call<SharpnessCall>};
}

}  // namespace basin::apps
