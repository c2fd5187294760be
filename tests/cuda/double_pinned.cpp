// Pinned memory on the double, whose copies are made as late as they may: what is sent arrives as it was, and
// what comes home can be waited for while the card goes on.
#include <doctest/doctest.h>
#include <runtime_double.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "core/backend.h"
#include "core/ops.h"
#include "cuda/runtime/pinned.h"
#include "tests/cuda/device.h"

using namespace basin;
using basin::testing::cuda_device;

namespace {

/// Whether blocks are given back to the card as they come (tests/cuda/proof.sh sanitizers): each waits for
/// it.
bool frees_at_once() { return std::getenv("BASIN_TEST_EXACT_MEMORY") != nullptr; }

/// Memory of the first card, and a stream, for a scope.
struct Card {
  explicit Card(std::size_t bytes) {
    cuda::make_current(0);
    stream.emplace();
    cuda::check(cudaMalloc(reinterpret_cast<void**>(&memory), bytes), "cudaMalloc");
  }
  ~Card() {
    static_cast<void>(cudaFree(memory));
    stream.reset();
  }
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;
  /// The bytes from there on, when all is done.
  std::vector<unsigned char> read(std::size_t from, std::size_t count) const {
    stream->wait();
    std::vector<unsigned char> bytes(count);
    cuda::check(cudaMemcpy(bytes.data(), memory + from, count, cudaMemcpyDeviceToHost), "cudaMemcpy");
    return bytes;
  }

  std::optional<cuda::Stream> stream;
  std::byte* memory = nullptr;
};

}  // namespace

TEST_CASE("double: what is sent through a ring arrives as it was, however often the ring goes round") {
  constexpr std::size_t kEach = 300, kCount = 60;
  const Card card(kEach * kCount);
  cuda::SendingRing ring(4096);
  const std::size_t stalls = fake::stalls();
  std::vector<unsigned char> bytes(kEach);
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::size_t size = i % 7 == 0 ? 1 : kEach - i;
    std::memset(bytes.data(), static_cast<int>(i + 1), size);
    ring.send(card.memory + i * kEach, reinterpret_cast<const std::byte*>(bytes.data()), size,
              card.stream->get());
    std::memset(bytes.data(), 0, kEach);  // the caller's memory is the caller's again
  }
  CHECK(fake::stalls() == stalls);  // it waited for the oldest piece, never for all
  for (std::size_t i = 0; i < kCount; ++i) {
    CAPTURE(i);
    const std::size_t size = i % 7 == 0 ? 1 : kEach - i;
    const std::vector<unsigned char> there = card.read(i * kEach, size);
    CHECK(there == std::vector<unsigned char>(size, static_cast<unsigned char>(i + 1)));
  }
}

TEST_CASE("double: what is too large for the ring goes from where it lies") {
  const Card card(5000);
  cuda::SendingRing ring(4096);
  std::vector<unsigned char> bytes(5000, 7);
  CHECK(bytes.size() > ring.most());
  ring.send(card.memory, reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), card.stream->get());
  bytes.assign(bytes.size(), 0);
  CHECK(card.read(0, 5000) == std::vector<unsigned char>(5000, 7));
}

TEST_CASE("double: tensors are sent while the card has work, and nobody waits") {
  const Device device = cuda_device();
  Tensor sum = Tensor::zeros({3}, Dtype::f32, device);
  const std::size_t stalls = fake::stalls();
  for (int i = 1; i <= 100; ++i)
    sum = sum + Tensor::from(std::vector<float>{static_cast<float>(i), 2, 3}).to(device);
  if (!frees_at_once()) CHECK(fake::stalls() == stalls);
  CHECK(sum.to(Device{}).to_vector<float>() == std::vector<float>{5050, 200, 300});
  CHECK(fake::stalls() > stalls);
}

TEST_CASE("double: numbers on their way home are those of their moment, and the card goes on meanwhile") {
  const Device device = cuda_device();
  Tensor x = Tensor::zeros({2}, Dtype::f64, device);
  std::vector<std::unique_ptr<Arrival>> all;
  const std::size_t stalls = fake::stalls();
  for (int i = 0; i < 5; ++i) {
    x.fill(i);
    all.push_back(backend(device).send_home(x.raw(), x.bytes()));
    if (i == 2) all.back().reset();  // nobody wants it; its place may be used again at once
  }
  x = Tensor();
  const auto first_of = [](Arrival& a) {
    double number = -1;
    std::memcpy(&number, a.wait(), sizeof number);
    return number;
  };
  for (const int i : {0, 3, 1}) CHECK(first_of(*all[static_cast<std::size_t>(i)]) == i);
  if (!frees_at_once()) CHECK(fake::stalls() == stalls);  // the last one was still under way
  CHECK(first_of(*all[4]) == 4);
  CHECK(fake::stalls() > stalls);
}
