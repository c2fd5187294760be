// The caching allocator: alignment, reuse, joining of free neighbours, bounded waste, threads, errors.
#include "core/cpu/memory/arena.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "core/cpu/backend.h"
#include "core/error.h"
#include "core/tensor.h"

namespace {

using basin::cpu::Arena;

struct Held {
  std::byte* data;
  std::size_t bytes;
};

std::size_t next_random(std::size_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 33;
}

TEST_CASE("arena: blocks are aligned, apart from each other and of the size asked for") {
  Arena arena;
  std::vector<Held> held;
  for (std::size_t bytes = 0; bytes < 3000; bytes += 37) held.push_back({arena.allocate(bytes), bytes});
  for (std::size_t bytes : {65536u, 65537u, 100000u, 1000000u, 5000001u, 70000000u})
    held.push_back({arena.allocate(bytes), bytes});
  unsigned char tag = 0;
  for (const Held& h : held) {
    CHECK(reinterpret_cast<std::uintptr_t>(h.data) % 64 == 0);
    if (h.bytes > 0) std::memset(h.data, ++tag, h.bytes);
  }
  tag = 0;
  for (const Held& h : held) {
    if (h.bytes == 0) continue;
    const std::byte want{++tag};
    CHECK(h.data[0] == want);
    CHECK(h.data[h.bytes / 2] == want);
    CHECK(h.data[h.bytes - 1] == want);
  }
  CHECK(arena.statistics().blocks == held.size());
  for (const Held& h : held) arena.release(h.data, h.bytes);
  CHECK(arena.statistics().blocks == 0);
  CHECK(arena.statistics().in_use == 0);
}

TEST_CASE("arena: the same requests again need nothing from the system") {
  Arena arena;
  const std::size_t sizes[] = {10, 100, 5000, 64 << 10, (64 << 10) + 1, 300000, 1 << 20, 12345678, 33 << 20};
  std::vector<Held> held;
  const auto step = [&] {
    for (std::size_t bytes : sizes) held.push_back({arena.allocate(bytes), bytes});
    for (std::size_t i = 0; i < held.size(); i += 2) arena.release(held[i].data, held[i].bytes);
    for (std::size_t i = 0; i < held.size(); i += 2) held[i].data = arena.allocate(held[i].bytes);
    for (const Held& h : held) arena.release(h.data, h.bytes);
    held.clear();
  };
  step();
  const auto first = arena.statistics();
  for (int i = 0; i < 20; ++i) step();
  CHECK(arena.statistics().mapped == first.mapped);
  CHECK(arena.statistics().peak_in_use == first.peak_in_use);
  CHECK(arena.statistics().cached() == first.mapped);
  // The block released last is the one handed out next.
  std::byte* const small = arena.allocate(1000);
  arena.release(small, 1000);
  CHECK(arena.allocate(1000) == small);
  arena.release(small, 1000);
}

TEST_CASE("arena: no page faults in steady state") {
  Arena arena;
  const std::size_t bytes = 24 << 20;
  const auto step = [&] {
    std::byte* a = arena.allocate(bytes);
    std::byte* b = arena.allocate(bytes / 3);
    std::memset(a, 1, bytes);
    std::memset(b, 2, bytes / 3);
    arena.release(a, bytes);
    arena.release(b, bytes / 3);
  };
  step();
  rusage before{}, after{};
  getrusage(RUSAGE_THREAD, &before);
  for (int i = 0; i < 10; ++i) step();
  getrusage(RUSAGE_THREAD, &after);
  CHECK(after.ru_minflt - before.ru_minflt < 100);  // 80,000 with fresh pages
}

TEST_CASE("arena: free neighbours join") {
  Arena arena;
  const std::size_t piece = 1 << 20, count = 40;
  std::vector<std::byte*> pieces;
  for (std::size_t i = 0; i < count; ++i) pieces.push_back(arena.allocate(piece));
  const std::size_t mapped = arena.statistics().mapped;
  for (std::size_t i = 0; i < count; i += 2) arena.release(pieces[i], piece);
  for (std::size_t i = 1; i < count; i += 2) arena.release(pieces[i], piece);
  std::byte* whole = arena.allocate(piece * count);
  CHECK(whole == pieces[0]);
  CHECK(arena.statistics().mapped == mapped);
  arena.release(whole, piece * count);
}

TEST_CASE("arena: at most an eighth of a small block is waste, and half a KiB of a large one") {
  Arena arena;
  for (std::size_t bytes = 1; bytes < 400000; bytes += bytes / 7 + 1) {
    CAPTURE(bytes);
    std::byte* data = arena.allocate(bytes);
    CHECK(arena.statistics().in_use >= bytes);
    CHECK(arena.statistics().in_use <= (bytes <= 65536 ? bytes + bytes / 8 + 63 : bytes + 512));
    arena.release(data, bytes);
  }
}

TEST_CASE("arena: trim returns what holds no live block") {
  Arena arena;
  std::byte* small = arena.allocate(100);
  std::byte* large = arena.allocate(1 << 20);
  std::byte* larger = arena.allocate(100 << 20);
  arena.release(larger, 100 << 20);
  arena.trim();
  CHECK(arena.statistics().mapped < 100u << 20);
  small[99] = std::byte{7};
  large[0] = std::byte{8};
  arena.release(large, 1 << 20);
  arena.trim();
  CHECK(arena.statistics().mapped == 2u << 20);  // the chunk of the small block
  CHECK(small[99] == std::byte{7});
  arena.release(small, 100);
  arena.trim();
  CHECK(arena.statistics().mapped == 0);
  // And it goes on from there.
  small = arena.allocate(100);
  small[0] = std::byte{1};
  arena.release(small, 100);
}

TEST_CASE("arena: random requests never overlap and all memory comes back") {
  Arena arena;
  std::vector<Held> held;
  std::size_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    if (held.size() < 100 && next_random(state) % 2 == 0) {
      const std::size_t shift = next_random(state) % 20;
      const std::size_t bytes = 8 + next_random(state) % (std::size_t{8} << shift);
      std::byte* data = arena.allocate(bytes);
      std::memcpy(data, &bytes, sizeof bytes);
      std::memcpy(data + bytes - sizeof bytes, &bytes, sizeof bytes);
      held.push_back({data, bytes});
    } else if (!held.empty()) {
      const std::size_t at = next_random(state) % held.size();
      const Held h = held[at];
      std::size_t front = 0, back = 0;
      std::memcpy(&front, h.data, sizeof front);
      std::memcpy(&back, h.data + h.bytes - sizeof back, sizeof back);
      REQUIRE((h.bytes < 16 || front == h.bytes));
      REQUIRE(back == h.bytes);
      arena.release(h.data, h.bytes);
      held[at] = held.back();
      held.pop_back();
    }
    if (i % 5000 == 0) arena.trim();
  }
  for (const Held& h : held) arena.release(h.data, h.bytes);
  CHECK(arena.statistics().in_use == 0);
  arena.trim();
  CHECK(arena.statistics().mapped == 0);
}

