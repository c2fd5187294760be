// Convolutions by cuDNN's graph API (cuda/dnn): the plans of one card, and what they are run on.
#pragma once

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "core/conv_geometry.h"
#include "core/tensor.h"
#include "cuda/dnn/graph.h"
#include "cuda/dnn/plan.h"
#include "cuda/runtime/workplace.h"

namespace basin::cuda {

/// The three passes of y = conv2d(x, w) on a card, for one thread at a time. Weights are
/// Basin's, {KH,KW,Cin/groups,Cout}; each call packs them to KRSC or its result back. Plans are made when a
/// geometry is first met: a millisecond, where code has to be compiled a second. With Options::autotune the
/// best few then run in turns on the numbers of this call, which waits for them, and the fastest stays.
class Convolutions {
 public:
  explicit Convolutions(Workplace card) : card_(std::move(card)) {}
  ~Convolutions();
  Convolutions(const Convolutions&) = delete;
  Convolutions& operator=(const Convolutions&) = delete;

  void forward(const ConvGeometry& g, const Tensor& x, const Tensor& w, Tensor& y);
  void input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx);
  /// In bf16 dw is the f32 sums where cuDNN has an engine for that (9.26 has, 9.19 hasn't), else they are
  /// rounded to bf16 on their way.
  void weight_grad(const ConvGeometry& g, const Tensor& x, const Tensor& dy, Tensor& dw);

  /// How many geometries have plans, each pass of each dtype counted.
  std::size_t known() const { return known_.size(); }

 private:
  /// Plans for one pass of one geometry: several until they have been timed.
  struct Known {
    Dtype weights = Dtype::f32;  // that w or dw has as KRSC
    std::vector<dnn::Plan> plans;
  };
  struct Addresses {
    const std::byte *x, *w, *y;
  };
  using Key = std::array<Index, 14>;

  Known& known(dnn::Pass pass, const ConvGeometry& g, Dtype activations);
  std::vector<dnn::Plan> plans(dnn::Pass pass, const ConvGeometry& g, Dtype activations, Dtype weights);
  Tensor packed(const ConvGeometry& g, Dtype dtype) const;
  void run(Known& known, const Addresses& at);
  void keep_the_fastest(Known& known, const Addresses& at);
  cudnnHandle_t handle();

  Workplace card_;
  cudnnHandle_t handle_ = nullptr;
  std::map<Key, Known> known_;
};

}  // namespace basin::cuda
