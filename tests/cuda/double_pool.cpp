// The caching allocator on the double: what it keeps, what it gives back when memory runs out, and that a
// record's memory is nobody else's.
#include <doctest/doctest.h>
#include <runtime_double.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "cuda/runtime/pool.h"
#include "cuda/runtime/stream.h"

using namespace basin;
using cuda::Pool;

namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

/// Cards with that much memory beside what other tests hold, for a scope.
struct WithMemory {
  explicit WithMemory(std::size_t bytes) {
    cuda::make_current(0);
    fake::set_memory(fake::live_bytes() + bytes);
  }
  ~WithMemory() { fake::set_memory(std::size_t{8} << 30); }
  WithMemory(const WithMemory&) = delete;
  WithMemory& operator=(const WithMemory&) = delete;
};

}  // namespace

TEST_CASE("double: the pool hands a block out again, for sizes like its own") {
  const WithMemory memory(64 * kMebibyte);
  Pool pool(0);
  std::byte* a = pool.take(1000);
  CHECK(reinterpret_cast<std::uintptr_t>(a) % 256 == 0);
  std::byte* b = pool.take(1000);
  CHECK(a != b);
  CHECK(pool.figures().in_use == 2 * 1024);
  pool.give_back(a);
  CHECK(pool.take(900) == a);
  pool.give_back(a);
  CHECK(pool.take(10) != a);  // would waste more than an eighth of it
  CHECK(pool.take(4000) != a);
  pool.give_back(b);
  CHECK(pool.figures().peak >= pool.figures().in_use);
}

TEST_CASE("double: the pool's blocks never overlap") {
  const WithMemory memory(64 * kMebibyte);
  Pool pool(0);
  struct Block {
    std::byte* start;
    std::size_t bytes;
  };
  std::vector<Block> blocks;
  for (std::size_t i = 1; i < 200; ++i) {
    const std::size_t bytes = i * 37 % 5000 + 1;
    blocks.push_back({pool.take(bytes), bytes});
    if (i % 3 == 0) {
      pool.give_back(blocks[i / 2 % blocks.size()].start);
      blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i / 2 % blocks.size()));
    }
  }
  std::set<std::pair<std::byte*, std::byte*>> taken;
  for (const Block& b : blocks) taken.insert({b.start, b.start + b.bytes});
  CHECK(taken.size() == blocks.size());
  std::byte* end = nullptr;
  for (const auto& [from, to] : taken) {
    CHECK(from >= end);
    end = to;
  }
}

TEST_CASE("double: the pool gives back what nobody uses before it says that memory ran out") {
  const WithMemory memory(10 * kMebibyte);
  Pool pool(0);
  std::byte* first = pool.take(6 * kMebibyte);
  pool.give_back(first);
  std::byte* second = pool.take(8 * kMebibyte);  // fits only when the first is the card's again
  CHECK(pool.figures().held == 8 * kMebibyte);
  try {
    static_cast<void>(pool.take(4 * kMebibyte));
    FAIL("there was memory");
  } catch (const MemoryError& e) {
    const std::string what = e.what();
    CHECK(what.find("out of memory on cuda:0: 4194304 bytes were asked for, 8388608 are in use here") !=
          std::string::npos);
  }
  pool.give_back(second);
  CHECK(pool.take(8 * kMebibyte) == second);  // and goes on after the error
}

TEST_CASE("double: a pool that ends gives all of its memory back") {
  const std::size_t before = fake::live_bytes();
  {
    Pool pool(0);
    pool.give_back(pool.take(5000));
    static_cast<void>(pool.take(100));
    CHECK(fake::live_bytes() > before);
  }
  CHECK(fake::live_bytes() == before);
}

TEST_CASE("double: what an arena used is nobody else's while it lives") {
  const WithMemory memory(64 * kMebibyte);
  Pool pool(0);
  Pool::Arena* arena = pool.make_arena();
  CHECK(pool.enter(arena) == nullptr);
  std::byte* inside = pool.take(2000);
  pool.give_back(inside);
  CHECK(pool.take(2000) == inside);  // within the record, order makes it safe
  CHECK(pool.enter(nullptr) == arena);
  pool.give_back(inside);  // a tensor of the record that outlived it: the block is the arena's still
  std::byte* outside = pool.take(2000);
  CHECK(outside != inside);
  pool.enter(arena);
  CHECK(pool.take(2000) == inside);
  pool.enter(nullptr);
  pool.drop_arena(arena);
  pool.give_back(inside);
  CHECK(pool.take(2000) == inside);
}

TEST_CASE("double: a pool that caches nothing asks for each block, and for no more than its bytes") {
  const std::size_t before = fake::live_bytes();
  Pool pool(0, false);
  std::byte* a = pool.take(1000);
  CHECK(fake::live_bytes() == before + 1000);
  Pool::Arena* arena = pool.make_arena();
  pool.enter(arena);
  std::byte* recorded = pool.take(1000);
  pool.give_back(recorded);
  CHECK(pool.take(1000) == recorded);  // a record keeps its addresses
  pool.give_back(a);                   // while a record is written CUDA takes nothing back
  CHECK(fake::live_bytes() > before + 1000);
  pool.give_back(recorded);
  pool.enter(nullptr);
  pool.drop_arena(arena);
  pool.give_back(pool.take(10));
  CHECK(fake::live_bytes() == before);
}
