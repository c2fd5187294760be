// Image folders: what is listed and in which order, what happens to bad files, and what a network sees.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>

#include "core/error.h"
#include "core/parallel.h"
#include "data/formats/png.h"
#include "data/loading/folder_source.h"
#include "data/loading/loader.h"
#include "data/loading/verify.h"
#include "data/sets/folder.h"
#include "data/sets/load.h"
#include "data/sets/picture_files.h"
#include "data/sets/picture_list.h"
#include "tests/core/system_faults.h"
#include "tests/data/crafted.h"
#include "tests/data/golden.h"

using namespace basin;
using namespace basin::data;
using basin::test::picture;
using basin::test::picture_bytes;
using basin::test::write_file;
namespace fs = std::filesystem;

namespace {

// A folder with train/{ant,bee} and val/{bee}, removed at the end.
class Folder {
 public:
  Folder() {
    fs::remove_all(root_);
    put("train/bee/10.png", picture_bytes("tiny.png"));
    put("train/bee/9.jpg", picture_bytes("photo.jpg"));
    put("train/bee/B.PNG", picture_bytes("odd.jpg"));  // a JPEG by its content
    put("train/ant/deeper/x.jpeg", picture_bytes("cmyk.jpg"));
    put("train/ant/a.jpg", picture_bytes("grey.jpg"));
    put("train/ant/notes.txt", "no picture");
    put("train/ant/.hidden.jpg", "nothing");
    put("train/readme.txt", "no picture");
    put("val/bee/one.png", picture_bytes("alpha.png"));
  }
  ~Folder() { fs::remove_all(root_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void put(const std::string& path, const std::string& bytes) const {
    const fs::path file = root_ / path;
    fs::create_directories(file.parent_path());
    write_file(file.string(), bytes);
  }
  std::string path(const std::string& below = {}) const { return (root_ / below).string(); }

 private:
  fs::path root_ = fs::temp_directory_path() / ("basin-test-folder-" + std::to_string(::getpid()));
};

std::vector<std::string> paths_of(const ImageFolder& folder) {
  std::vector<std::string> paths;
  for (const ImageFile& file : folder.files) paths.push_back(file.path);
  return paths;
}

}  // namespace

TEST_CASE("image folder: classes and files in the order of their names, others passed over") {
  const Folder on_disk;
  const ImageFolder folder = scan_image_folder(on_disk.path("train"));
  CHECK(folder.class_names == std::vector<std::string>{"ant", "bee"});
  CHECK(paths_of(folder) ==
        std::vector<std::string>{"ant/a.jpg", "ant/deeper/x.jpeg", "bee/10.png", "bee/9.jpg", "bee/B.PNG"});
  CHECK(folder.labels() == std::vector<std::int64_t>{0, 0, 1, 1, 1});
  CHECK(folder.split == "train");
  CHECK(folder.ignored == 3);  // notes.txt, the hidden one, and readme.txt beside the classes
  CHECK(folder.passed_over.empty());
  CHECK(folder.files[2].bytes == picture_bytes("tiny.png").size());
  CHECK(folder.path_of(0) == on_disk.path("train/ant/a.jpg"));
}

TEST_CASE("image folder: the evaluation split has the labels of the training split") {
  const Folder on_disk;
  const ImageFolders folders = load_image_folders(on_disk.path());
  CHECK(folders.test.split == "val");
  CHECK(folders.test.class_names == folders.train.class_names);
  CHECK(folders.test.labels() == std::vector<std::int64_t>{1});
  on_disk.put("test/ant/one.png", picture_bytes("tiny.png"));
  CHECK(load_image_folders(on_disk.path()).test.split == "test");
  CHECK(load_image_folders(on_disk.path(), "val").test.split == "val");
  on_disk.put("val/wasp/one.png", picture_bytes("tiny.png"));
  CHECK_THROWS_WITH_AS(
      load_image_folders(on_disk.path(), "val"),
      (on_disk.path("val/wasp") + ": a class that the training folder does not have").c_str(), DataError);
}

TEST_CASE("image folder: what is missing is named") {
  const Folder on_disk;
  CHECK_THROWS_AS(load_image_folders(""), DataError);
  CHECK_THROWS_AS(load_image_folders(on_disk.path("nowhere")), DataError);
  CHECK_THROWS_WITH_AS(load_image_folders(on_disk.path(), "exam"),
                       (on_disk.path() + ": no folder exam beside train to evaluate on").c_str(), DataError);
  CHECK_THROWS_AS(scan_image_folder(on_disk.path("train/bee")), DataError);  // no class folders
  fs::create_directories(on_disk.path("train/cow"));
  CHECK_THROWS_WITH_AS(load_image_folders(on_disk.path()),
                       (on_disk.path("train/cow") + ": a class without pictures").c_str(), DataError);
}

TEST_CASE("what the system does not let us look at is said, not taken for missing") {
  const Folder folder;
  const test::WithFault refused([](const char* call) { return std::string(call) == "stat" ? EACCES : 0; });
  const auto reason = [](const auto& call) {
    try {
      call();
    } catch (const ReadError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  for (const std::string& said : {reason([&] { load_image_folders(folder.path()); }),
                                  reason([&] { read_class_names(folder.path("classes.txt")); }), reason([&] {
                                    load_data_set({.name = "cifar10", .dir = folder.path()});
                                  })}) {
    CAPTURE(said);
    CHECK(said.find("Permission denied") != std::string::npos);
  }
}

TEST_CASE("image folder: the hash follows names, classes and sizes") {
  const Folder on_disk;
  const std::string hash = scan_image_folder(on_disk.path("train")).hash;
  CHECK(hash.size() == 64);
  on_disk.put("train/ant/other.txt", "still no picture");
  CHECK(scan_image_folder(on_disk.path("train")).hash == hash);
  fs::copy(on_disk.path("train"), on_disk.path("copy"), fs::copy_options::recursive);
  CHECK(scan_image_folder(on_disk.path("copy")).hash == hash);
  fs::rename(on_disk.path("copy/ant/a.jpg"), on_disk.path("copy/ant/b.jpg"));
  CHECK(scan_image_folder(on_disk.path("copy")).hash != hash);
  on_disk.put("train/ant/a.jpg", picture_bytes("grey.jpg") + "x");
  CHECK(scan_image_folder(on_disk.path("train")).hash != hash);
  const ImageFolder folder = scan_image_folder(on_disk.path("train"));
  CHECK(select(folder, {0, 1, 2, 3, 4}).hash == folder.hash);
  CHECK(select(folder, {1, 0}).hash != select(folder, {0, 1}).hash);
  CHECK(paths_of(select(folder, {3, 0})) == std::vector<std::string>{"bee/9.jpg", "ant/a.jpg"});
  CHECK_THROWS_AS(select(folder, {5}), ArgumentError);
  CHECK_THROWS_AS(select(folder, {}), ArgumentError);
}

TEST_CASE("image folder: verify lists each bad file with its reason, skip leaves them out") {
  const Folder on_disk;
  on_disk.put("train/ant/empty.jpg", "");
  on_disk.put("train/ant/cut.jpg", picture_bytes("photo.jpg").substr(0, 700));
  on_disk.put("train/bee/text.jpg", "hello");
  on_disk.put("train/bee/anim.gif", "GIF89a");
  on_disk.put("train/bee/again.png", picture_bytes("tiny.png"));
  fs::create_symlink("nowhere.png", on_disk.path("train/bee/link.png"));
  const ImageFolder folder = scan_image_folder(on_disk.path("train"));
  const Verification found = verify(folder);
  CHECK(found.files == 11);
  CHECK(found.bytes == folder.bytes());
  REQUIRE(found.bad.size() == 5);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"ant/cut.jpg", "of 700)"},
      {"ant/empty.jpg", "the file is empty"},
      {"bee/anim.gif", "looks like a GIF"},
      {"bee/link.png", "No such file"},
      {"bee/text.jpg", "neither JPEG nor PNG"}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(found.bad[i].path == expected[i].first);
    CHECK(found.bad[i].reason.find(expected[i].second) != std::string::npos);
    CHECK(found.bad[i].reason.find(on_disk.path("train/" + expected[i].first)) != std::string::npos);
  }
  CHECK(found.repeated == std::vector<std::pair<std::string, std::string>>{{"bee/again.png", "bee/10.png"}});
  CHECK(found.content_hash.empty());  // the dangling link has no content

  const ImageFolder good = without_bad_images(FolderSource(folder, eval_transform(), 0));
  CHECK(good.size() == 6);
  CHECK(good.bad.size() == 5);
  CHECK(good.hash != folder.hash);
  const auto verified_by = [&](int threads) {
    const WithThreads with(threads);
    return verify(good);
  };
  const Verification alone = verified_by(1), together = verified_by(3);
  CHECK(alone.bad.empty());
  CHECK(alone.content_hash.size() == 64);
  CHECK(alone.content_hash == together.content_hash);
}

TEST_CASE("image folder: a class of which nothing can be read is an error even when bad files are skipped") {
  const Folder on_disk;
  on_disk.put("train/cow/one.jpg", "moo");
  const ImageFolder train = load_image_folders(on_disk.path()).train;
  CHECK_THROWS_AS(without_bad_images(FolderSource(train, eval_transform(), 0)), DataError);
}

TEST_CASE("folder source: the evaluation look is resize, center crop, normalisation") {
  const Folder on_disk;
  const ImageFolder folder = scan_image_folder(on_disk.path("train"));
  const PictureTransform transform = eval_transform(14);
  const FolderSource source(folder, transform, 1);
  CHECK(source.size() == 5);
  CHECK(source.image_shape() == Shape{14, 14, 3});
  const Image expected =
      center_crop(resize_shorter_side(picture("photo.jpg"), 16, Interpolation::bilinear), 14, 14);
  CHECK(source.look(0, 3) == expected);
  std::vector<float> image(14 * 14 * 3);
  CHECK(source.write(7, 3, image.data()) == 1);
  for (std::size_t i = 0; i < image.size(); ++i) {
    REQUIRE(image[i] == static_cast<float>((expected.pixels[i] / 255.0 - transform.mean[i % 3]) /
                                           transform.deviation[i % 3]));
  }
  CHECK(source.write(0, 1, image.data()) == 0);
  CHECK_THROWS_AS(source.write(0, 5, image.data()), ArgumentError);
}

TEST_CASE("folder source: training looks are crops and flips at the address that the header gives") {
  const Folder on_disk;
  const ImageFolder folder = scan_image_folder(on_disk.path("train"));
  const FolderSource resized(folder, train_transform(12), 5);
  PictureTransform random_cut{.cut = PictureTransform::Cut::random, .size = 12, .resize = 20};
  const FolderSource shifted(folder, random_cut, 5);
  const Image photo = picture("photo.jpg");
  int flips = 0;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    Random random(5, Stream::augment, static_cast<std::uint64_t>(epoch), 3);
    const bool flipped = random.bits() >> 31 != 0;
    Image expected = resize(crop(photo, draw_resized_crop({}, photo.height, photo.width, random)), 12, 12,
                            Interpolation::bilinear);
    if (flipped) flip(expected);
    flips += flipped ? 1 : 0;
    CHECK(resized.look(epoch, 3) == expected);

    Random again(5, Stream::augment, static_cast<std::uint64_t>(epoch), 3);
    again.bits();
    const Image small = resize_shorter_side(photo, 20, Interpolation::bilinear);
    const auto top = static_cast<std::int64_t>(again.below(static_cast<std::uint64_t>(small.height - 11)));
    const auto left = static_cast<std::int64_t>(again.below(static_cast<std::uint64_t>(small.width - 11)));
    CHECK(shifted.look(epoch, 3) == crop(small, {top, left, 12, 12}));
  }
  CHECK(flips > 3);
  CHECK(flips < 17);
}

TEST_CASE("folder source: batches have the same bits for any number of workers, a bad file is named") {
  const Folder on_disk;
  const auto source =
      std::make_shared<FolderSource>(scan_image_folder(on_disk.path("train")), train_transform(9), 3);
  std::vector<std::vector<float>> seen[3];
  for (const int workers : {0, 1, 2}) {
    Loader loader(source, {.batch_size = 2, .seed = 1, .workers = workers, .end_epoch = 2});
    for (Batch batch; loader.next(batch);) {
      seen[workers].push_back(batch.images.to_vector<float>());
    }
  }
  CHECK(seen[0].size() == 4);
  CHECK(seen[0] == seen[1]);
  CHECK(seen[0] == seen[2]);

  on_disk.put("train/ant/cut.jpg", picture_bytes("photo.jpg").substr(0, 700));
  const auto broken =
      std::make_shared<FolderSource>(scan_image_folder(on_disk.path("train")), eval_transform(9), 3);
  Loader loader(broken, one_pass(8, 1));
  Batch batch;
  std::string message;
  try {
    loader.next(batch);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
    message = error.what();
  }
  CHECK(message.find("example 1 (epoch 0): " + on_disk.path("train/ant/cut.jpg")) == 0);
}

TEST_CASE("folder source: impossible transforms, and a picture too long for its width") {
  const Folder on_disk;
  const ImageFolder folder = scan_image_folder(on_disk.path("train"));
  CHECK_THROWS_AS(FolderSource(folder, {.size = 0}, 0), UsageError);
  CHECK_THROWS_AS(FolderSource(folder, {.size = 100, .resize = 50}, 0), UsageError);
  CHECK_THROWS_AS(FolderSource(folder, {.mean = {0.5}}, 0), ArgumentError);
  CHECK_THROWS_AS(FolderSource(folder, {.deviation = {1, 1, 0}}, 0), ArgumentError);
  on_disk.put("long/a/line.png", encode_png(Image::black(1, 20000)));
  const FolderSource source(scan_image_folder(on_disk.path("long")), eval_transform(), 0);
  CHECK_THROWS_AS(source.look(0, 0), DataError);
}

TEST_CASE("image folder: pictures that are passed over are named, JPEG's other endings are read") {
  const Folder on_disk;
  on_disk.put("train/ant/b.JFIF", picture_bytes("photo.jpg"));
  on_disk.put("train/ant/c.jpe", picture_bytes("photo.jpg"));
  on_disk.put("train/bee/phone.heic", "content of no matter");
  on_disk.put("train/beside.jpg", picture_bytes("photo.jpg"));
  on_disk.put("elsewhere/x.jpg", picture_bytes("photo.jpg"));
  fs::create_directory_symlink(on_disk.path("elsewhere"), on_disk.path("train/bee/link"));
  fs::create_directory_symlink(on_disk.path("elsewhere"), on_disk.path("train/cow"));  // a class may be one
  const ImageFolder folder = scan_image_folder(on_disk.path("train"));
  CHECK(folder.size() == 8);
  CHECK(folder.class_names == std::vector<std::string>{"ant", "bee", "cow"});
  CHECK(folder.passed_over ==
        std::vector<std::string>{"bee/link: a link to a folder, which is not followed below a class",
                                 "bee/phone.heic: of a format that is not read, convert it to JPEG or PNG",
                                 "beside.jpg: lies beside the classes' folders, so that it has no class"});
}

TEST_CASE("image folder: what is no readable file shows without reading all") {
  const Folder on_disk;
  const auto failure = [&] {
    try {
      expect_readable(scan_image_folder(on_disk.path("train")));
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(failure().empty());
  on_disk.put("train/ant/really.gif", picture_bytes("photo.jpg"));  // its content decides
  on_disk.put("train/ant/damaged.jpg", "not looked at");
  CHECK(failure().empty());
  REQUIRE(::mkfifo(on_disk.path("train/ant/pipe.jpg").c_str(), 0600) == 0);
  CHECK(failure().starts_with(on_disk.path("train/ant/pipe.jpg") + ": a device or pipe"));
  fs::create_symlink("nowhere.png", on_disk.path("train/ant/link.png"));
  CHECK(failure().starts_with(on_disk.path("train/ant/link.png") +
                              ": No such file or directory; so are 1 more of 9 pictures"));
  fs::remove(on_disk.path("train/ant/link.png"));
  fs::remove(on_disk.path("train/ant/pipe.jpg"));
  on_disk.put("train/bee/anim.gif", "GIF89a");
  CHECK(failure().starts_with(on_disk.path("train/bee/anim.gif") + ": unsupported, looks like a GIF"));
}

TEST_CASE("verify: stray bytes are counted, unsupported pictures told, too narrow ones are bad where cut") {
  const Folder on_disk;
  on_disk.put("train/ant/stray.jpg", picture_bytes("photo.jpg") + "more");
  on_disk.put("train/bee/line.png", encode_png(Image::black(1, 20000)));
  on_disk.put("train/bee/anim.gif", "GIF89a");
  const ImageFolder folder = scan_image_folder(on_disk.path("train"));
  const Verification decoded = verify(folder);
  REQUIRE(decoded.bad.size() == 1);
  CHECK(decoded.bad[0].unsupported);
  REQUIRE(decoded.stray.size() == 1);
  CHECK(decoded.stray[0].path == "ant/stray.jpg");
  CHECK(decoded.stray[0].reason == "4 bytes after the end marker");
  const Verification cut = verify(FolderSource(folder, eval_transform(), 0));
  REQUIRE(cut.bad.size() == 2);
  CHECK(cut.bad[1].path == "bee/line.png");
  CHECK(cut.bad[1].reason.ends_with("20000x1 pixels are too long and narrow"));
  CHECK_FALSE(cut.bad[1].unsupported);
  CHECK(verify(FolderSource(folder, train_transform(16), 0)).bad.size() == 1);  // a part of it is cut out
  CHECK(without_bad_images(FolderSource(folder, eval_transform(), 0)).size() == folder.size() - 2);
}

TEST_CASE("verify: equal pictures of two splits are found, and the content has a hash") {
  const Folder on_disk;
  on_disk.put("val/bee/copy.jpg", picture_bytes("odd.jpg"));
  ImageFolders folders = load_image_folders(on_disk.path());
  const auto pairs = same_content(verify(folders.train).sums, verify(folders.test).sums);
  REQUIRE(pairs.size() == 1);
  CHECK(folders.test.files[static_cast<std::size_t>(pairs[0].first)].path == "bee/copy.jpg");
  CHECK(folders.train.files[static_cast<std::size_t>(pairs[0].second)].path == "bee/B.PNG");

  CHECK(content_hash(folders.train).empty());
  sum_contents(folders.train);
  const std::string hash = content_hash(folders.train);
  CHECK(hash.size() == 64);
  std::string other = picture_bytes("grey.jpg");
  other.back() = 'x';
  on_disk.put("train/ant/a.jpg", other);
  ImageFolder again = scan_image_folder(on_disk.path("train"));
  CHECK(again.hash == folders.train.hash);  // the same names and sizes
  sum_contents(again);
  CHECK(content_hash(again) != hash);
  CHECK(again.files[0].stamp != folders.train.files[0].stamp);
  CHECK(again.files[1].stamp == folders.train.files[1].stamp);
}

TEST_CASE("a watched loop does everything once, and ends with what its watch throws") {
  for (const int threads : {1, 3}) {
    const WithThreads with(threads);
    std::vector<int> met(1000);
    std::int64_t told = 0;
    watched_for(
        1000,
        [&](std::int64_t done, std::int64_t total) {
          CHECK(done <= total);
          ++told;
        },
        [&](std::int64_t i) { ++met[static_cast<std::size_t>(i)]; });
    CHECK(met == std::vector<int>(1000, 1));
    CHECK(told > 0);
    std::atomic<std::int64_t> done{0};
    CHECK_THROWS_AS(watched_for(
                        1'000'000, [&](std::int64_t, std::int64_t) { throw UsageError("enough"); },
                        [&](std::int64_t) { ++done; }),
                    UsageError);
    CHECK(done < 1'000'000);
  }
}

TEST_CASE("loops over data stop when their watch says so") {
  const Folder on_disk;
  const Watch stop = [](std::int64_t, std::int64_t) { throw UsageError("stopped"); };
  const ImageFolder folder = scan_image_folder(on_disk.path("train"));
  ImageFolder unsummed = folder;
  CHECK_THROWS_AS(scan_image_folder(on_disk.path("train"), {}, stop), UsageError);
  CHECK_THROWS_AS(verify(folder, stop), UsageError);
  CHECK_THROWS_AS(verify(FolderSource(folder, eval_transform(), 0), stop), UsageError);
  CHECK_THROWS_AS(without_bad_images(FolderSource(folder, eval_transform(), 0), stop), UsageError);
  CHECK_THROWS_AS(sum_contents(unsummed, stop), UsageError);
}
