// Programs of arithmetic with single numbers (core/scalar_program.h), interpreted by one thread.
#pragma once

#include "core/functors/scalar.h"
#include "cuda/kernels/device.cuh"

namespace basin::cuda {

struct Program {
  static constexpr int kInputs = 64, kSteps = 32;
  struct Step {
    ScalarOp op;
    unsigned char x, y, z;  // places among the inputs and, behind them, the results
  };
  Number input[kInputs];
  Step step[kSteps];
  int inputs, steps;

  template <class F>
  void for_each_pointer(F f) const {
    for (int i = 0; i < inputs; ++i) input[i].for_each_pointer(f);
  }
};

/// result_i = op_i(of the program's numbers so far), N is double. (A template, as all kernels are:
/// tests/cuda/nvcc makes twins of them.)
template <class N>
__global__ void __launch_bounds__(32) program_kernel(Program program, N* result) {
  struct Numbers;
  N* number = shared_array<Numbers, N, Program::kInputs + Program::kSteps>();
  for (int i = static_cast<int>(threadIdx.x); i < program.inputs; i += 32)
    number[i] = program.input[i].value();
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 0; i < program.steps; ++i) {
    const Program::Step s = program.step[i];
    const N found = functors::compute(s.op, number[s.x], number[s.y], number[s.z]);
    number[program.inputs + i] = found;
    result[i] = found;
  }
}

}  // namespace basin::cuda
