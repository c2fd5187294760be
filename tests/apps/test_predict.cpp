// `basin predict`: pictures by words, seen as the run evaluated them; its table, CSV, JSON and logits.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "apps/evaluation/picture_words.h"
#include "apps/runs/members.h"
#include "core/io/csv.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "tests/apps/colours.h"
#include "tests/apps/evaluating.h"
#include "tests/core/contains.h"

using namespace basin;
using namespace basin::apps;
using test::Colours, test::failure, test::Said, test::TemporaryDirectory, test::Words;
using test::contains;
namespace fs = std::filesystem;

namespace {

Said predict(const Words& words) { return test::run_command("predict", words); }

/// The f64 numbers of a .npy file of that many columns, its header left out.
std::vector<double> npy_numbers(const std::string& path, std::size_t rows, std::size_t columns) {
  const std::string bytes = read_file(path);
  std::vector<double> numbers(rows * columns);
  REQUIRE(bytes.size() > 8 * numbers.size());
  CHECK(contains(bytes, "'descr': '<f8'"));
  std::memcpy(numbers.data(), bytes.data() + bytes.size() - 8 * numbers.size(), 8 * numbers.size());
  return numbers;
}

std::vector<std::string> paths_of(const PicturesByWords& found) {
  std::vector<std::string> all;
  for (const data::GivenPicture& picture : found.pictures) all.push_back(picture.path);
  return all;
}

/// What std::cin reads while this lives.
class StdinIs {
 public:
  explicit StdinIs(const std::string& content)
      : content_(content), before_(std::cin.rdbuf(content_.rdbuf())) {}
  ~StdinIs() { std::cin.rdbuf(before_); }
  StdinIs(const StdinIs&) = delete;
  StdinIs& operator=(const StdinIs&) = delete;

 private:
  std::istringstream content_;
  std::streambuf* before_;
};

}  // namespace

TEST_CASE("pictures by words: files, folders, lists and stdin") {
  TemporaryDirectory dir;
  fs::create_directories(dir / "photos/below");
  fs::create_directories(dir / "photos/.hidden");
  for (const char* name : {"b.png", "below/a.JPG", "notes.txt", ".hidden/c.png"})
    std::ofstream(dir / "photos" + "/" + name) << "x";
  std::ofstream(dir / "list.csv") << "file,class\nphotos/b.png,dog\n\"photos/below/a.JPG\",cat\n";
  std::ofstream(dir / "paths.txt") << "photos/b.png\r\n\n/else/where.png\n";
  std::istringstream in("one.png\ntwo.png\n");

  const PicturesByWords found =
      pictures_of({"gone.png", dir / "photos", dir / "list.csv", dir / "paths.txt", "-"}, in);
  CHECK(paths_of(found) == Words{"gone.png", dir / "photos/b.png", dir / "photos/below/a.JPG",
                                 dir / "photos/b.png", dir / "photos/below/a.JPG", dir / "photos/b.png",
                                 "/else/where.png", "one.png", "two.png"});
  CHECK(found.class_names == Words{"cat", "dog"});
  std::vector<std::int64_t> labels;
  for (const data::GivenPicture& picture : found.pictures) labels.push_back(picture.label);
  CHECK(labels == std::vector<std::int64_t>{-1, -1, -1, 1, 0, -1, -1, -1, -1});

  std::istringstream picture("\xff\xd8\xff...");
  const PicturesByWords piped = pictures_of({"-"}, picture);
  CHECK(paths_of(piped) == Words{"stdin"});
  CHECK(piped.pictures[0].bytes == "\xff\xd8\xff...");
  std::istringstream nothing;
  CHECK(failure([&] { pictures_of({"-"}, nothing); }) == "3: stdin: names no picture");
  CHECK(failure([&] { pictures_of({"-", "-"}, in); }).starts_with("3: stdin"));
  fs::create_directories(dir / "empty");
  CHECK(contains(failure([&] { pictures_of({dir / "empty"}, in); }), "no picture in this folder"));
}

