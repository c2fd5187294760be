// `basin bench conv` and `basin bench ops`: the speed of kernels beside what the machine could do at best.
#include <algorithm>

#include "apps/bench/bench.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"
#include "apps/options/period.h"
#include "autograd/recording.h"
#include "core/conv_algorithm.h"
#include "core/cpu/backend.h"
#include "core/cpu/conv/peak.h"
#include "core/cpu/conv/winograd/winograd.h"
#include "core/cpu/simd/instruction_set.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "nn/initializers.h"
#include "nn/models/registry.h"

namespace basin::apps {
namespace {

Tensor numbers(const Shape& shape) { return nn::Initializer(1).normal(shape, 0, 1); }

/// For a result of t's shape.
Tensor room_for(const Tensor& t) { return Tensor::zeros(t.shape()); }

/// Seconds of one call. Short calls are repeated, so that the clock's own cost does not show.
double seconds_of(const std::function<void()>& run) {
  constexpr double kEnough = 0.002;
  const Clock clock = steady_clock();
  for (int repeats = 1;; repeats *= 2) {
    const double begin = clock();
    for (int i = 0; i < repeats; ++i) run();
    const double took = clock() - begin;
    if (took >= kEnough) return took / repeats;
  }
}

/// A kernel's seconds, and its rate over the machine's, measured right after it in every round.
struct Figure {
  Spread seconds, share;
};

Figure measure(std::int64_t rounds, double work, double (*best)(), const std::function<void()>& run) {
  run();
  std::vector<double> seconds, shares;
  for (std::int64_t round = 0; round < rounds; ++round) {
    seconds.push_back(seconds_of(run));
    shares.push_back(work / seconds.back() / best());
  }
  return {spread(seconds), spread(shares)};
}

// ---- convolutions ----

/// A convolution and how often a forward pass of the model runs it.
struct Layer {
  ConvGeometry geometry;
  int count = 0;
};

bool same_work(const ConvGeometry& a, const ConvGeometry& b) {
  return a.x_shape() == b.x_shape() && a.w_shape() == b.w_shape() && a.y_shape() == b.y_shape() &&
         a.stride_h == b.stride_h && a.stride_w == b.stride_w && a.pad_h == b.pad_h && a.pad_w == b.pad_w &&
         a.groups == b.groups;
}

/// The CPU's backend while it stands, which hands on each forward convolution's geometry.
class WithConvolutionsSeen {
 public:
  explicit WithConvolutionsSeen(std::function<void(const ConvGeometry&)> seen)
      : before_(backend()), watched_(std::move(seen)) {
    install_backend({}, watched_);
  }
  ~WithConvolutionsSeen() { install_backend({}, before_); }
  WithConvolutionsSeen(const WithConvolutionsSeen&) = delete;
  WithConvolutionsSeen& operator=(const WithConvolutionsSeen&) = delete;

 private:
  struct Watched final : cpu::CpuBackend {
    explicit Watched(std::function<void(const ConvGeometry&)> s) : seen(std::move(s)) {}
    void conv2d(const ConvCall& call, const Tensor& x, const Tensor& w, Tensor& y) override {
      seen(call.geometry);
      cpu::CpuBackend::conv2d(call, x, w, y);
    }
    std::function<void(const ConvGeometry&)> seen;
  };

