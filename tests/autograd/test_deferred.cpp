// Results that wait for their reader: whoever reads them, and however often, sees the numbers and the
// gradients of ops that ran when they were called, and the history has the ops that ran.
#include "tests/autograd/deferred_net.h"

using namespace deferred_net;

TEST_CASE("deferred: a norm with all that may follow it has the bits of the ops in a row") {
  SUBCASE("ReLU") {
    check_alike([](const Net& n) { return relu(n.norm(n.x)); });
  }
  SUBCASE("sum") {
    check_alike([](const Net& n) { return n.norm(n.x) + n.other; });
  }
  SUBCASE("sum, from the right") {
    check_alike([](const Net& n) { return n.other + n.norm(n.x); });
  }
  SUBCASE("sum and ReLU") {
    check_alike([](const Net& n) { return relu(n.norm(n.x) + n.other); });
  }
  SUBCASE("sum of two norms") {
    check_alike([](const Net& n) { return relu(n.norm(n.x) + n.norm2(n.other)); });
  }
  SUBCASE("sum with itself") {
    check_alike([](const Net& n) {
      const Variable y = n.norm(n.x);
      return y + y;
    });
  }
  SUBCASE("convolution") {
    check_alike([](const Net& n) { return n.conv(n.norm(n.x)); });
  }
  SUBCASE("ReLU and convolution") {
    check_alike([](const Net& n) { return n.conv(relu(n.norm(n.x))); });
  }
  SUBCASE("given statistics") {
    check_alike([](const Net& n) { return n.conv(relu(n.norm_given(n.x))); });
  }
  SUBCASE("a sum before the convolution") {
    check_alike([](const Net& n) { return n.conv(relu(n.norm(n.x) + n.other)); });
  }
  SUBCASE("a broadcast sum") {
    check_alike([](const Net& n) { return n.conv(n.norm(n.x)) + n.beta2; });
  }
}

TEST_CASE("deferred: readers take along what waits, and what is recorded is their joint op") {
  const Net n;
  const Variable y = run(
      n, [](const Net& net) { return net.conv(relu(net.norm(net.x))); }, true);
  CHECK(op_of(y) == "batch_norm_conv2d_train");
  CHECK(op_of(run(
            n, [](const Net& net) { return net.conv(net.norm_given(net.x)); }, true)) ==
        "batch_norm_conv2d_eval");
  const Variable sum = run(
      n, [](const Net& net) { return relu(net.norm(net.x) + net.other); }, true);
  CHECK(op_of(sum) == "batch_norm_train");
  REQUIRE(sum.node()->inputs().size() == 6);
  CHECK(sum.node()->inputs()[5].node == n.other.node());
  // A norm that keeps its own place does.
  const Variable plain = run(
      n,
      [](const Net& net) {
        return net.conv(relu(
            batch_norm_eval(net.x, net.gamma, net.beta, net.mean, net.var, {.joins_convolution = false})));
      },
      true);
  CHECK(op_of(plain) == "conv2d");
  CHECK(op_of_input(plain, 0) == "batch_norm_eval");
}

TEST_CASE("deferred: a convolution forms moments for a norm of the batch, with the bits of its own op") {
  for (Dtype dtype : kBothDtypes) {
    const Net n(dtype);
    const auto [c, moments] = conv2d_moments(n.x, n.w, kSame);
    const Variable want = batch_norm_train(c, n.gamma, n.beta, {.relu = true, .moments = moments}).y;
    const Variable got = run(
        n, [](const Net& net) { return relu(net.norm(net.conv(net.x))); }, true);
    CHECK(same_bits(got.value(), want.value()));
    CHECK(op_of_input(got, 0) == "conv2d");
    // Gradients: the same ops, the same bits.
    const Tensors a = gradients_of(n, got), b = gradients_of(n, want);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(same_bits(a[i], b[i]));
  }
}

