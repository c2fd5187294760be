#include "optim/gradient/micro_batches.h"

#include <algorithm>
#include <string>

#include "core/ops.h"
#include "optim/buffer_guard.h"

namespace basin::optim {
namespace {

/// sum += share * x, where sum may not be there yet.
void add(double share, const Tensor& x, Tensor& sum) {
  if (!sum.defined())
    sum = unary(UnaryOp::mul_scalar, x, share);
  else
    axpby(share, x, 1, sum);
}

/// What stands for the mean of a batch whose parts stop at one that failed: what made it fail, else nothing.
Scalar of_no_batch(const Scalar& part) { return select(is_finite(part), kNotMeasured, part); }

}  // namespace

MicroBatches::MicroBatches(const Make& make, std::int64_t m, std::int64_t most_rows) : m_(m) {
  if (m < 1 || most_rows < 1)
    throw ArgumentError("[micro-batches] needs m and rows of at least 1, got ", m, " and ", most_rows);
  for (std::int64_t begin = 0; begin < most_rows; begin += m) parts_.push_back(make());
}

Direction MicroBatches::form(const Objective& objective, ParameterVector& w, const StepInfo& now) {
  const auto most = static_cast<std::int64_t>(parts_.size()) * m_;
  if (now.rows < 1 || now.rows > most)
    throw ArgumentError("[micro-batches] made for 1 to ", most, " rows, the step has ", now.rows);

  BufferGuard states(entries_of(*this).buffers);
  StepReport all;
  all.loss = all.perturbed_loss = all.perturbed_norm = 0;
  Tensor mean, mean_g;
  for (std::int64_t begin = 0; begin < now.rows; begin += m_) {
    const std::int64_t end = std::min(begin + m_, now.rows);
    const double share = static_cast<double>(end - begin) / static_cast<double>(now.rows);
    Tensor g;
    const Objective part = [&](Request request) {
      request.begin = begin;
      request.end = end;
      Evaluation e = objective(request);
      if (request.pass == Pass::first) g = e.gradient;
      return e;
    };
    StepInfo here = now;
    here.rows = end - begin;
    const Direction d = parts_[static_cast<std::size_t>(begin / m_)]->direction(part, w, here);
    const StepReport& r = d.report;
    all.passes = std::max(all.passes, r.passes);
    all.correct += r.correct;
    all.rows += r.rows;
    all.loss += share * r.loss;
    all.perturbed_loss += share * r.perturbed_loss;
    all.perturbed_norm += share * r.perturbed_norm;
    all.rho = r.rho;
    all.failed_pass = select(both(all.finite, opposite(r.finite)), r.failed_pass, all.failed_pass);
    all.finite = both(all.finite, r.finite);
    if (!possibly(r.finite)) {
      all.rows = now.rows;
      all.loss = of_no_batch(r.loss);
      all.perturbed_loss = of_no_batch(r.perturbed_loss);
      all.perturbed_norm = of_no_batch(r.perturbed_norm);
      return {{}, all};
    }
    add(share, d.vector, mean);
    add(share, g, mean_g);
  }
  all.gradient_norm = norm(mean_g);
  Direction d = along(mean, mean_g, all);
  states.settle(d.report.finite);
  return d;
}

/// Those of the parts, each with its length before it.
Sequence MicroBatches::sequence(const StepInfo& now) const {
  std::vector<std::int64_t> all{now.rows};
  for (const auto& part : parts_) {
    const Sequence its = part->sequence(now);
    if (!its) return {};
    all.push_back(static_cast<std::int64_t>(its->size()));
    all.insert(all.end(), its->begin(), its->end());
  }
  return all;
}

void MicroBatches::describe(Inventory& it) {
  for (std::size_t i = 0; i < parts_.size(); ++i) it.child(std::to_string(i), *parts_[i]);
}

}  // namespace basin::optim
