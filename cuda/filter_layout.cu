// Weights between Basin's layout, {KH,KW,Cin/groups,Cout}, and cuDNN's KRSC, {Cout,KH,KW,Cin/groups}. Seen as
// matrices, {KH KW Cin/groups, Cout} and {Cout, KH KW Cin/groups}, each is the other transposed.
#include "cuda/filter_layout.h"

#include "cuda/kernels/transpose.cuh"
#include "cuda/launch.h"

namespace basin::cuda {
namespace {

template <class From, class To>
void transpose(cudaStream_t stream, const Tensor& x, std::int64_t rows, std::int64_t columns, Tensor& y) {
  const Transpose t(rows, columns, columns, rows);
  launch(transpose_kernel<From, To>, blocks_for(t.tile_count * kThreads), kThreads, stream, t,
         numbers<From>(x), numbers<To>(y));
}

// The pairs of dtypes that weights come in.
void transpose(cudaStream_t stream, const Tensor& x, std::int64_t rows, Tensor& y) {
  const std::int64_t columns = x.elements() / rows;
  const auto between = [&](Dtype from, Dtype to) { return x.dtype() == from && y.dtype() == to; };
  if (between(Dtype::f32, Dtype::f32)) return transpose<float, float>(stream, x, rows, columns, y);
  if (between(Dtype::f32, Dtype::bf16)) return transpose<float, bfloat16>(stream, x, rows, columns, y);
  if (between(Dtype::bf16, Dtype::f32)) return transpose<bfloat16, float>(stream, x, rows, columns, y);
  if (between(Dtype::bf16, Dtype::bf16)) return transpose<bfloat16, bfloat16>(stream, x, rows, columns, y);
  if (between(Dtype::f64, Dtype::f64)) return transpose<double, double>(stream, x, rows, columns, y);
  throw InternalError("[cuda] weights of ", x.dtype(), " are not packed as ", y.dtype());
}

}  // namespace

void pack_weights(cudaStream_t stream, const Tensor& w, Tensor& packed) {
  transpose(stream, w, w.elements() / w.size(3), packed);
}

void unpack_weights(cudaStream_t stream, const Tensor& packed, Tensor& w) {
  transpose(stream, packed, packed.size(0), w);
}

}  // namespace basin::cuda
