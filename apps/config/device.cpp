#include "apps/config/device.h"

#include <charconv>

#include "apps/config/cuda_plugin.h"
#include "apps/config/model.h"
#include "apps/options/options.h"
#include "core/backend.h"
#include "core/cpu/simd/instruction_set.h"
#include "core/parallel.h"

namespace basin::apps {
namespace {

constexpr int kMostCards = 16;

std::string word_of(const Device& d) {
  if (d.kind == Device::Kind::cuda && d.index == 0) return "cuda";
  return text(d);
}

/// "cpu", "cuda", "cuda:1".
Binding device_name(Device& field) {
  Binding b;
  b.kind = ValueKind::text;
  b.placeholder = "DEVICE";
  b.allowed = "cpu, cuda or cuda:N with N from 0 to 15";
  b.assign = [&field](const std::string& given) {
    if (given == "cpu") {
      field = {};
      return;
    }
    int index = 0;
    if (given != "cuda") {
      const std::string prefix = "cuda:", number = given.size() > 5 ? given.substr(5) : "";
      const char* const end = number.data() + number.size();
      const auto [stop, error] = std::from_chars(number.data(), end, index);
      if (!given.starts_with(prefix) || number.empty() || error != std::errc() || stop != end || index < 0 ||
          index >= kMostCards)
        throw ValueError("is not cpu, cuda or cuda:N with N from 0 to ", kMostCards - 1);
    }
    field = {Device::Kind::cuda, index};
  };
  b.print = [&field] { return word_of(field); };
  return b;
}

const std::vector<std::string> kCards = {"cuda", "cuda:*"};

}  // namespace

const NamesOf<ConvAlgorithm>& conv_algorithm_names() {
  static const NamesOf<ConvAlgorithm> names = [] {
    NamesOf<ConvAlgorithm> all;
    for (const ConvAlgorithm a : {ConvAlgorithm::winograd4, ConvAlgorithm::winograd2, ConvAlgorithm::direct})
      all.emplace_back(basin::name_of(a), a);
    return all;
  }();
  return names;
}

void add(OptionTable& t, DeviceConfig& c) {
  t.group("device", "Device");
  t.add(
       "device", "name", device_name(c.device),
       "device that computes: the cpu, or an NVIDIA card, cuda:0 where no number is given; a resumed run may "
       "take another")
      .role = Role::session;
  Option& threads =
      t.add("threads", "threads", whole(c.threads, 0, 1024),
            "threads that compute (their number never changes a result); 0: every CPU this process may use");
  threads.role = Role::session;
  threads.aliases = {"num-threads", "jobs"};
  Option& algorithm = t.add("conv-algo", "conv_algo", choice(c.conv_algorithm, conv_algorithm_names()),
                            "arithmetic of 3x3 convolutions in f32: Winograd's on tiles of 4x4 or 2x2 is "
                            "faster, direct rounds less");
  algorithm.only_with("dtype", {"f32"});
  algorithm.only_with("device", {"cpu"});
  count_for_convolutions(algorithm);
  if (t.by_flag("gam-form")) {
    // Its Hessian-vector products are differentiated twice.
    algorithm.standard_by = "gam-form";
    algorithm.standards = {{"exact", "direct"}};
  }
  t.add("dtype", "dtype", choice(c.dtype, {{"f32", Dtype::f32}, {"f64", Dtype::f64}}),
        "type of weights and activations");
  Option& precision = t.add(
      "precision", "precision",
      choice(c.precision, {{"f32", Precision::f32}, {"tf32", Precision::tf32}, {"bf16", Precision::bf16}}),
      "numbers in which a card computes; tf32: products of convolutions and matrices of f32 numbers "
      "rounded to 10 bits of mantissa; bf16: activations in bf16, with weights, their gradients, "
      "statistics and the loss in f32");
  precision.only_with("device", kCards, "cuda");
  precision.only_with("dtype", {"f32"});
  Option& deterministic = t.add("deterministic", "deterministic", toggle(c.deterministic),
                                "take only algorithms whose results have the same bits in each run");
  deterministic.only_with("device", kCards, "cuda");
  deterministic.role = Role::session;
  Option& autotune = t.add("cudnn-autotune", "cudnn_autotune", toggle(c.autotune),
                           "time the best few algorithms of each convolution when it is first met");
  autotune.only_with("device", kCards, "cuda");
  autotune.only_with("deterministic", {"false"});
  autotune.role = Role::session;
}

void add_device(OptionTable& t, DeviceConfig& c) {
  t.add_call("device", device_name(c.device), "device that computes: the cpu, or an NVIDIA card");
}

void add_graph(OptionTable& t, DeviceConfig& c) {
  Option& graph = t.add("graph", "graph", toggle(c.graph),
                        "record steps on the card and play them, which is faster and has the same bits");
  graph.only_with("device", kCards, "cuda");
  graph.role = Role::session;
}

void apply(const DeviceConfig& device) {
  cpu::instruction_set();  // reads BASIN_ARCH, which may be wrong
  if (device.threads > 0) set_thread_count(static_cast<int>(device.threads));
  set_conv_algorithm(device.conv_algorithm);
  if (device.device.kind != Device::Kind::cuda) return;
  const CudaPlugin& found = cuda_plugin();
  if (found.plugin == nullptr) throw UsageError("--device ", word_of(device.device), ": ", found.missing);
  cuda::Options options;
  options.precision = device.precision == Precision::tf32 ? cuda::Precision::tf32 : cuda::Precision::f32;
  options.deterministic = device.deterministic;
  options.autotune = device.autotune && !device.deterministic;
  found.plugin->install(device.device.index, options);
  if (!backend(device.device).computes(device.activations()))
    throw UsageError("--precision bf16: ", device.device, " does not compute in it; f32 or tf32 does");
}

}  // namespace basin::apps
