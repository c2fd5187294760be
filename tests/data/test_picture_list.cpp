// Pictures named in CSV lists and in the lists of Oxford-IIIT Pets; sets of pictures by name.
#include "data/sets/picture_list.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "core/error.h"
#include "data/loading/verify.h"
#include "data/sets/picture_files.h"
#include "data/sets/pictures.h"
#include "tests/core/temporary_directory.h"
#include "tests/data/crafted.h"
#include "tests/data/golden.h"

using namespace basin;
using namespace basin::data;
using test::picture_bytes, test::write_file;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

struct Tree {
  test::TemporaryDirectory dir;

  void put(const std::string& path, const std::string& bytes) const {
    const fs::path file = dir / path;
    fs::create_directories(file.parent_path());
    write_file(file.string(), bytes);
  }
  template <class Load>
  std::string failure(Load load) const {
    try {
      load();
    } catch (const DataError& error) {
      const std::string what = error.what();
      return what.starts_with(dir.path()) ? what.substr(dir.path().size()) : what;
    }
    return "";
  }
};

std::string pet(const std::string& name, int id) { return name + " " + std::to_string(id) + " 1 1\n"; }

}  // namespace

TEST_CASE("picture list: paths and classes of a CSV file, in its order") {
  const Tree tree;
  tree.put("in/a, b.jpg", picture_bytes("photo.jpg"));
  tree.put("in/c.png", picture_bytes("tiny.png"));
  tree.put("train.csv",
           "\xef\xbb\xbf"
           "file,class\r\nin/c.png,\"a \"\"dog\"\"\"\r\n\"in/a, b.jpg\",cat\r\n\nin/c.png,cat\n");
  tree.put("val.csv", "file,class\nin/c.png,cat\n");
  const ImageFolders lists = load_pictures({.name = "list", .dir = tree.dir.path()});
  CHECK(lists.train.class_names == Names{"a \"dog\"", "cat"});
  CHECK(lists.train.labels() == std::vector<std::int64_t>{0, 1, 1});
  CHECK(lists.train.files[1].path == "in/a, b.jpg");
  CHECK(lists.train.read(1) == picture_bytes("photo.jpg"));
  CHECK(lists.train.files[1].bytes == picture_bytes("photo.jpg").size());
  CHECK(lists.train.split == "train");
  CHECK(lists.test.split == "val");
  CHECK(lists.test.labels() == std::vector<std::int64_t>{1});
  CHECK(verify(lists.train).bad.empty());
  CHECK(verify(lists.train).repeated.size() == 1);
  // Two names of one file, one of them missing: the bad one is left out, not its namesake.
  tree.put("train.csv", "file,class\nin/c.png,cat\nin/no.png,cat\nin/c.png,dog\nin/no.png,dog\n");
  const ImageFolder listed = load_pictures({.name = "list", .dir = tree.dir.path()}).train;
  CHECK_THROWS_AS(expect_readable(listed), DataError);
  const ImageFolder skipped = without_bad_images(FolderSource(listed, eval_transform(), 0));
  CHECK(skipped.size() == 2);
  CHECK(skipped.bad.size() == 2);
  CHECK(skipped.labels() == std::vector<std::int64_t>{0, 1});

  tree.put("classes.txt", "cat\ndog\nbird\n");
  CHECK(load_picture_lists(tree.dir.path()).train.class_names == Names{"cat", "dog", "bird"});
  tree.put("classes.txt", "cat\n");
  CHECK(tree.failure([&] { load_picture_lists(tree.dir.path()); }) ==
        "/train.csv:4: class dog is not among the 1 classes");
}

TEST_CASE("picture list: what is wrong is told by file and line") {
  const Tree tree;
  const auto failure = [&](const std::string& csv) {
    tree.put("x.csv", csv);
    return tree.failure([&] { read_picture_list(tree.dir / "x.csv", tree.dir.path()); });
  };
  CHECK(failure("") == "/x.csv:1: the first line must be \"file,class\"; the file is empty");
  CHECK(failure("a.jpg,cat\n") == "/x.csv:1: the first line must be \"file,class\"");
  CHECK(failure("file,class\n") == "/x.csv: names no picture");
  for (const char* line : {"a.jpg", "a.jpg,", ",cat", "a.jpg,cat,dog"})
    CHECK(failure(std::string("file,class\nb.jpg,cat\n") + line).starts_with("/x.csv:3: expected two cells"));
  for (const char* line : {"\"a.jpg,cat", "a\"b.jpg,cat", "\"a.jpg\"x,cat"})
    CHECK(failure(std::string("file,class\n") + line).starts_with("/x.csv:2: a quotation mark"));
  CHECK(tree.failure([&] { load_picture_lists(tree.dir.path()); }) == ": no train.csv");
  tree.put("train.csv", "file,class\na.jpg,cat\n");
  CHECK(tree.failure([&] { load_picture_lists(tree.dir.path()); }) ==
        ": no test.csv or val.csv or validation.csv");
  for (const auto& [names, why] : {std::pair{"a\n\nb\n", "2: an empty line"},
                                   {"a\nb\na\n", "3: class a a second time"},
                                   {"", ": the file is empty"}}) {
    tree.put("classes.txt", names);
    CHECK(tree.failure([&] { read_class_names(tree.dir / "classes.txt"); }).find(why) != std::string::npos);
  }
  CHECK(read_class_names(tree.dir / "nothing.txt").empty());
}

