// Folders of pictures whose classes a file tells: Tiny ImageNet's, Caffe's.
#include "data/sets/annotated.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "core/error.h"
#include "data/sets/folder.h"
#include "data/sets/picture_files.h"
#include "tests/core/temporary_directory.h"
#include "tests/data/crafted.h"
#include "tests/data/golden.h"

using namespace basin;
using namespace basin::data;
using basin::test::picture_bytes;

namespace {

/// A directory of files, with the folders that they need.
class Folder {
 public:
  void put(const std::string& path, const std::string& bytes) const {
    const std::filesystem::path file = std::filesystem::path(root_.path()) / path;
    std::filesystem::create_directories(file.parent_path());
    test::write_file(file.string(), bytes);
  }
  std::string path() const { return root_.path(); }
  std::string path(const std::string& below) const { return root_.path() + "/" + below; }

 private:
  test::TemporaryDirectory root_;
};

std::vector<std::string> paths_of(const ImageFolder& folder) {
  std::vector<std::string> paths;
  for (const ImageFile& file : folder.files) paths.push_back(file.path);
  return paths;
}

}  // namespace

TEST_CASE("image folder: a file tells the classes of the pictures to evaluate on") {
  const Folder disk;
  for (const char* picture : {"train/ant/a.jpg", "train/bee/b.jpg"})
    disk.put(picture, picture_bytes("grey.jpg"));
  // Tiny ImageNet: pictures without labels in test/, those to evaluate on in one folder.
  disk.put("test/images/test_0.JPEG", picture_bytes("photo.jpg"));
  disk.put("val/images/val_0.JPEG", picture_bytes("photo.jpg"));
  disk.put("val/images/val_1.JPEG", picture_bytes("odd.jpg"));
  disk.put("val/val_annotations.txt", "val_1.JPEG\tbee\t0\t32\t44\t62\nval_0.JPEG\tant\t1\t2\t3\t4\n");
  const ImageFolder tiny = load_image_folders(disk.path()).test;
  CHECK(paths_of(tiny) == std::vector<std::string>{"val_1.JPEG", "val_0.JPEG"});
  CHECK(tiny.labels() == std::vector<std::int64_t>{1, 0});
  CHECK(tiny.class_names == std::vector<std::string>{"ant", "bee"});
  CHECK(tiny.read(0) == picture_bytes("odd.jpg"));
  CHECK_NOTHROW(expect_readable(tiny));
  const auto refused = [&](const std::string& file, const std::string& lines) {
    disk.put(file, lines);
    try {
      load_image_folders(disk.path());
    } catch (const DataError& error) {
      return std::string(error.what()).substr(disk.path().size() + 1);
    }
    return std::string();
  };
  CHECK(refused("val/val_annotations.txt", "val_1.JPEG\tbee\n") ==
        "val/val_annotations.txt:1: expected a picture's name and its class, and 4 numbers between tabs");
  CHECK(refused("val/val_annotations.txt", "\nval_1.JPEG\twasp\t0\t1\t2\t3\n") ==
        "val/val_annotations.txt:2: class 'wasp' is not among the 2 of the training folder");
  CHECK(refused("val/val_annotations.txt", "") == "val/val_annotations.txt: names no picture");

  // Caffe's list, by number or by name.
  std::filesystem::remove(disk.path("val/val_annotations.txt"));
  disk.put("val.txt", "images/val_0.JPEG 1\nimages/val_1.JPEG ant\n");
  const ImageFolder caffe = load_image_folders(disk.path()).test;
  CHECK(paths_of(caffe) == std::vector<std::string>{"images/val_0.JPEG", "images/val_1.JPEG"});
  CHECK(caffe.labels() == std::vector<std::int64_t>{1, 0});
  CHECK(caffe.read(0) == picture_bytes("photo.jpg"));
  CHECK(refused("val.txt", "images/val_0.JPEG 2\n") ==
        "val.txt:1: class '2' is not among the 2 of the training folder");
  disk.put("val.txt", "images/gone.JPEG 1\n");
  CHECK_THROWS_AS(expect_readable(load_image_folders(disk.path()).test), DataError);
}

TEST_CASE(
    "image folder: a list beside folders of classes is passed over, numbers are names where classes have "
    "such") {
  const Folder disk;
  for (const char* picture : {"train/1/a.jpg", "train/2/b.jpg", "test/2/c.jpg"})
    disk.put(picture, picture_bytes("grey.jpg"));
  disk.put("val.txt", "notes of one's own\n");
  CHECK(paths_of(load_image_folders(disk.path()).test) == std::vector<std::string>{"2/c.jpg"});
  std::filesystem::remove_all(disk.path("test"));
  disk.put("val/x.jpg", picture_bytes("grey.jpg"));
  disk.put("val.txt", "x.jpg 1\n");
  CHECK(load_image_folders(disk.path()).test.labels() == std::vector<std::int64_t>{0});
  disk.put("val.txt", "x.jpg 0\n");
  CHECK_THROWS_AS(load_image_folders(disk.path()), DataError);
}
