// Files of tensors in the safetensors format.
#include "core/io/archive.h"

#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  const Archive archive(file_with(bytes));
  for (const ArchiveTensor& tensor : archive.tensors()) {
    try {
      archive.read(tensor.name);
    } catch (const CheckpointError&) {  // of this tensor alone: the others are read all the same
    }
  }
  archive.verify();
}
