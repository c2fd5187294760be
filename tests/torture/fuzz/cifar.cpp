// The binary versions of CIFAR-10 and CIFAR-100.
#include "data/formats/cifar.h"

#include "core/error.h"
#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  const std::string& path = file_with(bytes);
  for (const data::CifarLayout& layout : {data::kCifar10, data::kCifar100}) {
    const auto record = static_cast<std::size_t>(layout.label_bytes + 3072);
    const std::size_t records = std::max<std::size_t>(1, bytes.size() / record);
    std::vector<std::uint8_t> pixels(records * 3072);
    std::vector<std::int64_t> labels;
    try {
      data::read_cifar(path, layout, static_cast<std::int64_t>(records), pixels.data(), labels);
      expect(labels.size() == records, "each record has a label");
      for (const std::int64_t label : labels)
        expect(label >= 0 && label < layout.classes, "a label is a class");
    } catch (const DataError&) {  // the other layout may fit
    }
  }
}
