#include "apps/cli/long_work.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "apps/cli/format.h"
#include "apps/cli/signals.h"

namespace basin::apps {
namespace {

constexpr double kRepaintSeconds = 0.1, kFirstGuessSeconds = 3;

std::string reached(std::int64_t done, std::int64_t total, const std::string& unit) {
  return text(grouped(done), total > 0 ? " of " + grouped(total) : "", ' ', unit);
}

/// "interrupted (SIGINT)".
std::string interruption() {
  const char* name = interruption_name(interruption_exit_code());
  return name != nullptr ? name : "interrupted";
}

/// How far a work of pieces is, and how far it is within the piece at work.
class ProgressLine {
 public:
  ProgressLine(Terminal& terminal, Clock clock, std::string what, std::string unit, std::string unit_within)
      : terminal_(terminal),
        clock_(std::move(clock)),
        what_(std::move(what)),
        unit_(std::move(unit)),
        unit_within_(std::move(unit_within)) {}

  void tell(std::int64_t done, std::int64_t total) {
    done_ = done, total_ = total;
    within_ = of_within_ = 0;
    look();
  }

  void tell_within(std::int64_t done, std::int64_t total) {
    within_ = done, of_within_ = total;
    look();
  }

 private:
  void look() {
    if (interruption_requested()) {
      terminal_.repaint("");
      throw InterruptedError(text(what_, ": ", interruption(), " after ", reached(done_, total_, unit_)));
    }
    if (!terminal_.repaints()) return;
    const double now = clock_();
    if (!begin_) begin_ = now, begun_at_ = pieces();
    if (painted_ && now - *painted_ < kRepaintSeconds) return;
    painted_ = now;
    terminal_.repaint(text(what_, ": ", reached(done_, total_, unit_), inside(), left(now - *begin_)));
  }

  /// Pieces that are done, parts of one too.
  double pieces() const {
    const double part = of_within_ > 0 ? static_cast<double>(within_) / static_cast<double>(of_within_) : 0.0;
    return static_cast<double>(done_) + std::min(part, 1.0);
  }

  std::string inside() const {
    return within_ > 0 && within_ < of_within_ ? " and " + reached(within_, of_within_, unit_within_) : "";
  }

  std::string left(double seconds) const {
    const double made = pieces() - begun_at_, missing = static_cast<double>(total_) - pieces();
    if (seconds < kFirstGuessSeconds || made <= 0 || missing <= 0) return "";
    return ", " + duration_text(seconds / made * missing) + " left";
  }

  Terminal& terminal_;
  Clock clock_;
  std::string what_, unit_, unit_within_;
  std::int64_t done_ = 0, total_ = 0, within_ = 0, of_within_ = 0;
  std::optional<double> begin_{}, painted_{};
  double begun_at_ = 0;  // pieces() then: what earlier calls left is no measure of this one's speed
};

}  // namespace

InterruptedError::InterruptedError(const std::string& message)
    : Error(ExitCode{interruption_exit_code()}, message) {}

ExitCode interruptible(const std::function<ExitCode()>& body) {
  try {
    return body();
  } catch (const InterruptedError& signal) {
    return signal.code();
  }
}

ExitCode resumable(Terminal& terminal, const std::function<ExitCode()>& body) {
  return interruptible([&] {
    try {
      return body();
    } catch (const InterruptedError& signal) {
      terminal.note(text(signal.what(), "; the same call goes on from there"));
      throw;
    }
  });
}

data::Watch LongWork::part(const std::string& what, const std::string& unit) const {
  return nested(what, unit, "").pieces;
}

LongWork::Nested LongWork::nested(const std::string& what, const std::string& unit,
                                  const std::string& unit_within) const {
  const auto line = std::make_shared<ProgressLine>(terminal_, clock_, what, unit, unit_within);
  return {.pieces = [line](std::int64_t done, std::int64_t total) { line->tell(done, total); },
          .within = [line](std::int64_t done, std::int64_t total) { line->tell_within(done, total); }};
}

WatchMaker LongWork::parts() const {
  return [work = *this](const std::string& what, const std::string& unit) { return work.part(what, unit); };
}

void LongWork::begin(const std::string& line) const {
  if (interruption_requested()) {
    terminal_.repaint("");
    throw InterruptedError(interruption());
  }
  terminal_.repaint(line);
}

}  // namespace basin::apps
