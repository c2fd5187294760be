// What a Hessian-vector product costs over a gradient: ResNet-20, batch 128, made-up images, f32, in turns.
// Seconds by the wall and of the processor (threads that wait for each other spin: with 1 thread the latter
// is the work's own, whoever else is at the machine), the kinds of work they go to, and peak memory, of a
// process of its own. Usage: hessian_product [--threads 2] [--rounds 5] [--batch 128] [--mode train|eval]
// [--memory gradient|product]
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "apps/bench/work_timer.h"
#include "autograd/ops/ops.h"
#include "core/parallel.h"
#include "core/random.h"
#include "nn/models/registry.h"
#include "optim/objective.h"
#include "optim/parameter_vector.h"

using namespace basin;

namespace {

struct Times {
  double wall = 0, processor = 0;
};

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Body>
Times timed(Body body) {
  const auto begin = std::chrono::steady_clock::now();
  const double before = processor_seconds();
  body();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
          processor_seconds() - before};
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

class Work20 {
 public:
  Work20(Index batch, nn::Mode mode) : mode_(mode) {
    Random random(1, Stream::user);
    std::vector<float> pixels(static_cast<std::size_t>(batch * 32 * 32 * 3));
    for (float& p : pixels) p = static_cast<float>(random.normal());
    images_ = Tensor::from(pixels, {batch, 32, 32, 3});
    std::vector<std::int64_t> labels(static_cast<std::size_t>(batch));
    for (std::int64_t& l : labels) l = static_cast<std::int64_t>(random.below(10));
    labels_ = Tensor::from(labels);
    std::vector<float> v(static_cast<std::size_t>(w_.size()));
    for (float& x : v) x = static_cast<float>(random.normal());
    v_ = Tensor::from(v);
  }

  Tensor gradient() { return optim::evaluate(loss(), w_).gradient; }
  Tensor product() { return optim::hessian_vector_product(loss(), w_, v_); }

 private:
  Variable loss() {
    nn::Context context{.mode = mode_, .statistics = nn::Statistics::hold};
    return cross_entropy((*model_)(Variable(images_), context), labels_);
  }

  nn::Mode mode_;
  std::unique_ptr<nn::Module> model_ = nn::make_model({.name = "resnet20"});
  optim::ParameterVector w_ = optim::ParameterVector::of(*model_);
  Tensor images_, labels_, v_;
};

void print_work(const char* name, Work20& work, Tensor (Work20::*what)()) {
  static const std::vector<std::pair<const char*, Work>> kinds = {{"conv fwd", Work::conv_forward},
                                                                  {"conv dx", Work::conv_input_grad},
                                                                  {"conv dw", Work::conv_weight_grad},
                                                                  {"conv both", Work::conv_gradients},
                                                                  {"norm", Work::norm},
                                                                  {"elementwise", Work::elementwise},
                                                                  {"reduction", Work::reduction},
                                                                  {"shaping", Work::shaping},
                                                                  {"optimizer", Work::optimizer}};
  apps::WorkTimer timer;
  const WithWorkObserver watched(timer);
  const Times all = timed([&] { (work.*what)(); });
  std::printf("%-10s", name);
  for (const auto& [words, kind] : kinds) std::printf("  %s %.0f ms", words, 1e3 * timer.seconds(kind));
  std::printf("  of %.0f ms\n", 1e3 * all.wall);
}

}  // namespace

int main(int count, char** words) {
  int threads = 2, rounds = 5;
  Index batch = 128;
  nn::Mode mode = nn::Mode::train;
  std::string memory;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string flag = words[i], value = words[i + 1];
    if (flag == "--threads") threads = std::atoi(value.c_str());
    if (flag == "--rounds") rounds = std::atoi(value.c_str());
    if (flag == "--batch") batch = std::atoi(value.c_str());
    if (flag == "--mode") mode = value == "eval" ? nn::Mode::eval : nn::Mode::train;
    if (flag == "--memory") memory = value;
  }
  set_thread_count(threads);
  Work20 work(batch, mode);
  if (!memory.empty()) {
    for (int i = 0; i < 3; ++i) memory == "gradient" ? work.gradient() : work.product();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("%s: peak %.0f MiB\n", memory.c_str(), static_cast<double>(usage.ru_maxrss) / 1024);
    return 0;
  }
  work.gradient();
  work.product();
  std::vector<double> wall, processor, gradient, product;
  for (int i = 0; i < rounds; ++i) {
    const Times g = timed([&] { work.gradient(); }), h = timed([&] { work.product(); });
    wall.push_back(h.wall / g.wall);
    processor.push_back(h.processor / g.processor);
    gradient.push_back(g.wall);
    product.push_back(h.wall);
  }
  std::printf(
      "gradient %.0f ms, product %.0f ms; ratio %.2f (%.2f to %.2f) by the wall, %.2f of the processor\n",
      1e3 * median(gradient), 1e3 * median(product), median(wall),
      *std::min_element(wall.begin(), wall.end()), *std::max_element(wall.begin(), wall.end()),
      median(processor));
  print_work("gradient", work, &Work20::gradient);
  print_work("product", work, &Work20::product);
  return 0;
}
