// ParameterVector: the papers' w in R^d. All parameters of a model in one contiguous buffer.
#pragma once

#include <string>
#include <vector>

#include "autograd/inventory.h"

namespace basin::optim {

/// One parameter's place in the flat vector.
struct Segment {
  std::string name;
  Index offset = 0;
  Shape shape;
  ParameterRole role = ParameterRole::weight;
  ParameterLayout layout = ParameterLayout::plain;
  bool decay = true;  // weight decay applies
};

/// Which parameters weight decay touches.
enum class Decay { all, weights_only /* not biases, not normalisation */ };

/// Moves the parameters of an object into one buffer: each parameter becomes a view into it. The object sees
/// its own Variables and knows nothing of it. New values (a checkpoint, an average) are written into
/// values(); replacing one of the object's Variables would cut it off from the vector.
class ParameterVector {
 public:
  /// The buffer is where the parameters are. Errors: ArgumentError for no parameters, an undefined one, one
  /// that is neither f32 nor f64, mixed dtypes or devices, a name twice, the same parameter under two names.
  explicit ParameterVector(const std::vector<NamedParameter>& parameters, Decay decay = Decay::all);
  /// The buffer is on that device, wherever the parameters come from; move_to() (autograd/inventory.h) brings
  /// what else the object owns. Errors: the same, but for mixed devices.
  ParameterVector(const std::vector<NamedParameter>& parameters, Device device, Decay decay = Decay::all);

  template <class Object>
  static ParameterVector of(Object& object, Decay decay = Decay::all) {
    return ParameterVector(entries_of(object).parameters, decay);
  }
  /// All of the object on that device, its buffers too: from here on it computes there.
  template <class Object>
  static ParameterVector of(Object& object, Device device, Decay decay = Decay::all) {
    const Entries all = entries_of(object);
    ParameterVector w(all.parameters, device, decay);
    move_to(device, all);
    return w;
  }

  // A copy would be a second name for the same weights.
  ParameterVector(const ParameterVector&) = delete;
  ParameterVector& operator=(const ParameterVector&) = delete;
  ParameterVector(ParameterVector&&) = default;
  ParameterVector& operator=(ParameterVector&&) = default;

  /// w, {d}. Writing to it moves the model.
  const Tensor& values() const { return values_; }
  Tensor& values() { return values_; }
  Index size() const { return values_.elements(); }
  Dtype dtype() const { return values_.dtype(); }

  const std::vector<Segment>& segments() const { return segments_; }
  /// The leaves to differentiate with respect to, in the order of the segments.
  const Variables& variables() const { return leaves_; }

  /// Per-parameter tensors (in the order of the segments) as one new vector {d}. Errors: count, shape or
  /// dtype differ from the parameters'.
  Tensor flatten(const Tensors& parts) const;
  /// The views of a flat vector, one per segment, sharing its storage. Errors: not d elements.
  Tensors split(const Tensor& flat) const;

  /// {d}: 1 where weight decay applies, 0 elsewhere; undefined if it applies everywhere (the kernels' "no
  /// mask").
  const Tensor& decay_mask() const { return decay_mask_; }

 private:
  Tensor values_;
  Tensor decay_mask_;
  std::vector<Segment> segments_;
  Variables leaves_;
};

}  // namespace basin::optim
