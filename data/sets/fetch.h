// Data sets from their publishers: which files, with which SHA-256, and how they get into the data directory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace basin::data {

/// A file that a publisher offers.
struct RemoteFile {
  std::string address{};
  std::uint64_t bytes = 0;
  std::string sha256{};
  std::string folder{};    // below the data directory, where the file or what is in it belongs
  std::string unpacked{};  // of an archive: the folder that it holds, which then lies in `folder`

  std::string name() const;  // the address's last part
  /// What exists below the data directory when all is done.
  std::string result(const std::string& dir) const;
  /// Where a file fetched by hand is looked for.
  std::string by_hand(const std::string& dir) const;
  bool is_there(const std::string& dir) const;
};

/// A data set's files, and what its publisher says of their use.
struct Publication {
  std::string name{};
  std::string terms{};
  std::vector<RemoteFile> files{};  // none: it cannot be fetched, see `terms`
};

/// MNIST, Fashion-MNIST, CIFAR-10, CIFAR-100, Oxford-IIIT Pets, Stanford Cars.
const std::vector<Publication>& publications();

enum class Fetched { was_there, by_hand, downloaded };

/// Called while a file is downloaded, compared with its sum and unpacked ("downloading", "checking",
/// "unpacking"), with the bytes so far of all, 0 where that is not known. May throw, which ends curl and the
/// work; what was downloaded stays for the next time.
using FetchProgress = std::function<void(const char* what, std::uint64_t bytes, std::uint64_t all)>;

/// Brings `file` to its place in `dir`. A file put there by hand is taken; else the program curl (found by
/// PATH) downloads to NAME.part, going on where an interrupted download ended. Nothing is unpacked or renamed
/// before its SHA-256 is right, and an archive's folder appears whole or not at all.
/// Errors: DataError: curl missing or failing (its own words in the message; the part stays for the next
/// time), a wrong SHA-256 (the part is removed; a file put there by hand stays); those of unpack_tar();
/// OutputError: a disk that is full or may not be written.
Fetched fetch(const RemoteFile& file, const std::string& dir, const FetchProgress& progress = {});

}  // namespace basin::data
