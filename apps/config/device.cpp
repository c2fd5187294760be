#include "apps/config/device.h"

#include "apps/config/model.h"
#include "apps/options/options.h"
#include "core/cpu/simd/instruction_set.h"
#include "core/parallel.h"

namespace basin::apps {

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
  t.add("device", "name", choice(c.device, {{"cpu", Device{}}}), "device that computes");
  Option& threads =
      t.add("threads", "threads", whole(c.threads, 0, 1024),
            "threads that compute (their number never changes a result); 0: every CPU this process may use");
  threads.role = Role::session;
  threads.aliases = {"num-threads", "jobs"};
  Option& algorithm = t.add("conv-algo", "conv_algo", choice(c.conv_algorithm, conv_algorithm_names()),
                            "arithmetic of 3x3 convolutions in f32: Winograd's on tiles of 4x4 or 2x2 is "
                            "faster, direct rounds less");
  algorithm.only_with("dtype", {"f32"});
  count_for_convolutions(algorithm);
  if (t.by_flag("gam-form")) {
    // Its Hessian-vector products are differentiated twice.
    algorithm.standard_by = "gam-form";
    algorithm.standards = {{"exact", "direct"}};
  }
  t.add("dtype", "dtype", choice(c.dtype, {{"f32", Dtype::f32}, {"f64", Dtype::f64}}),
        "type of weights and activations")
      .aliases = {"precision"};
}

void apply(const DeviceConfig& device) {
  cpu::instruction_set();  // reads BASIN_ARCH, which may be wrong
  if (device.threads > 0) set_thread_count(static_cast<int>(device.threads));
  set_conv_algorithm(device.conv_algorithm);
}

}  // namespace basin::apps
