// Files of members; the mean of their predictions.
#include "apps/training/ensemble.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "apps/cli/format.h"
#include "apps/runs/weights.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/utf8.h"
#include "core/ops.h"
#include "optim/averages/average.h"

namespace basin::apps {
namespace {

constexpr std::string_view kPrefix = "member-", kSuffix = ".safetensors";

std::string directory_of(const std::string& run) { return run + "/members"; }

std::string member_name(std::int64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 3) digits.insert(0, 3 - digits.size(), '0');
  return text(kPrefix, digits, kSuffix);
}

/// The number in "member-012.safetensors"; 0 for a name that member_name() does not give.
std::int64_t number_of(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return 0;
  std::int64_t number = 0;
  std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), number);
  return number > 0 && member_name(number) == name ? number : 0;
}

FileKind kind_of(const std::string& path) {
  try {
    return kind_of_file(path);
  } catch (const ReadError& e) {
    throw CheckpointError("[ensemble] ", e.what());
  }
}

/// The numbers of the members in a directory, rising. Hidden files are those of writers that were killed.
std::vector<std::int64_t> numbers_in(const std::string& directory) {
  std::vector<std::string> names;
  try {
    names = list_directory(directory);
  } catch (const ReadError& e) {
    throw CheckpointError("[ensemble] ", e.what());
  }
  std::vector<std::int64_t> numbers;
  for (const std::string& name : names) {
    if (name.starts_with('.')) continue;
    const std::int64_t number = number_of(name);
    if (number == 0)
      throw CheckpointError("[ensemble] ", directory, " holds '", excerpt(name), "', which is no member (",
                            member_name(1), ", ...); move it away");
    numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// Checks that the first `count` of them are 1, 2, ..., count.
void expect_members(const std::string& directory, const std::vector<std::int64_t>& numbers,
                    std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    if (i >= std::ssize(numbers) || numbers[static_cast<std::size_t>(i)] != i + 1)
      throw CheckpointError("[ensemble] ", directory, " lacks ", member_name(i + 1), " of ", count,
                            " members");
}

/// The mean prediction of an ensemble that members join one by one.
class Mean {
 public:
  void join(const Tensor& probabilities) {
    if (++members_ == 1)
      mean_ = probabilities.clone();
    else
      optim::move_towards(mean_, probabilities, 1 / static_cast<double>(members_));
  }
  const Tensor& probabilities() const { return mean_; }

 private:
  Tensor mean_;
  std::int64_t members_ = 0;
};

Json figures(const Tally& tally) {
  Json j;
  return j.set("loss", recorded(tally.loss())).set("accuracy", recorded(tally.accuracy()));
}

}  // namespace

std::string member_path(const std::string& run, std::int64_t number) {
  if (number < 1) throw ArgumentError("[ensemble] members count from 1, got ", number);
  return directory_of(run) + '/' + member_name(number);
}

void save_member(const std::string& run, std::int64_t number, const Entries& model,
                 const Identity& identity) {
  const std::string path = member_path(run, number);
  make_directory(directory_of(run));
  save_weights(path, model, identity);
}

void keep_members(const std::string& run, std::int64_t count) {
  const std::string directory = directory_of(run);
  if (count == 0 && kind_of(directory) == FileKind::none) return;
  const std::vector<std::int64_t> numbers = numbers_in(directory);
  expect_members(directory, numbers, count);
  for (const std::int64_t number : numbers)
    if (number > count) remove_file(member_path(run, number));
}

std::vector<std::string> list_members(const std::string& directory) {
  const std::string of_run = directory_of(directory);
  const std::string where = kind_of(of_run) == FileKind::directory ? of_run : directory;
  const std::vector<std::int64_t> numbers = numbers_in(where);
  if (numbers.empty())
    throw CheckpointError("[ensemble] ", where, " has no members (", member_name(1), ", ...)");
  expect_members(where, numbers, numbers.back());
  std::vector<std::string> paths;
  for (const std::int64_t number : numbers) paths.push_back(where + '/' + member_name(number));
  return paths;
}

EnsembleReport ensemble_report(const Tensors& probabilities, const std::vector<std::int64_t>& labels) {
  if (probabilities.empty()) throw ArgumentError("[ensemble] has no members");
  EnsembleReport report;
  for (const Tensor& p : probabilities) {
    if (p.shape() != probabilities.front().shape())
      throw ArgumentError("[ensemble] one member predicts ", probabilities.front().shape(), ", another ",
                          p.shape());
    report.own.push_back(tally_of(p, labels));
  }
  Mean oldest, newest;
  for (std::size_t k = 0; k < probabilities.size(); ++k) {
    oldest.join(probabilities[k]);
    report.first.push_back(tally_of(oldest.probabilities(), labels));
    newest.join(probabilities[probabilities.size() - 1 - k]);
    report.last.push_back(tally_of(newest.probabilities(), labels));
  }
  return report;
}

EnsembleReport evaluate_ensemble(
    nn::Module& model, const std::vector<std::string>& members,
    std::shared_ptr<const data::ExampleSource> source, std::int64_t classes, std::int64_t batch_size,
    int workers, Dtype dtype, const std::function<void(std::size_t member, std::int64_t rows)>& each_batch) {
  // All once before anything is evaluated: a file that does not fit costs no time.
  for (const std::string& member : members) load_weights(member, model);
  Tensors probabilities;
  std::vector<std::int64_t> labels;
  for (std::size_t k = 0; k < members.size(); ++k) {
    load_weights(members[k], model);
    Predictions p = predict(model, source, classes, batch_size, workers, dtype, [&](std::int64_t rows) {
      if (each_batch) each_batch(k, rows);
    });
    probabilities.push_back(std::move(p.probabilities));
    labels = std::move(p.labels);
  }
  EnsembleReport report = ensemble_report(probabilities, labels);
  report.members = members;
  return report;
}

Table table_of(const EnsembleReport& report) {
  Table table({{.title = "members"}, {.title = "own %"}, {.title = "first m %"}, {.title = "last m %"}});
  for (std::size_t k = 0; k < report.own.size(); ++k)
    table.add({std::to_string(k + 1), percent(report.own[k].accuracy(), 2),
               percent(report.first[k].accuracy(), 2), percent(report.last[k].accuracy(), 2)});
  return table;
}

Json to_json(const EnsembleReport& report) {
  if (report.own.empty()) throw ArgumentError("[ensemble] has no members");
  Json growing = Json::Array{};
  for (std::size_t k = 0; k < report.own.size(); ++k) {
    Json row;
    row.set("members", k + 1);
    if (k < report.members.size()) row.set("file", report.members[k]);
    row.set("own", figures(report.own[k]))
        .set("first", figures(report.first[k]))
        .set("last", figures(report.last[k]));
    growing.append(std::move(row));
  }
  const Tally& all = report.first.back();
  Json j;
  j.set("members", report.own.size())
      .set("loss", recorded(all.loss()))
      .set("accuracy", recorded(all.accuracy()))
      .set("top5", recorded(all.accuracy5()))
      .set("growing", std::move(growing));
  return j;
}

}  // namespace basin::apps
