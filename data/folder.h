// Pictures by path and label. Image folders: one folder a split, in it one folder a class, in that JPEG and
// PNG files. Lists and tar shards: data/picture_list.h, data/webdataset.h.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace basin::data {

/// One picture.
struct ImageFile {
  std::string path{};  // below ImageFolder::root, with '/': "dress/01.jpg"; in a shard "train-0.tar/01.jpg"
  std::int64_t label = 0;  // place of its class in ImageFolder::class_names
  std::uint64_t bytes = 0;
  std::int64_t shard = -1;   // place in ImageFolder::shards; -1: a file of its own
  std::uint64_t offset = 0;  // of its first byte in the shard
};

/// A picture that cannot be decoded.
struct BadImage {
  std::string path{};      // as in ImageFile
  std::string reason{};    // the whole message, the file's path first
  std::int64_t index = 0;  // its place in the folder that was verified
};

/// The pictures of one split: where they are and their labels; no pixels.
struct ImageFolder {
  std::string root{};                      // the split's folder, or that of the list or shards
  std::string split{};                     // its name: "train"
  std::vector<std::string> class_names{};  // sorted by byte
  std::vector<ImageFile> files{};          // of a folder by class, then by path, sorted by byte
  std::vector<std::string> shards{};       // tar files below root that hold pictures
  std::vector<BadImage> bad{};             // left out by without_bad_images()
  std::int64_t ignored = 0;                // files whose names do not end as a picture's do
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
/// themselves are not read (that is verify()'s content_hash). The place of the folder and the files left out
/// are not part.
std::string folder_hash(const ImageFolder& folder);

/// Lists a split. Classes are the folders in `root`, by name; their pictures are the files in them and in
/// folders below whose names end in .jpg, .jpeg, .png, or as other pictures' do (.gif, .bmp, .webp, .tif,
/// .tiff, .ppm, .pgm: listed so that they are reported, not silently missing), in any case of letters. Names
/// that begin with a dot are passed over; links to files are followed, links to folders only at the level of
/// classes. The order does not depend on the file system.
///
/// With `class_names` given, labels are places in it, and a class without pictures is fine; otherwise each
/// class needs one. Errors: DataError naming the folder: missing, unreadable, no class, no picture, a class
/// that is not among `class_names`.
ImageFolder scan_image_folder(const std::string& root, const std::vector<std::string>& class_names = {});

/// The files at `indices`, in that order, with the hash of these. Errors: ArgumentError for no index or one
/// out of range.
ImageFolder select(const ImageFolder& folder, const std::vector<std::int64_t>& indices);

/// What decoding every file showed.
struct Verification {
  std::int64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<BadImage> bad{};  // in the folder's order
  std::vector<std::pair<std::string, std::string>>
      repeated{};              // files with the same bytes as one before them
  std::string content_hash{};  // SHA-256 of the SHA-256s of all files; "" if one could not be read
};

/// Decodes every picture, on all threads of the pool (core/parallel.h); the result does not depend on their
/// number.
Verification verify(const ImageFolder& folder);

/// The folder without the pictures that verify() finds bad, which are listed in `bad`. Errors: DataError if a
/// class that had pictures has none left.
ImageFolder without_bad_images(const ImageFolder& folder);

/// What to do about pictures that cannot be decoded.
enum class BadImages {
  fail,  // nothing at first: the run ends with the file's name when one is met
  skip   // decode all before the start and leave the bad ones out
};

struct ImageFolders {
  ImageFolder train{};
  ImageFolder test{};
};

/// Lists DIR/train and the folder to evaluate on: DIR/test, else DIR/val, else DIR/validation, or `evaluate`
/// if given. Both have the classes of train. Errors: those of scan_image_folder() and without_bad_images();
/// DataError naming what was looked for.
ImageFolders load_image_folders(const std::string& dir, BadImages bad_images = BadImages::fail,
                                const std::string& evaluate = {});

}  // namespace basin::data
