// Protocol buffers: the bytes of the encoding guide's examples, and of its awkward numbers.
#include "core/protobuf.h"

#include <doctest/doctest.h>

#include <limits>

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
