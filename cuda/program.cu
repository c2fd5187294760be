// Programs of single numbers (kernels/program.cuh).
#include "core/scalar_program.h"
#include "cuda/backend.h"
#include "cuda/kernels/program.cuh"
#include "cuda/launch.h"

namespace basin::cuda {

void CudaBackend::run(const ScalarProgram& program, Tensor& results) {
  static_assert(ScalarProgram::kMostInputs <= Program::kInputs &&
                ScalarProgram::kMostSteps <= Program::kSteps);
  Program p{};
  Tensors keep(program.inputs.size());
  for (const Scalar& x : program.inputs) {
    const int i = p.inputs++;
    p.input[i] = number_of(x, keep[static_cast<std::size_t>(i)], device());
  }
  for (const ScalarProgram::Step& s : program.steps) p.step[p.steps++] = {s.op, s.x, s.y, s.z};
  launch(program_kernel<double>, 1, 32, stream(), p, numbers<double>(results));
}

}  // namespace basin::cuda
