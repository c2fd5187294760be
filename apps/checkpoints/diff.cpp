// Two files of tensors, compared tensor by tensor.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "apps/checkpoints/checkpoint_tools.h"
#include "apps/cli/format.h"
#include "apps/cli/table.h"
#include "apps/runs/checkpoint.h"
#include "apps/weights/findings.h"
#include "apps/weights/weight_file.h"
#include "core/io/directory.h"

namespace basin::apps {
namespace {

struct Difference {
  double largest = 0;        // |a - b|; infinite where one alone is a NaN or an infinity
  Index at = 0;              // its place, counted through the tensor
  double a = 0, b = 0;       // the numbers there
  double relative = 0;       // |a - b| / |a|, of norms
  std::int64_t numbers = 0;  // whose bits differ
};

Difference difference_of(const Tensor& a, const Tensor& b) {
  Difference d;
  const Tensor x = a.to(Dtype::f64), y = b.to(Dtype::f64);
  const auto* p = x.data<double>();
  const auto* q = y.data<double>();
  const std::size_t size = size_of(a.dtype());
  double squares = 0, of_difference = 0;
  for (Index i = 0; i < a.elements(); ++i) {
    const auto offset = static_cast<std::size_t>(i) * size;
    squares += p[i] * p[i];
    if (std::memcmp(a.raw() + offset, b.raw() + offset, size) == 0) continue;
    const double apart =
        std::isfinite(p[i] - q[i]) ? std::abs(p[i] - q[i]) : std::numeric_limits<double>::infinity();
    of_difference += apart * apart;
    if (d.numbers++ == 0 || apart > d.largest) {
      d.largest = apart;
      d.at = i;
      d.a = p[i];
      d.b = q[i];
    }
  }
  d.relative = d.numbers == 0 ? 0 : std::sqrt(of_difference / squares);
  return d;
}

std::string newest_in(const std::string& path, Terminal& terminal) {
  if (kind_of_file(path) != FileKind::directory) return path;
  const auto warn = [&](const std::string& line) { terminal.warn(line); };
  return load_newest_checkpoint(path, warn).archive.path();
}

class Comparison {
 public:
  Comparison(const WeightFile& a, const WeightFile& b, double tolerance)
      : a_(a), b_(b), tolerance_(tolerance) {}

  void compare(Table& table, Json& rows) {
    std::set<std::string> theirs;
    for (const ArchiveTensor& t : b_.tensors()) theirs.insert(t.name);
    for (const ArchiveTensor& t : a_.tensors()) {
      if (theirs.erase(t.name) == 0)
        only_first_.add(t.name);
      else if (const ArchiveTensor& u = b_.at(t.name); t.shape != u.shape || t.dtype != u.dtype)
        other_kind_.add(
            text(t.name, " (", in_words(t.dtype, t.shape), " and ", in_words(u.dtype, u.shape), ')'));
      else
        compare(t, table, rows);
    }
    for (const std::string& name : theirs) only_second_.add(name);
  }

  std::string misfits() const {
    return only_first_.line("only in the first") + only_second_.line("only in the second") +
           other_kind_.line("of another kind");
  }
  std::int64_t tensors() const { return tensors_; }
  std::int64_t different() const { return different_; }
  double largest() const { return largest_; }
  bool equal() const { return misfits().empty() && beyond_ == 0; }

 private:
  void compare(const ArchiveTensor& t, Table& table, Json& rows) {
    ++tensors_;
    const Difference d = difference_of(a_.read(t.name), b_.read(t.name));
    if (d.numbers == 0) return;
    ++different_;
    beyond_ += tolerance_ == 0 || d.largest > tolerance_;
    largest_ = std::max(largest_, d.largest);
    table.add({t.name, text(t.shape), grouped(d.numbers), significant(d.largest, 4), std::to_string(d.at),
               significant(d.a, 8), significant(d.b, 8), significant(d.relative, 3)});
    Json row;
    row.set("tensor", t.name).set("numbers", d.numbers).set("largest", recorded(d.largest)).set("at", d.at);
    row.set("first", recorded(d.a)).set("second", recorded(d.b)).set("relative", recorded(d.relative));
    rows.append(std::move(row));
  }

  const WeightFile &a_, &b_;
  double tolerance_;
  Findings only_first_, only_second_, other_kind_;
  std::int64_t tensors_ = 0, different_ = 0, beyond_ = 0;
  double largest_ = 0;
};

}  // namespace

ExitCode diff_files(const std::string& first, const std::string& second, double tolerance,
                    Terminal& terminal) {
  const WeightFile a(newest_in(first, terminal)), b(newest_in(second, terminal));
  Table table({{.title = "tensor", .left = true},
               {.title = "shape", .left = true},
               {.title = "numbers that differ"},
               {.title = "largest"},
               {.title = "at"},
               {.title = "first"},
               {.title = "second"},
               {.title = "relative"}});
  Json rows = Json::Array{};
  Comparison comparison(a, b, tolerance);
  comparison.compare(table, rows);
  if (comparison.different() > 0) terminal.result(table.text(terminal.unicode()) + "\n");
  const std::string misfits = comparison.misfits();
  const std::string beside = a.metadata() == b.metadata() ? "" : "; the texts beside the tensors differ";
  terminal.result(text(a.path(), " and ", b.path(), ": ", comparison.tensors(), " tensors compared, ",
                       comparison.different() == 0 ? "every bit equal"
                                                   : text(comparison.different(), " differ, by at most ",
                                                          significant(comparison.largest(), 4)),
                       misfits, beside, "\n"));
  Json document;
  document.set("first", a.path()).set("second", b.path()).set("compared", comparison.tensors());
  document.set("largest", recorded(comparison.largest())).set("different", std::move(rows));
  document.set("misfits", misfits.empty() ? "" : misfits.substr(2)).set("metadata_equal", beside.empty());
  terminal.result(document.set("equal", comparison.equal()));
  return comparison.equal() ? ExitCode::success : ExitCode::check_failed;
}

}  // namespace basin::apps
