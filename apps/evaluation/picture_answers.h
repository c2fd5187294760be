// PictureAnswers: what a classifier says of pictures, as a table, JSON and CSV.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/cli/table.h"
#include "core/io/json.h"
#include "core/tensor.h"

namespace basin::apps {

/// Of N pictures and K classes.
struct PictureAnswers {
  std::vector<std::string> classes{};  // K, what they are called
  std::vector<std::string> names{};    // N, of the pictures
  std::vector<std::string> errors{};   // N, why there is no answer; "" where there is one
  std::vector<std::int64_t> labels{};  // N, places in `classes`; -1: unknown
  Tensor probabilities{};              // f64 {N,K}
  std::int64_t top = 5;                // classes that are told of each picture, the most probable

  std::int64_t size() const { return static_cast<std::int64_t>(names.size()); }
  std::int64_t unreadable() const;
  bool any_label() const;
};

/// The `top` classes of the largest probabilities of picture `index` with these, falling; ties in the order
/// of the classes.
std::vector<std::pair<std::int64_t, double>> most_probable(const PictureAnswers& answers, std::int64_t index);

/// Among the pictures with label and answer: how many there are, and how many whose label is the most
/// probable class.
std::pair<std::int64_t, std::int64_t> counted_right(const PictureAnswers& answers);

/// A row a class, the picture's name in the first of its rows: "picture", "label" where any is known, "%",
/// "class".
Table table_of(const PictureAnswers& answers);
/// "file,label,rank,class,probability,error": a row a class, rank 1 first; of a picture without an answer one
/// row with what is wrong. Probabilities in the fewest digits that read back as the same number.
std::string csv_of(const PictureAnswers& answers);
/// [{"file", "label" if known, "classes": [{"class", "probability"}, ...]} or {"file", "error"}, ...].
Json to_json(const PictureAnswers& answers);

}  // namespace basin::apps
