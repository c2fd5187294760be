// `basin hessian`: eigenvalues, trace and spectral density of the Hessian at trained weights.
#include "apps/lab/curvature/hessian.h"

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/config/device.h"
#include "apps/options/period.h"
#include "apps/report/tables.h"
#include "apps/runs/lab_directory.h"

namespace basin::apps {
namespace {

void show(const Subject& subject, const Json& result, const Answer& answer, Terminal& terminal) {
  terminal.result(in_words(subject.statement) + "\n");
  terminal.result(text("loss ", significant(recorded_number(result.at("loss")), 5), ", |gradient| ",
                       significant(recorded_number(result.at("gradient_norm")), 3), ", ",
                       grouped(result.at("parameters").integer()), " parameters, ",
                       grouped(result.at("products").integer()), " products\n"));
  for (const Figure& figure : figures_of_spectrum(result))
    if (const auto* table = std::get_if<FigureTable>(&figure.content))
      terminal.result("\n" + table_of(*table).text(terminal.unicode()));
  if (const Json* density = result.find("density")) {
    const DensityCurve curve = density_curve(result);
    std::string line = "\ndensity: eigenvalues between ";
    double low = 0, high = 0;
    for (const Json& start : density->at("starts").array()) {
      low = std::min(low, recorded_number(start.at("low")));
      high = std::max(high, recorded_number(start.at("high")));
    }
    terminal.result(text(line, significant(low, 4), " and ", significant(high, 4),
                         " (outermost nodes and their residuals); density.svg\n"));
  }
  answer.tell(result, terminal);
}

class HessianCall : public Call {
 public:
  HessianCall() { subject_.images = 1000; }

  void options(OptionTable& t) override {
    add(t, config_);
    add(t, subject_);
    add(t, answer_);
    add(t, output_);
    add_progress(t, output_);
  }

  std::string build_on(OptionTable& table, const std::vector<std::string>& words) override {
    return build_on_run(table, subject_, words.front());
  }

  void check(const OptionTable& table, const std::vector<std::string>&) override {
    apps::check(table, subject_);
  }

  std::string settled(const OptionTable&) override {
    apps::check(config_);
    return "";
  }

  ExitCode run(Terminal& terminal) override {
    apply(subject_.device);
    return resumable(terminal, [&] { return work(terminal); });
  }

 private:
  ExitCode work(Terminal& terminal) {
    const LongWork work(terminal);
    const Clock clock = steady_clock();
    const double begin = clock();
    Subject subject = open_subject(subject_, terminal);
    Json question = question_of(config_, subject_.seed);
    question.set("measured", subject.statement);
    const Answer answer(answer_, lab_directory(subject_.run), "hessian", question);
    Json result;
    if (const Json* earlier = answer.earlier()) {
      result = *earlier;
    } else {
      result = find_spectrum(config_, subject_.seed, subject, answer, work);
      answer.write(result, figures_of_spectrum(result));
      work.done();
      terminal.note(text("took ", duration_text(clock() - begin)));
    }
    show(subject, result, answer, terminal);
    const Json* converged = result.find("converged");
    if (converged && !converged->boolean())
      terminal.warn(text("not all eigenvalues have come to --tolerance within --most-products ",
                         config_.most_products, "; their residuals say how far they are"));
    return ExitCode::success;
  }

  HessianConfig config_;
  SubjectConfig subject_;
  AnswerConfig answer_;
};

}  // namespace

Command hessian_command() {
  return {"hessian", "[RUN] [options]", "eigenvalues, trace and density of the Hessian at trained weights", 1,
          make_call<HessianCall>};
}

}  // namespace basin::apps
