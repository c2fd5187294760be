// Pictures in files, by path and label; no pixels. Where they come from: data/sets/folder.h (a folder a
// class), picture_list.h and webdataset.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace basin::data {

/// By what a file that was replaced or written to is told from the one before, without reading it. Times are
/// in nanoseconds since 1970.
struct FileStamp {
  std::uint64_t inode = 0;
  std::int64_t modified = 0;  // its content
  std::int64_t changed = 0;   // that, its name or its rights; no program can set it back

  bool operator==(const FileStamp&) const = default;
};

/// One picture.
struct ImageFile {
  static constexpr int kNotRegular = -1;

  std::string path{};  // below ImageFolder::root, with '/': "dress/01.jpg"; in a shard "train-0.tar/01.jpg"
  std::int64_t label = 0;  // place of its class in ImageFolder::class_names
  std::uint64_t bytes = 0;
  std::int64_t shard = -1;   // place in ImageFolder::shards; -1: a file of its own
  std::uint64_t offset = 0;  // of its first byte in the shard
  FileStamp stamp{};         // of the file, or of the shard
  int error = 0;      // why it cannot be read: an errno, or kNotRegular; 0: nothing is known against it
  std::string sum{};  // SHA-256 of its bytes, where that is known; see sum_contents()
};

/// A picture that cannot be decoded.
struct BadImage {
  std::string path{};        // as in ImageFile
  std::string reason{};      // the whole message, the file's path first
  std::int64_t index = 0;    // its place in the folder that was verified
  bool unsupported = false;  // another kind of picture, not a damaged one
};

/// The pictures of one split: where they are and their labels; no pixels.
struct ImageFolder {
  std::string root{};                      // the split's folder, or that of the list or shards
  std::string split{};                     // its name: "train"
  std::vector<std::string> class_names{};  // sorted by byte
  std::vector<ImageFile> files{};          // of a folder by class, then by path, sorted by byte
  std::vector<std::string> shards{};       // tar files below root that hold pictures
  std::vector<BadImage> bad{};             // left out by without_bad_images()
  std::int64_t ignored = 0;                // files whose names do not end as a picture's do, or are hidden
  std::vector<std::string> passed_over{};  // pictures that are not among the files, each with its reason
  std::string hash{};                      // folder_hash() of the fields above

  std::int64_t size() const { return static_cast<std::int64_t>(files.size()); }
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
  std::uint64_t bytes() const;
  std::vector<std::int64_t> labels() const;
  std::string path_of(std::int64_t index) const;  // root and path
  /// The encoded picture. Errors: DataError naming it: missing, unreadable, more than kMostImageBytes.
  std::string read(std::int64_t index) const;
};

/// SHA-256 of the names of the classes, and of path, label and size in bytes of each file; the bytes
/// themselves are not read (that is content_hash() in data/sets/picture_files.h). The place of the folder and
/// the files left out are not part.
std::string folder_hash(const ImageFolder& folder);

/// The files at `indices`, in that order, with the hash of these. Errors: ArgumentError for no index or one
/// out of range.
ImageFolder select(const ImageFolder& folder, const std::vector<std::int64_t>& indices);

/// What to do about pictures that cannot be decoded.
enum class BadImages {
  fail,  // nothing at first: the run ends with the file's name when one is met
  skip   // decode all before the start and leave the bad ones out
};

struct ImageFolders {
  ImageFolder train{};
  ImageFolder test{};
};

}  // namespace basin::data
