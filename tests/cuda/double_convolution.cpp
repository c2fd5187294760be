// How weights are packed, under every order of threads; what the builder of graphs and the double of cuDNN
// refuse.
#include "cuda/backend.h"
#include "cuda/convolution.h"
#include "cuda/filter_layout.h"
#include "tests/cuda/convolutions.h"
#include "tests/cuda/schedules.h"

using namespace basin;
using testing::cuda_device;

namespace {

cuda::CudaBackend& card() { return dynamic_cast<cuda::CudaBackend&>(backend(cuda_device())); }

struct Handle {
  Handle() { cuda::dnn::check(cudnnCreate(&made), "cudnnCreate"); }
  ~Handle() { cudnnDestroy(made); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  cudnnHandle_t made = nullptr;
};

std::vector<cuda::dnn::Plan> plans(const cuda::dnn::Convolution& c, const Handle& h) {
  return cuda::dnn::plans_of(cuda::dnn::graph_of(c, h.made), h.made, {.workspace = std::size_t{256} << 20},
                             1);
}

}  // namespace

TEST_CASE("weights are packed as KRSC and come back, in every order of threads") {
  for (const Shape& shape : {Shape{3, 2, 5, 7}, Shape{1, 1, 1, 1}, Shape{3, 3, 40, 33}, Shape{1, 1, 32, 64}})
    for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
      CAPTURE(shape);
      const Tensor w = tensor_testing::random(shape, dtype);
      const std::vector<Tensor> got = testing::every_schedule([&] {
        const Tensor there = w.to(cuda_device());
        const Shape krsc{shape[3], shape[0], shape[1], shape[2]};
        Tensor packed = Tensor::empty(krsc, dtype, cuda_device());
        cuda::pack_weights(card().stream(), there, packed);
        Tensor back = Tensor::empty(shape, dtype, cuda_device());
        cuda::unpack_weights(card().stream(), packed, back);
        return std::vector<Tensor>{packed, back};
      });
      CHECK(tensor_testing::same_bits(got[0], permute(w, {3, 0, 1, 2})));
      CHECK(tensor_testing::same_bits(got[1], w));
    }
}

TEST_CASE("weights are rounded to bf16 where they are packed") {
  const Tensor w = tensor_testing::random({3, 2, 5, 7}, Dtype::f32);
  const std::vector<Tensor> got = testing::every_schedule([&] {
    Tensor packed = Tensor::empty({7, 3, 2, 5}, Dtype::bf16, cuda_device());
    cuda::pack_weights(card().stream(), w.to(cuda_device()), packed);
    Tensor back = Tensor::empty({3, 2, 5, 7}, Dtype::f32, cuda_device());
    cuda::unpack_weights(card().stream(), packed, back);
    return std::vector<Tensor>{packed, back};
  });
  CHECK(tensor_testing::same_bits(got[0], permute(w, {3, 0, 1, 2}).to(Dtype::bf16)));
  CHECK(tensor_testing::same_bits(got[1], w.to(Dtype::bf16).to(Dtype::f32)));
}

