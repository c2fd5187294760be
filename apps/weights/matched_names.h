// Which tensors of a file are which of a model's: by name, three of theirs in one of ours where it is so.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "apps/weights/weight_file.h"
#include "autograd/named_tensors.h"

namespace basin::apps {

/// The tensors of a file that make one of the model's: one, or three whose rows follow each other.
struct FromFile {
  std::vector<std::string> names{};  // in the file, their prefix included

  /// As the file has it: dtype "" where the three have different ones, and an empty shape where their shapes
  /// differ.
  std::string dtype(const WeightFile& file) const;
  Shape shape(const WeightFile& file) const;
  /// The numbers, in memory's layout. Errors: those of WeightFile::read().
  Tensor read(const WeightFile& file, FileLayout layout) const;
};

struct MatchedNames {
  std::string prefix{};                       // that the wrappers gave to all names of the file
  std::map<std::string, FromFile> by_ours{};  // by the model's name
  std::vector<std::string> unknown{};         // tensors of the file that are none of the model's
  std::int64_t renamed = 0;                   // of the model's, under another program's names
};

/// By the table of weight_names.cpp. A tensor of ours of which the file has one or two thirds alone is not
/// there: they are unknown.
MatchedNames match_names(const WeightFile& file, const std::vector<NamedTensor>& tensors);

}  // namespace basin::apps