TEST_CASE("predict: pictures are seen as the run evaluated its own, and a split says what eval counts") {
  const Colours colours;
  const TemporaryDirectory& dir = colours.dir;
  const Said split =
      predict({colours.run, "--split", "test", "--json", "--top", "9", "--logits", dir / "s.npy"});
  REQUIRE(split.code == 0);
  const Json of_split = parse_json(split.out);
  CHECK(of_split.at("correct").integer() == 12);
  const auto& first = of_split.at("pictures").array()[0];
  CHECK(first.at("file").string() == colours.data + "/test/a/0.png");
  CHECK(first.at("label").string() == "a");
  CHECK(first.at("classes").array().size() == 3);
  CHECK(first.at("classes").array()[0].at("class").string() == "a");

  // The loss that eval shows is made of these probabilities.
  double loss = 0;
  for (const Json& picture : of_split.at("pictures").array())
    for (const Json& answer : picture.at("classes").array())
      if (answer.at("class") == picture.at("label")) loss -= std::log(answer.at("probability").number()) / 12;
  const double shown = parse_json(test::evaluate({"--run", colours.run, "--json"}).out).at("loss").number();
  CHECK(std::abs(loss - shown) < 1e-12);

  // The same files by their names, without the data set: the same logits, bit for bit.
  const Said named = predict({colours.run, colours.data + "/test", "--logits", dir / "n.npy", "--batch-size",
                              "5", "--data-dir", "/nowhere"});
  CHECK(named.code == 0);
  CHECK(npy_numbers(dir / "n.npy", 12, 3) == npy_numbers(dir / "s.npy", 12, 3));
  CHECK(contains(named.out, "picture"));
  CHECK_FALSE(contains(named.out, "label"));
  const Said file = predict({colours.file(), colours.data + "/test", "--logits", dir / "f.npy"});
  CHECK(npy_numbers(dir / "f.npy", 12, 3) == npy_numbers(dir / "s.npy", 12, 3));
  CHECK(file.out == named.out);

  // Other names for the classes.
  std::ofstream(dir / "names.txt") << "red\ngreen\nblue\n";
  const Words red = {
      colours.file(), colours.data + "/test/a/0.png", "--classes", dir / "names.txt", "--top", "1"};
  CHECK(contains(predict(red).out, "red"));
  std::ofstream(dir / "names.txt") << "red\ngreen\n";
  CHECK(contains(failure([&] { predict(red); }), "--classes has 2 names"));
}

TEST_CASE("predict: a list's labels, unreadable pictures, stdin, and the CSV of it all") {
  const Colours colours;
  const TemporaryDirectory& dir = colours.dir;
  std::ofstream(dir / "bad.png") << "no picture";
  std::ofstream(dir / "list.csv") << "file,class\nabc/test/c/0.png,c\nbad.png,b\nabc/test/a/1.png,b\n";
  const Words words = {colours.run, dir / "list.csv", "--top",    "2",
                       "--csv",     dir / "out.csv",  "--logits", dir / "out.npy"};
  const Said said = predict(words);
  CHECK(said.code == 3);
  CHECK(contains(said.err, "warning: " + (dir / "bad.png")));
  CHECK(contains(said.err, "3 pictures by " + colours.file()));
  CHECK(contains(said.err, "1 could not be read"));
  CHECK(contains(said.err, "top-1 is the label of 1 of 2: 50.00 %"));
  CHECK(contains(said.out, "not read"));
  const auto rows = parse_csv(read_file(dir / "out.csv"));
  REQUIRE(rows.size() == 6);
  CHECK(rows[0] == Words{"file", "label", "rank", "class", "probability", "error"});
  CHECK(rows[1][0] == (dir / "abc/test/c/0.png"));
  CHECK(rows[1][1] == "c");
  CHECK(rows[1][2] == "1");
  CHECK(rows[1][3] == "c");
  CHECK(rows[2][2] == "2");
  CHECK(std::stod(rows[1][4]) > std::stod(rows[2][4]));
  CHECK(contains(rows[3][5], "bad.png"));
  CHECK(rows[4][3] == "a");
  const std::vector<double> logits = npy_numbers(dir / "out.npy", 3, 3);
  CHECK(std::isfinite(logits[0]));
  for (const std::size_t k : {3, 4, 5}) CHECK(std::isnan(logits[k]));
  CHECK(std::isfinite(logits[8]));
  Words on_stdout = words;
  on_stdout[5] = "-";
  CHECK(predict(on_stdout).out == read_file(dir / "out.csv"));

  {
    const StdinIs paths(colours.data + "/test/b/0.png\n");
    CHECK(contains(predict({colours.run, "-", "--top", "1"}).out, "/test/b/0.png"));
  }
  {
    const StdinIs picture(read_file(colours.data + "/test/b/0.png"));
    const Said piped = predict({colours.run, "-", "--top", "1", "--json"});
    const Json answer = parse_json(piped.out).at("pictures").array()[0];
    CHECK(answer.at("file").string() == "stdin");
    CHECK(answer.at("classes").array()[0].at("class").string() == "b");
  }
  std::ofstream(dir / "other.csv") << "file,class\nabc/test/c/0.png,zebra\n";
  CHECK(contains(failure([&] {
                   predict({colours.run, dir / "other.csv"});
                 }),
                 "4: [classes] " + colours.file() + " knows no class 'zebra' of the lists"));
}

