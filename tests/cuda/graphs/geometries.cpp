#include "tests/cuda/graphs/geometries.h"

#include <atomic>

#include "autograd/gradients.h"
#include "autograd/ops/ops.h"
#include "core/backend.h"
#include "nn/models/registry.h"

namespace basin::testing {
namespace {

/// A device that computes nothing: its memory is addresses that nobody reads. It notes the convolutions.
class ShapesOnly final : public Backend {
 public:
  const char* name() const override { return "shapes only"; }

  std::byte* allocate(std::size_t bytes) override {
    const std::uintptr_t start = next_.fetch_add((bytes + 127) / 64 * 64);
    return reinterpret_cast<std::byte*>(start);
  }
  void release(std::byte*, std::size_t) override {}
  void copy_bytes(std::byte*, const std::byte*, std::size_t) override {}
  void upload(std::byte*, const std::byte*, std::size_t) override {}
  void download(std::byte* to, const std::byte*, std::size_t bytes) override {
    std::fill_n(to, bytes, std::byte{});
  }
  void fill(Tensor&, double) override {}
  void cast(const Tensor&, Tensor&) override {}
  void unary(UnaryOp, const Tensor&, double, double, Tensor&) override {}
  void binary(BinaryOp, const Tensor&, const Tensor&, Tensor&) override {}
  void where(const Tensor&, const Tensor&, const Tensor&, Tensor&) override {}
  void reduce(ReduceOp, const Tensor&, const Axes&, Tensor&) override {}
  void argmax(const Tensor&, int, Tensor&) override {}
  void permute(const Tensor&, const Axes&, Tensor&) override {}
  void copy_block(const Tensor&, const Shape&, Tensor&, const Shape&, const Shape&) override {}
  void gather(const Tensor&, const Tensor&, int, Tensor&) override {}
  void scatter_add(const Tensor&, const Tensor&, int, Tensor&) override {}
  void gather_last(const Tensor&, const Tensor&, Tensor&) override {}
  void scatter_add_last(const Tensor&, const Tensor&, Tensor&) override {}
  void matmul(const Matmul&, const Tensor&, const Tensor&, Tensor&) override {}
  void conv2d(const ConvCall& call, const Tensor&, const Tensor&, Tensor&) override {
    note(cuda::dnn::Pass::forward, call.geometry);
  }
  void conv2d_input_grad(const ConvGeometry& g, const Tensor&, const Tensor&, Tensor&) override {
    note(cuda::dnn::Pass::input_grad, g);
  }
  void conv2d_weight_grad(const ConvCall& call, const Tensor&, const Tensor&, Tensor&) override {
    note(cuda::dnn::Pass::weight_grad, call.geometry);
  }
  void max_pool(const ConvGeometry&, const Tensor&, Tensor&, Tensor&) override {}
  void pool_scatter(const ConvGeometry&, const Tensor&, const Tensor&, Tensor&) override {}
  void pool_gather(const ConvGeometry&, const Tensor&, const Tensor&, Tensor&) override {}
  void avg_pool(const ConvGeometry&, const Tensor&, bool, Tensor&) override {}
  void avg_pool_grad(const ConvGeometry&, const Tensor&, bool, Tensor&) override {}
  void moments(const Tensor&, Tensor&, Tensor&) override {}
  void batch_norm(const BatchNormForward&, Tensor&) override {}
  void batch_norm_grad(const BatchNormBackward&, Tensor&, Tensor&, Tensor&, Tensor*) override {}
  void layer_norm(const LayerNormForward&, Tensor&, Tensor&, Tensor&) override {}
  void layer_norm_grad(const LayerNormBackward&, Tensor&, Tensor&, Tensor&) override {}
  void log_softmax(const Tensor&, Tensor&) override {}
  void log_softmax_grad(const Tensor&, const Tensor&, Tensor&) override {}
  void image_batch(const ImageBatch&, Tensor&) override {}
  void draw(const LayerDraws&, Tensor&) override {}
  Scalar dot(const Tensor&, const Tensor&) override { return 1; }
  void axpby(const Scalar&, const Tensor&, const Scalar&, Tensor&) override {}
  Scalar all_finite(const Tensor&) override { return 1; }
  void update(const UpdateStep&, const UpdateNumbers&, const UpdateTensors&) override {}

  std::set<Asked> asked;

 private:
  void note(cuda::dnn::Pass pass, ConvGeometry g) {
    g.batch = 1;
    asked.insert({pass, g});
  }

  std::atomic<std::uintptr_t> next_{std::uintptr_t{1} << 62};  // where no memory is
};

constexpr Device kDevice{Device::Kind::test, 1};

ShapesOnly& shapes_only() {
  static ShapesOnly backend;
  static const bool once = (install_backend(kDevice, backend), true);
  static_cast<void>(once);
  return backend;
}

void train_once(const std::string& model, const Shape& image) {
  const auto net = nn::make_model({.name = model,
                                   .height = image[0],
                                   .width = image[1],
                                   .channels = image[2],
                                   .device = kDevice,
                                   .blank = true});
  Variables parameters;
  for (const NamedParameter& p : entries_of(*net).parameters) parameters.push_back(*p.parameter);
  nn::Context ctx;
  const Variable x(Tensor::empty({2, image[0], image[1], image[2]}, Dtype::f32, kDevice));
  gradients(sum((*net)(x, ctx)), parameters);
}

}  // namespace

std::vector<Shape> images_of(const std::string& model) {
  const bool pictures =
      model.ends_with("-imagenet") || model.starts_with("vit-s") || model.starts_with("vit-b");
  if (pictures) return {Shape{224, 224, 3}};
  if (model.starts_with("vgg")) return {Shape{32, 32, 3}};  // which halves its images five times
  return {Shape{28, 28, 1}, Shape{32, 32, 3}};
}

std::set<Asked> asked_by(const std::string& model) {
  ShapesOnly& backend = shapes_only();
  backend.asked.clear();
  for (const Shape& image : images_of(model)) train_once(model, image);
  return backend.asked;
}

}  // namespace basin::testing
