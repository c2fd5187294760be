// `basin hessian`: what it finds, against the operator itself, and that it goes on where it was interrupted.
#include "apps/lab/curvature/hessian.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <memory>

#include "apps/lab/curvature/eigenvectors.h"
#include "apps/runs/run_config.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "data/loading/chosen.h"
#include "tests/lab/runs.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;
using doctest::Approx;

namespace {

/// The small run's subject over 8 images.
Subject few(nn::Mode mode = nn::Mode::eval, LossOf loss = LossOf::plain) {
  SubjectConfig config = subject_of(small_run());
  config.images = 8;
  config.batch_norm = mode;
  config.loss = loss;
  config.batch_size = 4;
  return open(config);
}

Tensor direction(const Subject& subject, std::uint64_t i) {
  return Probes{.seed = 9, .purpose = 77}.normals({.dim = subject.w->size(), .dtype = subject.w->dtype()}, i);
}

double difference(const Tensor& x, const Tensor& y) {
  return static_cast<double>(norm(x - y)) / static_cast<double>(norm(y));
}

/// A clock that ends the work at its n-th look.
struct Ended {};
Clock ends_after(int looks) {
  return [left = std::make_shared<int>(looks)] {
    if ((*left)-- == 0) throw Ended();
    return 0.0;
  };
}

constexpr HessianConfig kQuick{.top = 1,
                               .tolerance = 0.1,
                               .trace_error = 0.1,
                               .trace_products = 10,
                               .density_steps = 4,
                               .density_starts = 2,
                               .groups = Grouping::kind};

/// Asks the question at the directory, ended after so many looks at the clock; true if it came to its end.
bool ask(const std::string& directory, const HessianConfig& config, int looks = -1) {
  std::ostringstream out, err;
  Terminal terminal(out, err, {.repaint = true}, {});
  const LongWork work(terminal, ends_after(looks));
  Subject subject = few();
  Json question = question_of(config, 0);
  question.set("measured", subject.statement);
  const Answer answer({.out = directory}, "", "hessian", question);
  try {
    const Json result = find_spectrum(config, 0, subject, answer, work);
    answer.write(result, figures_of_spectrum(result));
    return true;
  } catch (const Ended&) {
    return false;
  }
}

std::map<std::string, std::string> files_of(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const std::string& name : list_directory(directory)) files[name] = read_file(directory + "/" + name);
  return files;
}

}  // namespace

TEST_CASE("the Gauss-Newton matrix is the Hessian without the network's own curvature") {
  for (const nn::Mode mode : {nn::Mode::eval, nn::Mode::train}) {
    Subject subject = few(mode);
    const LinearOperator g = curvature_of(subject, CurvatureKind::gauss_newton);
    const Tensor u = direction(subject, 0), v = direction(subject, 1);
    const Tensor gu = g.apply(u), gv = g.apply(v);
    const double ugv = dot(u, gv), vgu = dot(v, gu), ugu = dot(u, gu);
    CHECK(ugv == Approx(vgu).epsilon(1e-3));
    CHECK(ugu > 0);
    // The last layer's logits are linear in its own weights: there the two are one.
    const std::vector<ParameterGroup> stages = groups_of(*subject.w, Grouping::stage);
    REQUIRE(stages.back().name == "fc");
    const LinearOperator block = restricted(g, stages.back().parts);
    const LinearOperator same =
        restricted(curvature_of(subject, CurvatureKind::hessian), stages.back().parts);
    const Tensor x = Probes{.seed = 3}.normals(block, 0);
    CHECK(difference(block.apply(x), same.apply(x)) < 1e-4);
  }
}

TEST_CASE("the empirical Fisher is the mean of g g^T over the images") {
  SubjectConfig config = subject_of(small_run());
  config.images = 5;
  config.batch_size = 3;
  Subject subject = open(config);
  const Tensor v = direction(subject, 0);
  Tensor expected = Tensor::zeros({subject.w->size()}, Dtype::f64);
  for (std::int64_t i = 0; i < 5; ++i) {
    const DatasetObjective one(*subject.run.model, *subject.w,
                               data::chosen(subject.examples, std::vector<std::int64_t>{i}));
    const Tensor g = one({}).gradient.to(Dtype::f64);
    axpby(static_cast<double>(dot(g, v.to(Dtype::f64))) / 5, g, 1, expected);
  }
  const Tensor found = curvature_of(subject, CurvatureKind::fisher).apply(v);
  CHECK(difference(found.to(Dtype::f64), expected) < 1e-4);
}

TEST_CASE("5.5.11 differences come near the exact product, and leave the weights their bits") {
  Subject subject = few();
  const std::vector<float> before = subject.w->values().to_vector<float>();
  // Along the gradient: kinks of ReLU, which only differences see, are noise in other directions.
  const Tensor v = subject.objective()({}).gradient;
  const double exact = dot(v, curvature_of(subject, CurvatureKind::hessian).apply(v)),
               near = dot(v, curvature_of(subject, CurvatureKind::differences).apply(v));
  CHECK(near == Approx(exact).epsilon(0.1));
  CHECK(subject.w->values().to_vector<float>() == before);
  CHECK(norm(difference_product(subject, Tensor::zeros({subject.w->size()}))) == 0);
  CHECK_THROWS_AS(difference_product(subject, v, [](std::int64_t, std::int64_t) { throw Ended(); }), Ended);
  CHECK(subject.w->values().to_vector<float>() == before);
}

