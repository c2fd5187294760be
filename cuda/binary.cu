// The binary operations, all of core/functors/binary.h.
#include "cuda/backend.h"
#include "cuda/map.h"

namespace basin::cuda {

void CudaBackend::binary(BinaryOp op, const Tensor& x, const Tensor& z, Tensor& out) {
  functors::with_binary(op, [&](auto f) {
    if (x.dtype() != z.dtype()) {  // f32 beside bf16
      if (x.dtype() == Dtype::bf16)
        map<bfloat16, bfloat16, float>(stream(), f, out, x, z);
      else
        map<bfloat16, float, bfloat16>(stream(), f, out, x, z);
      return;
    }
    dispatch_activations(out.dtype(), "binary", [&](auto type) {
      using T = decltype(type);
      map<T, T, T>(stream(), f, out, x, z);
    });
  });
}

}  // namespace basin::cuda
