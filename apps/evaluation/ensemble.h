// Ensembles: several trained weights of one model, which predict by the mean of their probabilities.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/cli/table.h"
#include "apps/evaluation/evaluation.h"
#include "core/io/json.h"

namespace basin::apps {

/// How an ensemble does as it grows; entry k is of k + 1 members. The newest members come last.
struct EnsembleReport {
  std::vector<std::string> members{};  // files; empty for predictions without any
  std::vector<Tally> own{};            // member k alone
  std::vector<Tally> first{};          // members 0 ... k together
  std::vector<Tally> last{};           // the k + 1 newest together
  Predictions together{};              // of all members
};

/// Members that gave `probabilities` (f64 {N,K} each) for examples with these labels. They predict together
/// by the mean of their probabilities (Huang et al. 2017, "Snapshot Ensembles"), never of their logits; it
/// runs as mean += (p - mean) / m in the order in which they join, so that equal members predict what one of
/// them does. Errors: ArgumentError for no members, or shapes that differ.
EnsembleReport ensemble_report(const Tensors& probabilities, const std::vector<std::int64_t>& labels);

/// Evaluates `members` (files of save_weights(), oldest first) one by one in `model`, which ends up with the
/// weights of the last; the other arguments are evaluate()'s, and the watch is told of the examples of all
/// members together. Memory: 8 M N K bytes for M members, which
/// growing from the newest needs (20 members, 10,000 images of 100 classes: 160 MB), and 32 N K. Errors:
/// CheckpointError for a member that is missing, damaged or of another model.
EnsembleReport evaluate_ensemble(nn::Module& model, const std::vector<std::string>& members,
                                 std::shared_ptr<const data::ExampleSource> source, std::int64_t classes,
                                 const EvaluationOptions& options);

/// What these files of weights say of each example together, one after the other in `model`: of one file its
/// logits, of several the logarithms of their mean probabilities, as ensemble_report() forms them. Errors:
/// as evaluate_ensemble().
Logits logits_together(nn::Module& model, const std::vector<std::string>& files,
                       std::shared_ptr<const data::ExampleSource> source, std::int64_t classes,
                       const EvaluationOptions& options);

/// One row for each member: "members" m, "own %" of member m, "first m %", "last m %", on the test images.
Table table_of(const EnsembleReport& report);
/// {"members": M, "loss", "accuracy", "top5" of all together,
///  "growing": [{"members": m, "file", "own": {"loss", "accuracy"}, "first": {...}, "last": {...}}, ...]}.
Json to_json(const EnsembleReport& report);

}  // namespace basin::apps
