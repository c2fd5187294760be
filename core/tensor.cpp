#include "core/tensor.h"

#include <cstring>

#include "core/backend.h"

namespace basin {

Tensor Tensor::empty(const Shape& shape, Dtype dtype, Device device) {
  Tensor t;
  t.shape_ = shape;
  t.elements_ = shape.elements();
  t.dtype_ = dtype;
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::size_t>(t.elements_), size_of(dtype), &bytes))
    throw MemoryError("[tensor] ", shape, " of ", dtype, " is larger than the address space");
  t.storage_ = std::make_shared<Storage>(bytes, device);
  return t;
}

Tensor Tensor::zeros(const Shape& shape, Dtype dtype, Device device) { return full(shape, 0, dtype, device); }

Tensor Tensor::full(const Shape& shape, double value, Dtype dtype, Device device) {
  Tensor t = empty(shape, dtype, device);
  t.fill(value);
  return t;
}

Tensor Tensor::scalar(double value, Dtype dtype, Device device) { return full({}, value, dtype, device); }

Tensor Tensor::from_raw(const void* values, Index count, const Shape& shape, Dtype dtype) {
  Tensor t = empty(shape, dtype);
  if (count != t.elements_)
    throw ArgumentError("[tensor] shape ", shape, " wants ", t.elements_, " values, got ", count);
  if (count > 0) std::memcpy(t.mutable_raw(), values, t.bytes());
  return t;
}

void Tensor::expect_numbers(Dtype wanted) const {
  if (!defined()) throw ArgumentError("[tensor] undefined tensor: it has no numbers");
  if (wanted != dtype_) throw ArgumentError("[tensor] holds ", dtype_, ", was read as ", wanted);
  if (!device().is_host())
    throw ArgumentError("[tensor] ", dtype_, " ", shape_, " lives on ", device(),
                        ", where the host may not look; .to(Device{}) brings it here");
}

Tensor Tensor::reshape(const Shape& shape) const {
  if (shape.elements() != elements_)
    throw ArgumentError("[reshape] ", shape_, " has ", elements_, " elements, ", shape, " has ",
                        shape.elements());
  Tensor t = *this;
  t.shape_ = shape;
  return t;
}

Tensor Tensor::reshape(const std::vector<Index>& extents) const {
  Index known = 1;
  int open = -1;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] != -1)
      known *= extents[i];
    else if (open == -1)
      open = static_cast<int>(i);
    else
      throw ArgumentError("[reshape] only one extent may be -1");
  }
  if (open >= 0 && (known == 0 || elements_ % known != 0))
    throw ArgumentError("[reshape] ", shape_, " does not divide into rows of ", known, " elements");
  Shape s;
  for (std::size_t i = 0; i < extents.size(); ++i)
    s.push_back(static_cast<int>(i) == open ? elements_ / known : extents[i]);
  return reshape(s);
}

Tensor Tensor::slice_rows(Index begin, Index end) const {
  if (rank() == 0 || begin < 0 || end < begin || end > shape_[0])
    throw ArgumentError("[slice_rows] rows [", begin, ",", end, ") of shape ", shape_);
  Shape s = shape_;
  s[0] = end - begin;
  const Index row = shape_[0] == 0 ? 0 : elements_ / shape_[0];
  return view(begin * row, s);
}

Tensor Tensor::view(Index offset, const Shape& shape) const {
  const Index count = shape.elements();
  if (offset < 0 || count > elements_ || offset > elements_ - count)
    throw ArgumentError("[view] ", shape, " at element ", offset, " leaves a tensor of ", elements_,
                        " elements");
  Tensor t = *this;
  t.offset_ += static_cast<std::size_t>(offset) * size_of(dtype_);
  t.shape_ = shape;
  t.elements_ = count;
  return t;
}

Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor t = empty(shape_, dtype_, device());
  t.copy_from(*this);
  return t;
}

Tensor Tensor::to(Dtype dtype) const {
  if (!defined() || dtype == dtype_) return *this;
  Tensor t = empty(shape_, dtype, device());
  if (elements_ > 0) backend_of(*this, Work::elementwise)->cast(*this, t);
  return t;
}

Tensor Tensor::to(Device device) const {
  if (!defined() || device == this->device()) return *this;
  Tensor t = empty(shape_, dtype_, device);
  t.copy_from(*this);
  return t;
}

void Tensor::copy_from(const Tensor& source) {
  if (source.elements_ != elements_ || source.dtype_ != dtype_)
    throw ArgumentError("[copy_from] ", source.shape_, " ", source.dtype_, " into ", shape_, " ", dtype_);
  if (elements_ == 0) return;
  const Device from = source.device(), here = device();
  if (from == here) {
    if (source.raw() != raw())
      backend_of(*this, Work::shaping)->copy_bytes(mutable_raw(), source.raw(), bytes());
  } else if (from.is_host()) {
    backend_of(*this, Work::shaping)->upload(mutable_raw(), source.raw(), bytes());
  } else if (here.is_host()) {
    backend_of(source, Work::shaping)->download(mutable_raw(), source.raw(), bytes());
  } else {
    copy_from(source.to(Device{}));
  }
}

void Tensor::fill(double value) {
  if (elements_ > 0) backend_of(*this, Work::elementwise)->fill(*this, value);
}

double Tensor::item() const {
  if (!defined()) throw ArgumentError("[item] undefined tensor: it has no numbers");
  if (elements_ != 1) throw ArgumentError("[item] expects one element, shape is ", shape_);
  return to(Dtype::f64).data<double>()[0];
}

}  // namespace basin
