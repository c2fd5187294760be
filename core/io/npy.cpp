// The format is that of numpy.lib.format.
#include "core/io/npy.h"

#include "core/error.h"
#include "core/io/files.h"

namespace basin {
namespace {

constexpr std::size_t kAlignment = 64;

const char* descr(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return "<f4";
    case Dtype::f64:
      return "<f8";
    case Dtype::bf16:
      throw InternalError("[npz] NumPy has no type for bf16: it is written as f32");
    case Dtype::i64:
      return "<i8";
    case Dtype::u8:
      break;
  }
  return "|u1";
}

}  // namespace

std::string npy_header(Dtype dtype, const Shape& shape) {
  std::string dictionary = text("{'descr': '", descr(dtype), "', 'fortran_order': False, 'shape': (");
  for (int i = 0; i < shape.rank(); ++i) dictionary += text(i > 0 ? ", " : "", shape[i]);
  dictionary += shape.rank() == 1 ? ",), }" : "), }";
  const std::size_t before = 10, unpadded = before + dictionary.size() + 1;
  dictionary.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dictionary += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dictionary.size() & 0xff);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

void write_npy(const std::string& path, const Tensor& tensor) {
  if (!tensor.defined()) throw ArgumentError("[npy] ", path, ": the tensor is undefined");
  const Tensor t = tensor.to(Device{}).to(compute_dtype(tensor.dtype()));
  write_file_atomically(path, [&](FileWriter& out) {
    out.write(npy_header(t.dtype(), t.shape()));
    out.write(t.raw(), t.bytes());
  });
}

}  // namespace basin