TEST_CASE("5.5.13 weight decay moves every eigenvalue by itself") {
  Subject plain = few(), decayed = few(nn::Mode::eval, LossOf::trained);
  const double decay = decayed.loss.weight_decay;
  REQUIRE(decay > 0);
  for (const CurvatureKind kind : {CurvatureKind::hessian, CurvatureKind::gauss_newton, CurvatureKind::fisher,
                                   CurvatureKind::differences}) {
    const Tensor v = direction(plain, 2);
    const Tensor more = curvature_of(decayed, kind).apply(v) - curvature_of(plain, kind).apply(v);
    CHECK(static_cast<double>(dot(more, v)) / static_cast<double>(dot(v, v)) == Approx(decay).epsilon(0.02));
  }
}

TEST_CASE("groups have every coordinate once") {
  const Subject subject = few();
  for (const Grouping grouping : {Grouping::layer, Grouping::stage, Grouping::kind}) {
    Index all = 0;
    for (const ParameterGroup& group : groups_of(*subject.w, grouping)) all += group.size();
    CHECK(all == subject.w->size());
  }
  std::vector<std::string> names;
  for (const ParameterGroup& group : groups_of(*subject.w, Grouping::kind)) names.push_back(group.name);
  CHECK(names == std::vector<std::string>{"weight", "norm", "bias"});
  CHECK(groups_of(*subject.w, Grouping::layer).front().name == "conv1");
  CHECK(groups_of(*subject.w, Grouping::none).empty());
}

TEST_CASE("what is found of a run: eigenpairs that are some, a trace within its error, blocks that add up") {
  const TemporaryDirectory there;
  REQUIRE(ask(there.path() + "/a", kQuick));
  const FoundAnswer found = read_answer(there.path() + "/a");
  const Json& result = found.result;
  Subject subject = few();
  const LinearOperator h = curvature_of(subject, CurvatureKind::hessian);
  const Tensors vectors = read_eigenvectors(there.path() + "/a/eigenvectors.safetensors", *subject.w);
  REQUIRE(vectors.size() == 1);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Json& pair = result.at("top").array()[i];
    const double value = pair.at("value").number();
    CHECK(static_cast<double>(norm(vectors[i])) == Approx(1).epsilon(1e-5));
    const double residual = norm(combination(1, h.apply(vectors[i]), -value, vectors[i]));
    CHECK(residual == Approx(pair.at("residual").number()).epsilon(0.01));
    CHECK(residual <= 0.12 * result.at("top").array()[0].at("value").number());
  }
  CHECK(result.at("converged").boolean());
  double trace = 0, share = 0;
  for (const Json& group : result.at("groups").array()) {
    trace += group.at("trace").at("value").number();
    share += group.at("share").number();
  }
  CHECK(trace == Approx(result.at("trace").at("value").number()).epsilon(1e-6));
  CHECK(share == Approx(1).epsilon(1e-6));
  CHECK(result.at("products").integer() > 10 + 8);
  CHECK(found.figures.size() == 4);
  CHECK(density_curve(result).x.size() == 1001);
}

TEST_CASE("an interrupted hessian goes on to the same bytes") {
  const TemporaryDirectory there;
  REQUIRE(ask(there.path() + "/straight", kQuick));
  const auto straight = files_of(there.path() + "/straight");
  CHECK(straight.size() > 8);
  int calls = 1;
  // Each call gets a bit further: it ends in the loss, in Lanczos, in probes, in the density, in a block.
  while (!ask(there.path() + "/cut", kQuick, 21 + 4 * calls)) REQUIRE(++calls < 100);
  CHECK(calls > 4);
  CHECK(files_of(there.path() + "/cut") == straight);
}

TEST_CASE("the same bytes for any number of threads") {
  const TemporaryDirectory there;
  const auto asked_with = [&](int threads, const char* name) {
    const WithThreads these(threads);
    return ask(there.path() + name, kQuick);
  };
  const bool one = asked_with(1, "/a"), two = asked_with(2, "/b");
  REQUIRE((one && two));
  CHECK(files_of(there.path() + "/a") == files_of(there.path() + "/b"));
}

TEST_CASE("basin hessian RUN, and again, shown without being computed") {
  const Words words = {small_run(),    "--images",         "24", "--top",    "1",     "--tolerance", "0.1",
                       "--no-density", "--trace-products", "6",  "--method", "power", "--json"};
  const Said said = run_command("hessian", words);
  CHECK(said.code == 0);
  const Json document = parse_json(said.out);
  CHECK(document.at("result").at("top").array().size() == 1);
  CHECK(document.at("result").find("density") == nullptr);
  CHECK(document.at("question").at("measured").at("images").integer() == 24);
  const Said again = run_command("hessian", words);
  CHECK(again.out == said.out);
  CHECK(again.err.find("took") == std::string::npos);
}

TEST_CASE("what does not go together is said before any work") {
  const std::string run = small_run();
  const auto fails = [&](Words words) {
    words.insert(words.begin(), run);
    return parse_failure("hessian", words);
  };
  CHECK(fails({"--top", "0", "--no-trace", "--no-density"}) ==
        "2: --top 0 --no-trace --no-density leave nothing to find");
  CHECK(fails({"--method", "power", "--top", "3"}) ==
        "2: --method power finds one eigenvalue, that of largest magnitude: --top 1 without --which");
  CHECK(fails({"--groups", "kind", "--trace-method", "hutch++"}) ==
        "2: --groups has its traces from the probes of --trace-method hutchinson");
}
