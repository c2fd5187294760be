#include "optim/update/muon.h"

#include <algorithm>
#include <cmath>

#include "optim/update/rule_support.h"

namespace basin::optim {
namespace {

/// Above every singular value, and so every number, that Newton-Schulz ends with.
constexpr double kLargest = 1.3;

bool is_linear(const Segment& s) {
  return s.role == ParameterRole::weight && s.layout == ParameterLayout::plain && s.shape.rank() == 2;
}

/// The segment of the head: the last linear layer's weight. -1: there is none.
std::ptrdiff_t head_of(const std::vector<Segment>& segments) {
  std::ptrdiff_t head = -1;
  for (std::size_t i = 0; i < segments.size(); ++i)
    if (is_linear(segments[i])) head = static_cast<std::ptrdiff_t>(i);
  return head;
}

}  // namespace

Tensor orthogonal(const Tensor& u, int iterations) {
  Tensor x = u * (1 / (norm(u) + 1e-7));
  const bool tall = u.shape()[0] > u.shape()[1];
  for (int i = 0; i < iterations; ++i) {
    const Tensor a = tall ? matmul(x, x, true, false) : matmul(x, x, false, true);
    Tensor b = matmul(a, a);
    axpby(-4.7750, a, 2.0315, b);
    Tensor then = tall ? matmul(x, b) : matmul(b, x);
    axpby(3.4445, x, 1, then);
    x = then;
  }
  return x;
}

Muon::Muon(const ParameterVector& w, const MuonOptions& options)
    : options_(options), m_(zeros_like(w)), v_(zeros_like(w)), step_(Tensor::zeros({}, Dtype::i64)) {
  check_factor("muon", "momentum", options.momentum);
  if (options.iterations < 1)
    throw ArgumentError("[muon] iterations must be at least 1, got ", options.iterations);
  check_factor("muon", "beta1", options.beta1);
  check_factor("muon", "beta2", options.beta2);
  check_eps("muon", options.eps, w.dtype());
  check_weight_decay("muon", options.weight_decay);

  const std::vector<Segment>& segments = w.segments();
  const std::ptrdiff_t head = head_of(segments);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& s = segments[i];
    Part part{.begin = s.offset, .end = s.offset + s.shape.elements(), .decays = s.decay};
    const bool convolution = s.layout == ParameterLayout::convolution;
    if (convolution || (is_linear(s) && static_cast<std::ptrdiff_t>(i) != head)) {
      // {KH,KW,I,O} in memory: the matrix lies transposed, which orthogonal() does not mind.
      const Index out = s.shape[convolution ? 3 : 0], in = s.shape.elements() / out;
      part.matrix = convolution ? Shape{in, out} : Shape{out, in};
      const double rows = static_cast<double>(out), columns = static_cast<double>(in);
      part.scale = options.scale == MuonScale::shape ? std::sqrt(std::max(1.0, rows / columns))
                                                     : 0.2 * std::sqrt(std::max(rows, columns));
    } else if (!parts_.empty() && parts_.back().matrix.rank() == 0) {
      parts_.back().end = part.end;
      continue;
    }
    parts_.push_back(part);
  }
}

std::int64_t Muon::matrices() const {
  return std::count_if(parts_.begin(), parts_.end(), [](const Part& p) { return p.matrix.rank() == 2; });
}

void Muon::step_matrix(const Part& part, Tensor w, const Tensor& direction, const Scalar& lr) {
  const double mu = options_.momentum;
  Tensor m = m_.slice_rows(part.begin, part.end);
  axpby(1 - mu, direction, mu, m);
  const Tensor u = options_.nesterov ? combination(1 - mu, direction, mu, m) : m;
  const Tensor step = orthogonal(u.reshape(part.matrix), options_.iterations).reshape(w.shape());
  const double decay = part.decays ? options_.weight_decay : 0;
  axpby(-part.scale * lr, step, decay > 0 ? 1 - decay * lr : Scalar(1), w);
}

void Muon::step(ParameterVector& w, const Tensor& direction, const StepInfo& now) {
  const AdamStep adamw{.beta1 = options_.beta1,
                       .beta2 = options_.beta2,
                       .eps = options_.eps,
                       .coupled_decay = 0,
                       .decoupled_decay = options_.weight_decay};
  const UpdateNumbers numbers = numbers_of(now, step_);
  const Tensor values = target(w, now.lr);
  for (const Part& part : parts_) {
    const auto of = [&part](const Tensor& x) { return x.slice_rows(part.begin, part.end); };
    if (part.matrix.rank() == 2) {
      step_matrix(part, of(values), of(direction), numbers.lr);
      continue;
    }
    Tensor there = of(values), m = of(m_), v = of(v_), mask;
    if (mask_of(w)) mask = of(*mask_of(w));
    backend_of(there, Work::optimizer)
        ->update(adamw, numbers, {of(direction), mask.defined() ? &mask : nullptr, there, {&m, &v}});
  }
  count(now, step_);
}

std::vector<Tensor*> Muon::state() { return {&m_, &v_}; }

UpdateRule::Bounds Muon::after(const Bounds& before, double direction, double lr) const {
  const MuonOptions& o = options_;
  const double t = static_cast<double>(step_.data<std::int64_t>()[0] + 1);
  const double m = before.state[0] + direction, v = o.beta2 * before.state[1] + direction * direction;
  double step = m / (1 - std::pow(o.beta1, t)) / rounded(o.eps, v_.dtype());
  for (const Part& part : parts_) step = std::max(step, part.scale * kLargest);
  Bounds then;
  then.state = {m, v};
  then.weight = before.weight + lr * (step + o.weight_decay * before.weight);
  then.peak = direction + m + v + then.weight;
  return then;
}

void Muon::describe(Inventory& it) {
  it.buffer("m", m_);
  it.buffer("v", v_);
  it.buffer("step", step_);
}

}  // namespace basin::optim