  Backend& before_;
  Watched watched_;
};

std::vector<Layer> layers_of(const BenchConfig& config) {
  const auto model = nn::make_model({.name = config.model.name,
                                     .height = config.image_size,
                                     .width = config.image_size,
                                     .shortcut = config.model.shortcut,
                                     .blank = true});
  std::vector<Layer> layers;
  const WithConvolutionsSeen seen([&](const ConvGeometry& g) {
    ConvGeometry batched = g;
    batched.batch = config.batch_size;
    const auto known = std::find_if(layers.begin(), layers.end(),
                                    [&](const Layer& layer) { return same_work(layer.geometry, batched); });
    if (known == layers.end())
      layers.push_back({batched, 1});
    else
      ++known->count;
  });
  const NoRecording off;
  nn::Context ctx = nn::Context::evaluation();
  (*model)(Variable(Tensor::zeros({1, config.image_size, config.image_size, 3})), ctx);
  if (layers.empty()) throw UsageError("bench conv: ", config.model.name, " has no convolution");
  return layers;
}

std::string describe(const ConvGeometry& g) {
  std::string name =
      text(g.kernel_h, "x", g.kernel_w, " ", g.in_c, " to ", g.out_c, " @ ", g.in_h, "x", g.in_w);
  if (g.stride_h > 1) name += text(", stride ", g.stride_h);
  if (g.groups > 1) name += text(", groups ", g.groups);
  return name;
}

}  // namespace

ExitCode bench_conv(const BenchConfig& config, Terminal& terminal) {
  const LongWork work(terminal);
  Table table({{.title = "convolution", .left = true},
               {.title = "times"},
               {.title = "algorithm", .left = true},
               {.title = "forward GF/s"},
               {.title = "% of peak"},
               {.title = "input grad GF/s"},
               {.title = "% of peak"},
               {.title = "weight grad GF/s"},
               {.title = "% of peak"},
               {.title = "ms in all"}});
  Json list = Json::Array{};
  for (const Layer& layer : layers_of(config)) {
    const ConvGeometry& g = layer.geometry;
    const Tensor x = numbers(g.x_shape()), w = numbers(g.w_shape()), dy = numbers(g.y_shape());
    Tensor y = room_for(dy), dx = room_for(x), dw = room_for(w);
    const double flop =
        2.0 * static_cast<double>(g.y_shape().elements() * g.kernel_h * g.kernel_w * (g.in_c / g.groups));
    for (const ConvAlgorithm algorithm :
         {ConvAlgorithm::direct, ConvAlgorithm::winograd2, ConvAlgorithm::winograd4}) {
      if (algorithm != ConvAlgorithm::direct && !cpu::winograd_tile(algorithm, g)) continue;
      work.begin(text(describe(g), ", ", name_of(algorithm)));
      const WithConvAlgorithm with(algorithm);
      const Figure figures[] = {
          measure(config.rounds, flop, cpu::multiply_add_peak, [&] { backend().conv2d({g}, x, w, y); }),
          measure(config.rounds, flop, cpu::multiply_add_peak,
                  [&] { backend().conv2d_input_grad(g, dy, w, dx); }),
          measure(config.rounds, flop, cpu::multiply_add_peak,
                  [&] { backend().conv2d_weight_grad({g}, x, dy, dw); })};
      std::vector<std::string> cells{describe(g), std::to_string(layer.count), name_of(algorithm)};
      Json entry;
      entry.set("convolution", describe(g)).set("times", layer.count).set("algorithm", name_of(algorithm));
      const char* passes[] = {"forward", "input_grad", "weight_grad"};
      double all = 0;
      for (std::size_t i = 0; i < std::size(figures); ++i) {
        const double seconds = figures[i].seconds.median;
        cells.push_back(fixed(1e-9 * flop / seconds, 0));
        cells.push_back(percent(figures[i].share.median, 0));
        entry.set(passes[i], Json::Object{{"seconds", seconds},
                                          {"flop_per_second", flop / seconds},
                                          {"of_peak", figures[i].share.median}});
        all += layer.count * seconds;
      }
      cells.push_back(fixed(1e3 * all, 1));
      table.add(std::move(cells));
      list.append(entry);
    }
  }
  work.done();
  const double peak = cpu::multiply_add_peak();
  terminal.result(table.text(terminal.unicode()));
  terminal.result(text("\n", config.model.name, ", batch ", config.batch_size, ", ", thread_count(),
                       " threads, ", cpu::instruction_set(), ": ", fixed(1e-9 * peak, 0),
                       " GF/s of fused multiply-adds at best, measured in turns; medians of ", config.rounds,
                       " rounds. GF/s by the definition's count, so Winograd's may exceed the peak\n"));
  Json document;
  document.set("model", config.model.name).set("batch_size", config.batch_size);
  document.set("threads", thread_count()).set("kernels", cpu::instruction_set()).set("peak", peak);
  document.set("rounds", config.rounds).set("convolutions", list);
  terminal.result(document);
  return ExitCode::success;
}

// ---- all other kernels ----

namespace {

struct Kernel {
  std::string name;
  Shape shape;
  double bytes = 0, flop = 0;  // one of them: what limits it
  std::function<void()> run;
};

void add_norm(std::vector<Kernel>& all, const Shape& shape) {
  const Index channels = shape[shape.rank() - 1];
  const Tensor x = numbers(shape), dy = numbers(shape), residual = numbers(shape);
  const Tensor gamma = numbers({channels}), beta = numbers({channels}), mean = numbers({channels});
  const Tensor inv_std = Tensor::full({channels}, 1);
  const auto size = 4.0 * static_cast<double>(shape.elements());
  all.push_back({"moments", shape, size, 0, [=]() mutable {
                   Tensor m = room_for(mean), v = room_for(mean);
                   backend().moments(x, m, v);
                 }});
  const auto forward = [=](bool with_residual) {
    return [=, y = room_for(x)]() mutable {
      backend().batch_norm({x, gamma, beta, mean, inv_std, with_residual ? &residual : nullptr, true}, y);
    };
  };
  all.push_back({"batch_norm + relu", shape, 2 * size, 0, forward(false)});
  all.push_back({"batch_norm + residual + relu", shape, 3 * size, 0, forward(true)});
  all.push_back({"batch_norm_grad of relu", shape, 5 * size, 0,
                 [=, dx = room_for(x), dg = room_for(gamma), db = room_for(gamma)]() mutable {
                   backend().batch_norm_grad({x, gamma, beta, mean, inv_std, dy, true, nullptr, true}, dx, dg,
                                             db, nullptr);
                 }});
}

void add_elementwise(std::vector<Kernel>& all, const Shape& shape) {
  const Tensor x = numbers(shape), z = numbers(shape);
  const auto size = 4.0 * static_cast<double>(shape.elements());
  for (const auto& [name, op] :
       {std::pair("relu", UnaryOp::relu), {"gelu", UnaryOp::gelu}, {"exp", UnaryOp::exp}})
    all.push_back({name, shape, 2 * size, 0,
                   [=, op = op, y = room_for(x)]() mutable { backend().unary(op, x, 0, 0, y); }});
  for (const auto& [name, op] : {std::pair("add", BinaryOp::add), {"gelu_grad", BinaryOp::gelu_grad}})
    all.push_back({name, shape, 3 * size, 0,
                   [=, op = op, y = room_for(x)]() mutable { backend().binary(op, x, z, y); }});
}

void add_matmul(std::vector<Kernel>& all, const char* form, Index m, Index n, Index k) {
  const bool ta = form[0] == 'T', tb = form[1] == 'T';
  const Tensor a = numbers(ta ? Shape{k, m} : Shape{m, k}), b = numbers(tb ? Shape{n, k} : Shape{k, n});
  all.push_back({text("matmul ", form),
                 {m, n, k},
                 0,
                 2.0 * static_cast<double>(m * n * k),
                 [=, c = Tensor::empty({m, n})]() mutable {
                   backend().matmul({.m = m, .n = n, .k = k, .transpose_a = ta, .transpose_b = tb}, a, b, c);
                 }});
}

void add_flat(std::vector<Kernel>& all, Index size) {
  const Tensor g = numbers({size});
  const double bytes = 4.0 * static_cast<double>(size);
  Tensor w = numbers({size}), v = numbers({size});
  all.push_back({"dot", {size}, 2 * bytes, 0, [=] { backend().dot(g, w); }});
  all.push_back({"axpby", {size}, 3 * bytes, 0, [=]() mutable { backend().axpby(0.1, g, 0.9, v); }});
  all.push_back({"sgd_step", {size}, 5 * bytes, 0, [=]() mutable {
                   const SgdStep step{
                       .momentum = 0.9, .dampening = 0, .weight_decay = 5e-4, .nesterov = false};
                   backend().update(step, {.lr = 1e-9, .made = 1}, {g, nullptr, w, {&v}});
                 }});
}

std::vector<Kernel> kernels_of(Index batch) {
  std::vector<Kernel> all;
  for (const Shape& shape : {Shape{batch, 32, 32, 16}, Shape{batch, 8, 8, 64}, Shape{batch, 32, 32, 64}}) {
    add_elementwise(all, shape);
    add_norm(all, shape);
  }
  const Tensor logits = numbers({batch, 1000});
  all.push_back({"log_softmax", logits.shape(), 8.0 * static_cast<double>(logits.elements()), 0,
                 [=, y = room_for(logits)]() mutable { backend().log_softmax(logits, y); }});
  const Tensor image = numbers({batch, 32, 32, 16});
  all.push_back({"mean over pixels", image.shape(), 4.0 * static_cast<double>(image.elements()), 0, [=] {
                   mean(image, {1, 2});
                 }});
  // Linear layers of a ViT with 65 tokens of 192 channels, forward and both gradients, and one attention
  // head.
  add_matmul(all, "NN", 65 * batch, 576, 192);
  add_matmul(all, "NT", 65 * batch, 192, 768);
  add_matmul(all, "TN", 192, 768, 65 * batch);
  add_matmul(all, "NN", 1024, 1024, 1024);
  add_matmul(all, "NT", 65, 65, 64);
  for (const Index size : {Index{270'000}, Index{11'200'000}}) add_flat(all, size);
  return all;
}

}  // namespace

ExitCode bench_ops(const BenchConfig& config, Terminal& terminal) {
  const LongWork work(terminal);
  Table table({{.title = "kernel", .left = true},
               {.title = "shape", .left = true},
               {.title = "ms"},
               {.title = "range"},
               {.title = "GB/s"},
               {.title = "GF/s"},
               {.title = "% of best"}});
  Json list = Json::Array{};
  for (const Kernel& kernel : kernels_of(config.batch_size)) {
    work.begin(text(kernel.name, " ", kernel.shape));
    const bool counts_flop = kernel.flop > 0;
    const double amount = counts_flop ? kernel.flop : kernel.bytes;
    const Figure f = measure(config.rounds, amount,
                             counts_flop ? cpu::multiply_add_peak : cpu::copy_bandwidth, kernel.run);
    const std::string rate = fixed(1e-9 * amount / f.seconds.median, 1);
    table.add({kernel.name, text(kernel.shape), fixed(1e3 * f.seconds.median, 3),
               fixed(1e3 * f.seconds.low, 3) + " to " + fixed(1e3 * f.seconds.high, 3),
               counts_flop ? "" : rate, counts_flop ? rate : "", percent(f.share.median, 0)});
    Json entry;
    entry.set("kernel", kernel.name).set("shape", text(kernel.shape)).set("seconds", f.seconds.median);
    entry.set("seconds_low", f.seconds.low).set("seconds_high", f.seconds.high);
    entry.set(counts_flop ? "flop_per_second" : "bytes_per_second", amount / f.seconds.median);
    entry.set("of_best", f.share.median);
    list.append(entry);
  }
  work.done();
  terminal.result(table.text(terminal.unicode()));
  terminal.result(text("\n", thread_count(), " threads, ", cpu::instruction_set(), ", medians of ",
                       config.rounds,
                       " rounds; best: a copy beyond the caches (numbers in them move faster) or fused "
                       "multiply-adds in registers, measured in turns\n"));
  Json document;
  document.set("batch_size", config.batch_size).set("threads", thread_count());
  document.set("kernels", cpu::instruction_set()).set("rounds", config.rounds).set("ops", list);
  terminal.result(document);
  return ExitCode::success;
}

}  // namespace basin::apps
