// Which numbers the line shows, and what goes first when it is too long.
#include "apps/training/progress.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/format.h"

namespace basin::apps {

namespace {

constexpr double kRepaintSeconds = 0.1;

}  // namespace

std::string fitted(const std::vector<std::pair<std::string, int>>& fields, int width) {
  std::vector<std::pair<std::string, int>> kept = fields;
  while (true) {
    std::string line;
    for (const auto& [text, rank] : kept) line += (line.empty() ? "" : "  ") + text;
    if (columns(line) <= width || kept.size() <= 1) {
      // Even one field may be too long for a very narrow terminal: it is cut between characters.
      while (columns(line) > width) {
        while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) line.pop_back();
        if (!line.empty()) line.pop_back();
      }
      return line;
    }
    kept.erase(std::max_element(kept.begin(), kept.end(),
                                [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
}

std::string bar(double fraction, int width, bool unicode) {
  const int filled = static_cast<int>(std::lround(std::clamp(fraction, 0.0, 1.0) * width));
  std::string out;
  for (int i = 0; i < width; ++i) out += i < filled ? (unicode ? "━" : "#") : (unicode ? "─" : "-");
  return out;
}

Progress::Progress(Terminal& terminal, const ProgressPlan& plan, Clock clock)
    : terminal_(terminal),
      plan_(plan),
      clock_(std::move(clock)),
      log_timer_(terminal.output().log_every, plan.steps_per_epoch, clock_),
      first_step_(plan.first_step),
      begin_(clock_()) {}

void Progress::step(const StepRecord& record) {
  if (record.epoch != epoch_) {
    epoch_ = record.epoch;
    sums_ = {};
  }
  sums_.add(record);
  if (!terminal_.output().progress) return;
  if (terminal_.repaints()) {
    const double now = clock_();
    if (painted_ >= 0 && now - painted_ < kRepaintSeconds) return;
    painted_ = now;
    // The last column stays free: some terminals wrap when it is written.
    terminal_.repaint(line(record, terminal_.width() - 1, true));
  } else if (log_timer_.due(record.step)) {
    terminal_.note(line(record, 1000, false));
  }
}

void Progress::clear() {
  terminal_.repaint("");
  painted_ = -1;
}

std::string Progress::line(const StepRecord& record, int width, bool with_bar) const {
  const std::int64_t before = (record.epoch - 1) * plan_.steps_per_epoch;
  const double fraction = static_cast<double>(record.step - before) /
                          static_cast<double>(std::min(plan_.steps_per_epoch, plan_.total_steps - before));
  const EpochRecord mean = sums_.record(record.epoch, record.step);
  // Elapsed time per step covers evaluations and checkpoints, so that the remaining time does too.
  const double per_step =
      (clock_() - begin_) / static_cast<double>(std::max<std::int64_t>(1, record.step - first_step_));
  const double remaining = per_step * static_cast<double>(plan_.total_steps - record.step);

  const std::string epochs = std::to_string(plan_.epochs);
  std::vector<std::pair<std::string, int>> fields;
  fields.emplace_back("epoch " + padded_left(std::to_string(record.epoch), columns(epochs)) + "/" + epochs,
                      0);
  if (with_bar) fields.emplace_back(bar(fraction, 14, terminal_.unicode()), 8);
  fields.emplace_back(padded_left(percent(fraction, 0), 3) + "%", 1);
  if (!with_bar) fields.emplace_back("step " + std::to_string(record.step), 5);
  fields.emplace_back("loss " + fixed(mean.train_loss, 4), 2);
  if (mean.train_loss_perturbed) {
    fields.emplace_back(
        (terminal_.unicode() ? "loss(w+ε) " : "loss(w+e) ") + fixed(*mean.train_loss_perturbed, 4), 6);
  }
  fields.emplace_back("acc " + percent(mean.train_accuracy, 1), 3);
  fields.emplace_back("|g| " + significant(record.gradient_norm, 3), 9);
  if (record.perturbed_norm) fields.emplace_back("|g_s| " + significant(*record.perturbed_norm, 3), 13);
  if (record.perturbed_norm) fields.emplace_back("cos " + fixed(record.cosine, 3), 12);
  if (record.passes > 1) fields.emplace_back(std::to_string(record.passes) + " passes", 14);
  if (sums_.skipped > 0) fields.emplace_back(std::to_string(sums_.skipped) + " skipped", 1);
  fields.emplace_back("lr " + significant(record.lr, 3), 7);
  fields.emplace_back(fixed(mean.images_per_second, mean.images_per_second < 100 ? 1 : 0) + " img/s", 5);
  fields.emplace_back("data " + percent(mean.data_wait, 0) + "%", 10);
  fields.emplace_back("eta " + duration_text(remaining), 4);
  return fitted(fields, width);
}

}  // namespace basin::apps