TEST_CASE("pets: labels by the lists' numbers, breeds by the pictures' names") {
  const Tree tree;
  const auto put = [&](const std::string& trainval, const std::string& test) {
    tree.put("oxford-iiit-pet/annotations/trainval.txt", trainval);
    tree.put("oxford-iiit-pet/annotations/test.txt", test);
  };
  const std::string good =
      "#Image CLASS-ID SPECIES BREED ID\n" + pet("great_pyrenees_10", 2) + pet("Abyssinian_100", 1);
  put(good, pet("great_pyrenees_7", 2));
  tree.put("oxford-iiit-pet/images/Abyssinian_100.jpg", picture_bytes("photo.jpg"));
  const ImageFolders pets = load_pictures({.name = "pets", .dir = tree.dir.path()});
  CHECK(pets.train.class_names == Names{"Abyssinian", "great_pyrenees"});
  CHECK(pets.train.labels() == std::vector<std::int64_t>{1, 0});
  CHECK(pets.train.read(1) == picture_bytes("photo.jpg"));
  CHECK(pets.train.split == "trainval");
  CHECK(pets.test.class_names == pets.train.class_names);
  CHECK(pets.test.labels() == std::vector<std::int64_t>{1});
  CHECK(load_pets(tree.dir / "oxford-iiit-pet").train.hash == pets.train.hash);

  const auto failure = [&](const std::string& trainval, const std::string& test) {
    put(trainval, test);
    return tree.failure([&] { load_pictures({.name = "pets", .dir = tree.dir.path()}); });
  };
  const std::string lists = "/oxford-iiit-pet/annotations/";
  for (const char* line : {"a_1 0 1 1", "a_1 x 1 1", "a_1 1 1", "a_1 1 1 1 1", "a 1 1 1", "_1 1 1 1",
                           "../a_1 1 1 1", "a_1 5000 1 1"}) {
    CAPTURE(line);
    CHECK(
        failure(pet("b_1", 2) + line, pet("a_2", 1)).starts_with(lists + "trainval.txt:2: expected a line"));
  }
  CHECK(failure(pet("a_1", 1) + pet("b_1", 1), "") == lists + "trainval.txt:2: class 1 is a, not b");
  CHECK(failure(pet("a_1", 1) + pet("b_1", 3), pet("a_2", 1)) ==
        lists + "trainval.txt: no picture of class 2");
  CHECK(failure(pet("a_1", 1), pet("b_1", 1)) == lists + "test.txt: class 1 is b, in trainval.txt a");
  CHECK(failure(pet("a_1", 1), pet("b_1", 2)) ==
        lists + "test.txt: class 2 is b, in trainval.txt there is none");
  CHECK(failure("", pet("b_1", 2)) == lists + "trainval.txt: names no picture");
}

TEST_CASE("sets of pictures: every name is known, needs a directory, and another is refused") {
  for (const PictureSetInfo& info : known_picture_sets()) {
    CHECK(is_picture_set(info.name));
    CHECK_THROWS_AS(load_pictures({.name = info.name}), UsageError);
    CHECK_THROWS_AS(load_pictures({.name = info.name, .dir = "/nowhere"}), DataError);
  }
  CHECK_FALSE(is_picture_set("cifar10"));
  CHECK_THROWS_AS(load_pictures({.name = "cifar10", .dir = "/nowhere"}), UsageError);
}

TEST_CASE("cars: the CSV files of the converter, below the data directory") {
  const Tree tree;
  tree.put("stanford_cars/classes.txt", "AM General Hummer SUV 2000\nRam C/V Cargo Van Minivan 2012\n");
  tree.put("stanford_cars/train.csv", "file,class\ncars_train/00001.jpg,Ram C/V Cargo Van Minivan 2012\n");
  tree.put("stanford_cars/test.csv", "file,class\ncars_test/00001.jpg,AM General Hummer SUV 2000\n");
  tree.put("stanford_cars/cars_train/00001.jpg", picture_bytes("photo.jpg"));
  const ImageFolders cars = load_pictures({.name = "cars", .dir = tree.dir.path()});
  CHECK(cars.train.labels() == std::vector<std::int64_t>{1});
  CHECK(cars.test.labels() == std::vector<std::int64_t>{0});
  CHECK(cars.train.read(0) == picture_bytes("photo.jpg"));
}
