// NumPy's arrays by name in a zip file.
#include "core/io/npz.h"

#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  const NpzFile file(file_with(bytes));
  for (const ArchiveTensor& tensor : file.tensors()) {
    try {
      file.read(tensor.name, tensor.shape.rank() == 4 ? FileLayout::convolution : FileLayout::plain);
    } catch (const CheckpointError&) {  // of this array alone
    }
  }
}
