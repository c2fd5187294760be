// The one list of commands. A new one is a file in this folder that defines NAME_command(), and its row here.
#include "apps/commands/commands.h"

#include "apps/runs/environment.h"

namespace basin::apps {

Command train_command(), eval_command(), predict_command(), reproduce_command(), export_command(),
    runs_command(), ckpt_command(), report_command(), hessian_command(), sharpness_command(),
    landscape_command(), curve_command(), lr_find_command(), info_command(), data_command(), bench_command(),
    gradcheck_command(), completion_command();

const Program& program() {
  static const Program basin = {
      .about = "Trains neural networks towards flat minima.",
      .first_call = "basin train --data synthetic --preset first_look",
      .version = version_line(),
      .commands = {train_command(), eval_command(), predict_command(), reproduce_command(), export_command(),
                   runs_command(), ckpt_command(), report_command(), hessian_command(), sharpness_command(),
                   landscape_command(), curve_command(), lr_find_command(), info_command(), data_command(),
                   bench_command(), gradcheck_command(), completion_command()}};
  return basin;
}

}  // namespace basin::apps
