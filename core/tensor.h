// Tensor: numbers. A value handle on counted storage with a shape and an element type; always contiguous.
// No gradient lives here (see autograd/variable.h).
#pragma once

#include <memory>
#include <vector>

#include "core/device.h"
#include "core/dtype.h"
#include "core/shape.h"
#include "core/storage.h"

namespace basin {

/// Copying a Tensor copies the handle: both share the numbers. reshape() and slices of the leading dimension
/// share storage too; everything else copies. Activations are {N,H,W,C}.
class Tensor {
 public:
  Tensor() = default;  // undefined: no storage, defined() == false

  static Tensor empty(const Shape& shape, Dtype dtype = Dtype::f32, Device device = {});
  static Tensor zeros(const Shape& shape, Dtype dtype = Dtype::f32, Device device = {});
  static Tensor full(const Shape& shape, double value, Dtype dtype = Dtype::f32, Device device = {});
  static Tensor scalar(double value, Dtype dtype = Dtype::f32, Device device = {});

  /// Copies `values` (row-major) into a new CPU tensor. Errors: count differs from the shape's.
  template <Element T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from_raw(values.data(), static_cast<Index>(values.size()), shape, dtype_of<T>);
  }
  /// Other integers become i64: `Tensor::from(std::vector<int>{0, 1, 2})` are labels.
  template <OtherInteger T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::vector<std::int64_t>(values.begin(), values.end()), shape);
  }
  template <class T>
  requires Element<T> || OtherInteger<T>
  static Tensor from(const std::vector<T>& values) {
    return from(values, Shape{static_cast<Index>(values.size())});
  }

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  Index size(int axis) const { return shape_[shape_.axis(axis, "size")]; }
  Index elements() const { return elements_; }
  Dtype dtype() const { return dtype_; }
  std::size_t bytes() const { return static_cast<std::size_t>(elements_) * size_of(dtype_); }
  Device device() const { return storage_ ? storage_->device() : Device{}; }

  /// The numbers, for the host's code. Errors: T is not the tensor's dtype; undefined tensor; a tensor that
  /// lives where the host may not look, which to(Device{}) brings here.
  template <Element T>
  const T* data() const {
    expect_numbers(dtype_of<T>);
    return reinterpret_cast<const T*>(raw());
  }
  /// Mutable numbers; raises the storage's version. Writes are seen by every handle that shares the storage.
  template <Element T>
  T* mutable_data() {
    expect_numbers(dtype_of<T>);
    return reinterpret_cast<T*>(mutable_raw());
  }
  /// Where the numbers begin on their device: an address for its backend, and an identity for everyone.
  const std::byte* raw() const { return storage_ ? storage_->data() + offset_ : nullptr; }
  std::byte* mutable_raw() { return storage_ ? storage_->mutable_data() + offset_ : nullptr; }

  /// Version of the shared storage (0 for an undefined tensor).
  std::uint64_t version() const { return storage_ ? storage_->version() : 0; }
  bool shares_storage(const Tensor& other) const { return storage_ && storage_ == other.storage_; }
  /// Handles on the storage, this one included.
  long use_count() const { return storage_.use_count(); }

  /// Same numbers, other shape; one extent may be -1 in `extents`. Errors: element counts differ.
  Tensor reshape(const Shape& shape) const;
  Tensor reshape(const std::vector<Index>& extents) const;
  /// Rows [begin, end) of the leading dimension, sharing storage.
  Tensor slice_rows(Index begin, Index end) const;
  /// `shape.elements()` numbers from element `offset` on, sharing storage (parameters in a flat vector).
  Tensor view(Index offset, const Shape& shape) const;

  Tensor clone() const;                  // own storage, same numbers
  Tensor to(Dtype dtype) const;          // converted copy; the same handle if nothing changes
  Tensor to(Device device) const;        // a copy there; the same handle if it is there
  void copy_from(const Tensor& source);  // same element count and dtype; other shape or device allowed
  void fill(double value);

  /// The only element as double. Errors: element count is not 1; a tensor that the host may not read.
  double item() const;
  /// All elements converted to T, row-major. Errors: a tensor that the host may not read.
  template <Element T>
  std::vector<T> to_vector() const {
    const Tensor converted = to(dtype_of<T>);
    return std::vector<T>(converted.data<T>(), converted.data<T>() + converted.elements());
  }

 private:
  static Tensor from_raw(const void* values, Index count, const Shape& shape, Dtype dtype);
  void expect_numbers(Dtype wanted) const;

  std::shared_ptr<Storage> storage_;
  std::size_t offset_ = 0;  // bytes
  Shape shape_;
  Index elements_ = 0;
  Dtype dtype_ = Dtype::f32;
};

using Tensors = std::vector<Tensor>;

}  // namespace basin
