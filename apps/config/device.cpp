#include "apps/config/device.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "apps/config/cuda_plugin.h"
#include "apps/config/model.h"
#include "apps/options/options.h"
#include "core/backend.h"
#include "core/cpu/simd/instruction_set.h"
#include "core/parallel.h"

namespace basin::apps {
namespace {

constexpr int kMostCards = 16;

const NamesOf<Precision> kPrecisions = {
    {"f32", Precision::f32}, {"tf32", Precision::tf32}, {"bf16", Precision::bf16}};

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

/// An option that counts with a card, --two-words; in a TOML file two_words, but for Role::call.
Option& add_of_card(OptionTable& t, const std::string& flag, Role role, Binding binding,
                    const std::string& help) {
  std::string key = flag;
  std::replace(key.begin(), key.end(), '-', '_');
  Option& option = role == Role::call ? t.add_call(flag, std::move(binding), help)
                                      : t.add(flag, key, std::move(binding), help);
  option.role = role;
  option.only_with("device", {"cuda", "cuda:*"}, "cuda");
  return option;
}

/// Which numbers and algorithms a card takes. `session`: the role of what a resumed run may change.
void add_arithmetic_of_card(OptionTable& t, DeviceConfig& c, Role recipe, Role session) {
  Option& precision = add_of_card(
      t, "precision", recipe, choice(c.precision, kPrecisions),
      "numbers in which a card computes; tf32: products of convolutions and matrices of f32 numbers "
      "rounded to 10 bits of mantissa; bf16: activations in bf16, with weights, their gradients, "
      "statistics and the loss in f32");
  if (t.by_flag("dtype")) precision.only_with("dtype", {"f32"});
  add_of_card(t, "deterministic", session, toggle(c.deterministic),
              "take only algorithms whose results have the same bits in each run");
  add_of_card(t, "cudnn-autotune", session, toggle(c.autotune),
              "time the best few algorithms of each convolution when it is first met")
      .only_with("deterministic", {"false"});
}

void add_graph(OptionTable& t, DeviceConfig& c, Role role) {
  add_of_card(t, "graph", role, toggle(c.graph),
              "record steps on the card and play them, which is faster and has the same bits");
}

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

std::string word_of(Precision precision) {
  for (const auto& [word, value] : kPrecisions)
    if (value == precision) return word;
  throw InternalError("[device] a precision without a word");
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
  add_arithmetic_of_card(t, c, Role::recipe, Role::session);
}

void add_device(OptionTable& t, DeviceConfig& c) {
  t.add_call("device", device_name(c.device), "device that computes: the cpu, or an NVIDIA card");
}

void add_graph(OptionTable& t, DeviceConfig& c) { add_graph(t, c, Role::session); }

void add_card_of_call(OptionTable& t, DeviceConfig& c) {
  add_arithmetic_of_card(t, c, Role::call, Role::call);
  add_graph(t, c, Role::call);
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
