// Tar shards of pictures and labels: what is an example, in which order, and what is refused.
#include "data/sets/webdataset.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>

#include "core/error.h"
#include "core/parallel.h"
#include "data/loading/folder_source.h"
#include "data/loading/loader.h"
#include "data/loading/verify.h"
#include "data/sets/picture_files.h"
#include "tests/core/temporary_directory.h"
#include "tests/data/crafted.h"
#include "tests/data/golden.h"
#include "tests/data/tars.h"

using namespace basin;
using namespace basin::data;
using test::picture_bytes, test::tar_end, test::tar_member, test::write_file;
namespace fs = std::filesystem;

namespace {

std::string member(const std::string& name, const std::string& content) {
  return tar_member({.name = name, .content = content});
}

/// Two shards to train on and one for validation.
struct Shards {
  test::TemporaryDirectory dir;

  Shards() {
    put("train-000.tar", member("./b/x.cls", "2\n") + member("./b/x.jpg", picture_bytes("photo.jpg")) +
                             member("a.PNG", picture_bytes("tiny.png")) + member("a.json", "{}") +
                             member("a.cls", "0"));
    put("train-001.tar", tar_member({.name = "b/", .type = '5'}) +
                             member("b/x.jpeg", picture_bytes("grey.jpg")) + member("b/x.seg.png", "mask") +
                             member("b/x.cls", "1") + member("README", "") + member("._b.jpg", "of a Mac"));
    put("val-0.tar", member("v.cls", "1") + member("v.png", picture_bytes("alpha.png")));
  }
  void put(const std::string& name, const std::string& members) const {
    write_file(dir / name, members + tar_end());
  }
  std::string failure(const std::string& members) const {
    put("one.tar", members);
    try {
      index_shards(dir.path(), {"one.tar"});
    } catch (const DataError& error) {
      const std::string what = error.what();
      CHECK(what.starts_with(dir / "one.tar"));
      return what.substr((dir / "one.tar").size());
    }
    return "";
  }
};

}  // namespace

TEST_CASE("webdataset: examples in the shards' order, with labels, and the pictures' own bytes") {
  const Shards on_disk;
  const ImageFolders found = load_webdataset(on_disk.dir.path());
  const ImageFolder& train = found.train;
  REQUIRE(train.size() == 3);
  CHECK(train.class_names == std::vector<std::string>{"0", "1", "2"});
  CHECK(train.labels() == std::vector<std::int64_t>{2, 0, 1});
  CHECK(train.files[0].path == "train-000.tar/./b/x.jpg");
  CHECK(train.ignored == 4);
  CHECK(train.passed_over.empty());
  CHECK(train.read(0) == picture_bytes("photo.jpg"));
  CHECK(train.read(1) == picture_bytes("tiny.png"));
  CHECK(train.read(2) == picture_bytes("grey.jpg"));
  CHECK(found.test.split == "val");
  CHECK(found.test.classes() == 3);
  CHECK(found.test.labels() == std::vector<std::int64_t>{1});
  CHECK(verify(train).bad.empty());
  const ImageFolder chosen = select(train, {2, 0});
  CHECK(chosen.read(1) == picture_bytes("photo.jpg"));
  {
    const WithThreads with(3);
    CHECK(load_webdataset(on_disk.dir.path()).train.hash == train.hash);
  }

  write_file(on_disk.dir / "classes.txt", std::string("cat\ndog\r\nbird\nfish\n"));
  CHECK(load_webdataset(on_disk.dir.path()).test.class_names ==
        std::vector<std::string>{"cat", "dog", "bird", "fish"});
  write_file(on_disk.dir / "classes.txt", std::string("cat\ndog\n"));
  CHECK_THROWS_WITH_AS(
      load_webdataset(on_disk.dir.path()),
      (on_disk.dir / "train-000.tar/./b/x.jpg: label 2 is not below 2, the number of classes").c_str(),
      DataError);
}

TEST_CASE("webdataset: batches are those of a folder with the same pictures, for any number of workers") {
  const Shards on_disk;
  const ImageFolder train = load_webdataset(on_disk.dir.path()).train;
  const auto source = std::make_shared<FolderSource>(train, train_transform(9), 3);
  std::vector<std::vector<float>> seen[2];
  for (const int workers : {0, 2}) {
    Loader loader(source,
                  {.batch_size = 2, .drop_last = false, .seed = 1, .workers = workers, .end_epoch = 2});
    for (Batch batch; loader.next(batch);) seen[workers / 2].push_back(batch.images.to_vector<float>());
  }
  CHECK(seen[0].size() == 4);
  CHECK(seen[0] == seen[1]);

  ImageFolder as_files{.root = on_disk.dir.path(), .class_names = train.class_names};
  for (const char* name : {"photo.jpg", "tiny.png", "grey.jpg"}) {
    write_file(on_disk.dir / name, picture_bytes(name));
    as_files.files.push_back({.path = name});
  }
  const FolderSource plain(as_files, train_transform(9), 3);
  for (std::int64_t i = 0; i < 3; ++i) CHECK(plain.look(1, i) == source->look(1, i));
}