TEST_CASE("a graph of weights that are not KRSC, or that does not fit together, is refused") {
  using cuda::dnn::Pass;
  using cuda::dnn::Refusal;
  const Handle h;
  const ConvGeometry g = testing::geometry(2, 8, 8, 6, 10, 3, 3, {.pad_h = 1, .pad_w = 1});
  for (const Pass pass : {Pass::forward, Pass::input_grad, Pass::weight_grad}) {
    const cuda::dnn::Convolution right = cuda::dnn::convolution(g, pass, Dtype::f32, Dtype::f32);
    CHECK(plans(right, h).size() == 1);
    cuda::dnn::Convolution wrong = right;
    wrong.w.strides = {1, 10, 3 * 6 * 10, 6 * 10};  // RSCK
    CHECK_THROWS_WITH_AS(plans(wrong, h),
                         doctest::Contains("w {10,6,3,3} has strides {1,10,180,60}, expects those of KRSC"),
                         Refusal);
    wrong = right;
    wrong.x.strides = {6 * 64, 64, 8, 1};  // NCHW
    CHECK_THROWS_WITH_AS(plans(wrong, h), doctest::Contains("expects those of {N,H,W,C}"), Refusal);
    wrong = right;
    wrong.w = cuda::dnn::channels_last({10, 4, 3, 3}, CUDNN_DATA_FLOAT);  // channels that are not x's
    CHECK_THROWS_AS(plans(wrong, h), Refusal);
    wrong = right;
    wrong.y = cuda::dnn::channels_last({2, 10, 7, 8}, CUDNN_DATA_FLOAT);  // a row too few
    CHECK_THROWS_AS(plans(wrong, h), Refusal);
    wrong = right;
    wrong.y = cuda::dnn::channels_last({2, 11, 8, 8}, CUDNN_DATA_FLOAT);  // channels that are not w's
    CHECK_THROWS_AS(plans(wrong, h), Refusal);
    wrong = right;
    wrong.x.type = CUDNN_DATA_BFLOAT16;
    CHECK_THROWS_WITH_AS(plans(wrong, h), doctest::Contains("are of different types"), Refusal);
    wrong = right;
    wrong.strides = {0, 1};
    CHECK_THROWS_AS(plans(wrong, h), Refusal);
  }
}

TEST_CASE("no engine is left: the error says why") {
  const Handle h;
  const ConvGeometry g = testing::geometry(2, 8, 8, 6, 10, 3, 3);
  const cuda::dnn::Descriptor graph = cuda::dnn::graph_of(
      cuda::dnn::convolution(g, cuda::dnn::Pass::forward, Dtype::f32, Dtype::f32), h.made);
  const std::vector<cuda::dnn::Plan> strict =
      cuda::dnn::plans_of(graph, h.made, {.tensor_cores = false, .workspace = 1 << 30}, 100);
  CHECK(strict.size() > 1);
  for (const cuda::dnn::Plan& p : strict) CHECK_FALSE(p.tensor_cores);
  for (const cuda::dnn::Plan& p :
       cuda::dnn::plans_of(graph, h.made, {.nondeterministic = false, .workspace = 1 << 20}, 100)) {
    CHECK_FALSE(p.nondeterministic);
    CHECK(p.workspace <= 1 << 20);
  }
}

TEST_CASE("the double of cuDNN refuses what a card would do wrongly") {
  Handle h;
  const ConvGeometry g = testing::geometry(2, 8, 8, 6, 10, 3, 3, {.pad_h = 1, .pad_w = 1});
  const testing::Operands o(g, Dtype::f32);
  const Tensor x = o.x.to(cuda_device()), w = o.w.to(cuda_device());
  Tensor y = Tensor::empty(g.y_shape(), Dtype::f32, cuda_device());
  const cuda::dnn::Plan plan =
      plans(cuda::dnn::convolution(g, cuda::dnn::Pass::forward, Dtype::f32, Dtype::f32), h)[0];
  std::vector<std::byte> host(x.bytes());
  Tensor memory = Tensor::empty({static_cast<Index>(plan.workspace) + 1}, Dtype::u8, cuda_device());
  const auto refused = [&](const char* why, const void* at_x, const void* at_w, const void* at_y,
                           std::byte* beside) {
    CHECK_THROWS_WITH_AS(plan.execute(h.made, at_x, at_w, at_y, beside), doctest::Contains(why),
                         cuda::dnn::Refusal);
  };
  refused("no stream", x.raw(), w.raw(), y.raw(), memory.mutable_raw());
  cudnnSetStream(h.made, card().stream());
  refused("tensor 1 is not device memory", host.data(), w.raw(), y.raw(), memory.mutable_raw());
  refused("tensor 1 is not device memory of its whole size", x.raw() + x.bytes() - 16, w.raw(), y.raw(),
          memory.mutable_raw());
  const Tensor more = Tensor::empty({w.elements() + 1}, Dtype::f32, cuda_device());
  refused("no multiple of 16", x.raw(), more.raw() + 4, y.raw(), memory.mutable_raw());
  if (plan.workspace > 0) refused("workspace", x.raw(), w.raw(), y.raw(), nullptr);
}