TEST_CASE("predict: members vote by the mean of their probabilities") {
  const Colours colours;
  const TemporaryDirectory& dir = colours.dir;
  REQUIRE(
      test::train(Colours::recipe(dir / "votes", colours.data, {"--ensemble", "snapshot", "--cycles", "2"}))
          .code == 0);
  const auto logits = [&](const std::string& which) {
    REQUIRE(predict({dir / "votes", colours.data + "/test", "--weights", which, "--logits", dir / "l.npy"})
                .code == 0);
    return npy_numbers(dir / "l.npy", 12, 3);
  };
  const auto probability = [](const std::vector<double>& of, std::size_t i) {
    const std::size_t row = i / 3 * 3;
    return std::exp(of[i]) / (std::exp(of[row]) + std::exp(of[row + 1]) + std::exp(of[row + 2]));
  };
  const std::vector<double> one = logits("member:1"), two = logits("member:2"), all = logits("ensemble");
  CHECK(one != two);
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(std::abs(std::exp(all[i]) - (probability(one, i) + probability(two, i)) / 2) < 1e-14);
}

TEST_CASE("predict: a set in memory resizes to its own images") {
  TemporaryDirectory dir;
  REQUIRE(test::train(test::small(dir / "run", {"--epochs", "1"})).code == 0);
  data::Image image = data::Image::black(50, 70);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i % 251);
  data::write_png(dir / "any.png", image);
  const Json answer = parse_json(predict({dir / "run", dir / "any.png", "--json"}).out);
  CHECK(answer.at("preprocessing").at("shorter_side") == answer.at("preprocessing").at("size"));
  CHECK(answer.at("pictures").array()[0].at("classes").array().size() == 5);
  double sum = 0;
  const Json whole = parse_json(predict({dir / "run", dir / "any.png", "--json", "--top", "100"}).out);
  for (const Json& entry : whole.at("pictures").array()[0].at("classes").array())
    sum += entry.at("probability").number();
  CHECK(std::abs(sum - 1) < 1e-12);
}

TEST_CASE("predict: what is asked wrongly is said in one line") {
  const Colours colours;
  const auto refused = [&](const Words& words) { return failure([&] { predict(words); }); };
  CHECK(refused({}) == "2: nothing to predict with: name a RUN's directory or a FILE of weights");
  CHECK(refused({colours.run}).starts_with("2: nothing to predict: name pictures"));
  CHECK(contains(refused({colours.run, "a.png", "--split", "test"}), "--split takes the images of the data"));
  CHECK(contains(refused({colours.run, "a.png", "--csv", "-", "--json"}), "exclude each other"));
  CHECK(contains(refused({colours.file(), "a.png", "--weights", "swa"}), "is a file of weights itself"));
  CHECK(refused({colours.dir / "gone", "a.png"}).starts_with("4: "));
  CHECK(contains(refused({colours.run, "--split", "validation"}), "without --validation images"));
  std::ofstream(colours.dir / "foreign.npz", std::ios::binary)
      << std::string("PK\x05\x06", 4) << std::string(18, '\0');
  CHECK(contains(refused({colours.dir / "foreign.npz", "a.png"}), "does not say of what network"));
}
