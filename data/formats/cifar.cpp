#include "data/formats/cifar.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "data/formats/file.h"

namespace basin::data {

void read_cifar(const std::string& path, const CifarLayout& layout, std::int64_t records,
                std::uint8_t* pixels, std::vector<std::int64_t>& labels, const Watch& watch) {
  constexpr std::size_t kPlane = 32 * 32;
  const auto label_bytes = static_cast<std::size_t>(layout.label_bytes);
  std::vector<std::uint8_t> record(label_bytes + 3 * kPlane);
  const std::uint64_t expected = static_cast<std::uint64_t>(records) * record.size();
  if (const std::uint64_t size = regular_file_size(path); size != expected) {
    if (const Packing* packing = packing_of(first_bytes(path))) throw DataError(unpack_first(path, *packing));
    throw DataError(path, ": ", size, " bytes, expected ", expected, " (", records, " records of ",
                    record.size(), " bytes); ",
                    size < expected ? "the file is cut off" : "this is another file");
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw DataError(path, ": cannot be opened: ", std::strerror(errno));
  for (std::int64_t n = 0; n < records; ++n) {
    if (watch && n % 256 == 0) watch(n, records);
    if (std::fread(record.data(), 1, record.size(), file.get()) != record.size()) {
      throw DataError(
          path, ": record ", n, " cannot be read: ",
          std::ferror(file.get()) != 0 ? std::strerror(errno) : "the file was cut while being read");
    }
    const int label = record[label_bytes - 1];
    if (label >= layout.classes) {
      throw DataError(path, ": label ", label, " at record ", n, " is not below ", layout.classes);
    }
    labels.push_back(label);
    const std::uint8_t* planes = record.data() + label_bytes;
    for (std::size_t i = 0; i < kPlane; ++i) {
      *pixels++ = planes[i];
      *pixels++ = planes[kPlane + i];
      *pixels++ = planes[2 * kPlane + i];
    }
  }
}

}  // namespace basin::data