TEST_CASE("arena: many threads at once") {
  Arena arena;
  std::vector<std::thread> threads;
  std::vector<int> bad(4, 0);
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::size_t state = t + 1;
      for (int i = 0; i < 3000; ++i) {
        const std::size_t bytes = 1 + next_random(state) % 200000;
        std::byte* data = arena.allocate(bytes);
        data[0] = data[bytes - 1] = std::byte(t);
        if (i % 64 == 0) arena.trim();
        if (data[0] != std::byte(t) || data[bytes - 1] != std::byte(t)) ++bad[t];
        arena.release(data, bytes);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (int b : bad) CHECK(b == 0);
  CHECK(arena.statistics().blocks == 0);
}

TEST_CASE("arena: a request that cannot be met says how much, and changes nothing") {
  Arena arena;
  std::byte* held = arena.allocate(5 << 20);
  std::string message;
  try {
    arena.allocate(std::size_t{1} << 45);
  } catch (const basin::MemoryError& e) {
    message = e.what();
    CHECK(e.code() == basin::ExitCode::out_of_memory);
  }
  CHECK(message.find("32.0 TiB") != std::string::npos);
  CHECK(message.find("in use: 5.0 MiB") != std::string::npos);
  CHECK_THROWS_AS(arena.allocate(SIZE_MAX), basin::MemoryError);
  CHECK(arena.statistics().blocks == 1);
  arena.release(held, 5 << 20);
}

TEST_CASE("arena: tensors and buffers give back what they took") {
  const auto before = basin::cpu::arena().statistics();
  {
    const basin::Tensor t = basin::Tensor::zeros({1000, 1000});
    basin::cpu::Buffer<double> buffer(100), moved(std::move(buffer));
    moved[99] = 1;
    CHECK(moved.size() == 100);
  }
  CHECK(basin::cpu::arena().statistics().in_use == before.in_use);
  CHECK(basin::cpu::arena().statistics().blocks == before.blocks);
}

}  // namespace