TEST_CASE("deferred: a chain of convolutions and norms has the bits of the joint ops called by hand") {
  const Net n;
  const auto [c, of_c] = conv2d_moments(n.x, n.w, kSame);
  Moments of_d;
  const Variable d =
      batch_norm_conv2d_train(c, n.gamma, n.beta, n.w2, {.relu = true, .moments = of_c}, kSame, &of_d).y;
  const Variable want =
      batch_norm_train(d, n.gamma2, n.beta2, {.relu = true, .residual = n.x, .moments = of_d}).y;
  const auto body = [](const Net& net) {
    Variable y = relu(net.norm(net.conv(net.x)));
    y = net.norm2(net.conv2(y));
    return relu(y + net.x);
  };
  const auto nested = [](const Net& net) {
    return relu(net.norm2(net.conv2(relu(net.norm(net.conv(net.x))))) + net.x);
  };
  const Tensors b = gradients_of(n, want);
  // Names of one's own for the steps change nothing.
  for (const Body way : {Body(body), Body(nested)}) {
    const Variable got = run(n, way, true);
    CHECK(same_bits(got.value(), want.value()));
    const Tensors a = gradients_of(n, got);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(same_bits(a[i], b[i]));
  }
}

TEST_CASE("deferred: a norm that is read twice is formed once, before or after a convolution took it along") {
  const auto before = [](const Net& n) {
    const Variable z = relu(n.norm(n.x));
    const Variable skip = n.conv2(z);  // both readers are known when the first is formed
    return n.norm2(n.conv(z)) + skip;
  };
  const auto after = [](const Net& n) {
    const Variable z = relu(n.norm(n.x));
    const Variable y = n.norm2(n.conv(z));  // formed here
    return y + n.conv2(z);
  };
  const auto in_a_sum = [](const Net& n) {
    const Variable z = relu(n.norm(n.x));
    const Variable y = n.norm2(n.conv(z));
    return y + z * 2.0;
  };
  for (Dtype dtype : kBothDtypes) {
    const Net n(dtype);
    for (const Body body : {Body(before), Body(after), Body(in_a_sum)}) {
      const Variable got = run(n, body, true);
      // By hand: the history that the readers should have.
      const Variable z = batch_norm_train(n.x, n.gamma, n.beta, {.relu = true}).y;
      const auto [c, moments] = conv2d_moments(z, n.w, kSame);
      const Variable other = body == Body(in_a_sum) ? z * 2.0 : n.conv2(z);
      const Variable want = batch_norm_train(c, n.gamma2, n.beta2, {.residual = other, .moments = moments}).y;
      CHECK(same_bits(got.value(), want.value()));
      CHECK(op_of_input(got, 0) == "conv2d");
      const Tensors a = gradients_of(n, got), b = gradients_of(n, want);
      for (std::size_t i = 0; i < a.size(); ++i) {
        CAPTURE(i);
        CHECK(same_bits(a[i], b[i]));
      }
    }
  }
}

TEST_CASE("deferred: a norm that is read after a ReLU took it along has the right derivatives by both ways") {
  check_alike([](const Net& n) {
    const Variable y = n.norm(n.x);
    const Variable active = formed(relu(y));
    return active + y * 0.5;
  });
  check_alike([](const Net& n) {
    const Variable y = n.norm(n.x);
    return relu(y) + y;  // both known
  });
}

TEST_CASE("deferred: looking at a value changes neither numbers nor gradients") {
  const auto body = [](const Net& n, int looks) {
    DeferralScope scope;
    const Variable c = n.conv(n.x);
    if ((looks & 1) != 0)
      CHECK(same_bits(c.value(), conv2d(n.x.value(), n.w.value(), conv_geometry(kX, n.w.shape(), kSame))));
    const Variable normalised = n.norm(c);
    if ((looks & 8) != 0) normalised.value();
    const Variable z = relu(normalised);
    if ((looks & 2) != 0) z.value();
    const Variable y = n.conv2(z);
    y.value();
    if ((looks & 4) != 0) z.value();
    scope.finish();
    return y;
  };
  const Net n;
  const Variable want = body(n, 0);
  CHECK(op_of(want) == "batch_norm_conv2d_train");
  const Tensors b = gradients_of(n, want);
  for (int looks = 1; looks < 16; ++looks) {
    CAPTURE(looks);
    const Variable y = body(n, looks);
    CHECK(same_bits(y.value(), want.value()));
    const Tensors a = gradients_of(n, y);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(same_bits(a[i], b[i]));
  }
}