TEST_CASE("webdataset: patterns name shards in the order of their numbers") {
  const Shards on_disk;
  const std::string dir = on_disk.dir.path();
  using Names = std::vector<std::string>;
  CHECK(find_shards(dir, "train-{000..001}.tar") == Names{"train-000.tar", "train-001.tar"});
  CHECK(find_shards(dir, "*-00?.tar") == Names{"train-000.tar", "train-001.tar"});
  CHECK(find_shards(dir, "val-{0..0}.tar") == Names{"val-0.tar"});
  fs::create_directory(dir + "/more");
  for (const char* name : {"s9-1.tar", "s10-1.tar", "s10-2.tar"})
    write_file(dir + "/more/" + name, std::string());
  CHECK(find_shards(dir, "more/s{9..10}-*.tar") ==
        Names{"more/s9-1.tar", "more/s10-1.tar", "more/s10-2.tar"});
  CHECK(find_shards(dir, "more/s{10..10}-{1..2}.tar") == Names{"more/s10-1.tar", "more/s10-2.tar"});
  CHECK_THROWS_WITH_AS(find_shards(dir, "train-{000..002}.tar"),
                       (dir + "/train-002.tar: no such shard (of train-{000..002}.tar)").c_str(), DataError);
  CHECK_THROWS_WITH_AS(find_shards(dir, "*{0..1}*.tar"), "shards '*{0..1}*.tar' names train-001.tar twice",
                       DataError);
  for (const char* pattern : {"none-*.tar", "nowhere/*.tar", "train-00{0..2}*.tar", "a{1..0}", "a{..3}",
                              "a{1..", "a{1,2}", "a{-1..1}", "a{0..99999999}", "a{0..9223372036854775808}"}) {
    CAPTURE(pattern);
    CHECK_THROWS_AS(find_shards(dir, pattern), DataError);
  }
  CHECK(load_webdataset(dir, "train-{000..000}.tar", "train-001.tar").test.split == "test");
}

TEST_CASE("webdataset: a pattern of many braces is told from one of many names") {
  const Shards on_disk;
  const std::string dir = on_disk.dir.path();
  const auto failure = [&](const std::string& pattern) -> std::string {
    try {
      find_shards(dir, pattern);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  const auto times = [](int count, const std::string& part) {
    std::string all;
    for (int i = 0; i < count; ++i) all += part;
    return all;
  };
  const std::string one_name = failure(times(20'000, "{0..0}"));
  CHECK(one_name.find(": no such shard (of {0..0}{0..0}") != std::string::npos);
  CHECK(one_name.size() < dir.size() + 600);
  CHECK(failure("{0..9999}{0..9999}") ==
        "shards '{0..9999}{0..9999}': its ranges stand for more than 1000000 names");
  CHECK(failure(times(20, "{0..9}")).ends_with("its ranges stand for more than 1000000 names"));
  CHECK(failure(times(3, "{0..99}")).find("no such shard") != std::string::npos);  // a million, and no more
  CHECK(failure(times(50, "*a") + "b.tar").find("no shard") != std::string::npos);
}

TEST_CASE("webdataset: what is no example is named by shard and member") {
  const Shards on_disk;
  const std::string png = picture_bytes("tiny.png");
  CHECK(on_disk.failure(member("a.png", png)) == "/a: an example without a label (.cls)");
  CHECK(on_disk.failure(member("a.cls", "1") + member("b.png", png) + member("b.cls", "1")) ==
        "/a: an example without a picture (.jpg, .jpeg, .png)");
  CHECK(on_disk.failure(member("a.png", png) + member("a.jpg", png)) ==
        "/a.jpg: a second picture of one example");
  CHECK(on_disk.failure(member("a.cls", "1") + member("a.cls", "1")) ==
        "/a.cls: a second label of one example");
  for (const char* label : {"", "x", "-1", "1.5", "1 2", "1000000", "99999999999999999999"})
    CHECK(on_disk.failure(member("a.png", png) + member("a.cls", label))
              .starts_with("/a.cls: a label is a whole number"));
  CHECK(on_disk.failure(member("a.png", png) + member("a.cls", "1" + std::string(5000, ' ')))
            .starts_with("/a.cls"));
  CHECK(on_disk.failure(member("a.png", png) + "x").starts_with(": damaged tar at byte "));
  on_disk.put("empty.tar", member("notes.txt", "hello"));
  CHECK_THROWS_AS(index_shards(on_disk.dir.path(), {"empty.tar"}), DataError);
  // A picture that is damaged shows when it is decoded, by its name.
  on_disk.put("bad.tar", member("a.png", png.substr(0, 60)) + member("a.cls", "0"));
  const Verification found = verify(index_shards(on_disk.dir.path(), {"bad.tar"}));
  REQUIRE(found.bad.size() == 1);
  CHECK(found.bad[0].reason.starts_with(on_disk.dir / "bad.tar/a.png: damaged PNG"));
  // Another format's picture is listed if there is none that is read, and one without label or picture
  // counted.
  on_disk.put("odd.tar", member("a.gif", "GIF89a") + member("a.cls", "0") + member("b.jfif", png) +
                             member("b.webp", "") + member("b.cls", "0") + member("22.0/1.1.png", png) +
                             member("22.0/1.1.cls", "0") + member("c.heic", ""));
  const ImageFolder odd = index_shards(on_disk.dir.path(), {"odd.tar"});
  REQUIRE(odd.size() == 2);
  CHECK(odd.files[0].path == "odd.tar/a.gif");
  CHECK(odd.files[1].path == "odd.tar/b.jfif");
  CHECK(odd.ignored == 2);  // b.webp, 1.1.cls
  CHECK(odd.passed_over ==
        std::vector<std::string>{
            "odd.tar/22.0/1.1.png: not read, its key ends at the first dot and its ending is .1.png",
            "odd.tar/c.heic: of a format that is not read, convert it to JPEG or PNG"});
  CHECK_THROWS_AS(expect_readable(odd), DataError);
  CHECK(on_disk.failure(member("a.heic", png) + member("a.cls", "1")) ==
        "/a: an example without a picture (.jpg, .jpeg, .png); not read is a.heic");
  // A shard that became shorter since it was listed.
  const ImageFolder listed = index_shards(on_disk.dir.path(), {"val-0.tar"});
  fs::resize_file(on_disk.dir / "val-0.tar", 1600);
  CHECK_THROWS_AS(listed.read(0), DataError);
}
