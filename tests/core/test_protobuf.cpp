// Protocol buffers: the bytes of the encoding guide's examples, and of its awkward numbers.
#include "core/io/protobuf.h"

#include <doctest/doctest.h>

#include <limits>

#include "core/error.h"

using namespace basin;

namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (int v : values) out.push_back(static_cast<char>(v));
  return out;
}

}  // namespace

TEST_CASE("protobuf: integers are varints, seven bits a byte") {
  CHECK(ProtobufMessage().integer(1, 0).bytes() == bytes({0x08, 0x00}));
  CHECK(ProtobufMessage().integer(1, 127).bytes() == bytes({0x08, 0x7f}));
  CHECK(ProtobufMessage().integer(1, 128).bytes() == bytes({0x08, 0x80, 0x01}));
  CHECK(ProtobufMessage().integer(1, 150).bytes() == bytes({0x08, 0x96, 0x01}));
  // A negative number is its 64-bit two's complement: ten bytes.
  CHECK(ProtobufMessage().integer(2, -1).bytes() ==
        bytes({0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
  CHECK(ProtobufMessage().integer(2, std::numeric_limits<std::int64_t>::min()).bytes() ==
        bytes({0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}));
  // From field 16 on the key has two bytes: 20 << 3 = 160.
  CHECK(ProtobufMessage().integer(20, 1).bytes() == bytes({0xa0, 0x01, 0x01}));
}

TEST_CASE("protobuf: floats are four bytes, texts and messages have their length before them") {
  CHECK(ProtobufMessage().number(2, 1.0f).bytes() == bytes({0x15, 0x00, 0x00, 0x80, 0x3f}));
  CHECK(ProtobufMessage().number(2, -0.0f).bytes() == bytes({0x15, 0x00, 0x00, 0x00, 0x80}));
  CHECK(ProtobufMessage().string(2, "testing").bytes() == bytes({0x12, 0x07}) + "testing");
  CHECK(ProtobufMessage().string(2, "").bytes() == bytes({0x12, 0x00}));
  CHECK(ProtobufMessage().message(3, ProtobufMessage().integer(1, 150)).bytes() ==
        bytes({0x1a, 0x03, 0x08, 0x96, 0x01}));
  CHECK(ProtobufMessage().announce(9, 300).bytes() == bytes({0x4a, 0xac, 0x02}));
}

TEST_CASE("protobuf: fields are read back, and nothing past the end of a message") {
  const std::string message =
      ProtobufMessage().integer(1, -150).string(2, "testing").number(20, 1.5f).bytes() +
      bytes({0x19, 1, 2, 3, 4, 5, 6, 7, 8});  // field 3, eight bytes
  ProtobufFields f(message);
  REQUIRE(f.next());
  CHECK(f.number() == 1);
  CHECK(f.integer() == -150);
  CHECK(f.bytes().empty());
  REQUIRE(f.next());
  CHECK(f.number() == 2);
  CHECK(f.bytes() == "testing");
  REQUIRE(f.next());
  CHECK(f.number() == 20);
  CHECK(f.bytes() == bytes({0x00, 0x00, 0xc0, 0x3f}));
  REQUIRE(f.next());
  CHECK(f.bytes() == bytes({1, 2, 3, 4, 5, 6, 7, 8}));
  CHECK_FALSE(f.next());
  const auto refused = [](std::initializer_list<int> values) {
    const std::string damaged = bytes(values);
    CHECK_THROWS_AS(ProtobufFields(damaged).next(), CheckpointError);
  };
  refused({0x08});                                                                    // no value
  refused({0x08, 0x80});                                                              // half a varint
  refused({0x12, 0x02, 'a'});                                                         // one byte too few
  refused({0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01});        // 2^64 - 1 bytes
  refused({0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01});  // eleven bytes
  refused({0x0b});                                                                    // a group
  refused({0x00, 0x01});                                                              // field 0
}
