#include "apps/evaluation/ensemble.h"

#include "apps/cli/format.h"
#include "apps/weights/weights.h"
#include "autograd/ops/ops.h"
#include "autograd/recording.h"
#include "core/ops.h"
#include "optim/averages/average.h"

namespace basin::apps {
namespace {

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

/// Calls body(options of its pass) with each member's weights in the model in turn.
template <class Body>
void each_member(nn::Module& model, const std::vector<std::string>& members, std::int64_t images,
                 const EvaluationOptions& options, Body body) {
  // All once before anything is evaluated: a file that does not fit costs no time.
  for (const std::string& member : members) load_weights(member, model);
  std::int64_t before = 0;
  const std::int64_t all = std::ssize(members) * images;
  EvaluationOptions one = options;
  if (options.watch) one.watch = [&](std::int64_t done, std::int64_t) { options.watch(before + done, all); };
  for (const std::string& member : members) {
    load_weights(member, model);
    body(one);
    before += images;
  }
}

}  // namespace

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
  report.together = {.probabilities = oldest.probabilities(), .labels = labels};
  return report;
}

EnsembleReport evaluate_ensemble(nn::Module& model, const std::vector<std::string>& members,
                                 std::shared_ptr<const data::ExampleSource> source, std::int64_t classes,
                                 const EvaluationOptions& options) {
  Tensors probabilities;
  std::vector<std::int64_t> labels;
  each_member(model, members, source->size(), options, [&](const EvaluationOptions& one) {
    Predictions p = predict(model, source, classes, one);
    probabilities.push_back(std::move(p.probabilities));
    labels = std::move(p.labels);
  });
  EnsembleReport report = ensemble_report(probabilities, labels);
  report.members = members;
  return report;
}

Logits logits_together(nn::Module& model, const std::vector<std::string>& files,
                       std::shared_ptr<const data::ExampleSource> source, std::int64_t classes,
                       const EvaluationOptions& options) {
  Logits said;
  Mean mean;
  each_member(model, files, source->size(), options, [&](const EvaluationOptions& one) {
    said = logits_of(model, source, classes, one);
    if (files.size() > 1) mean.join(probabilities_of(said.numbers));
  });
  if (files.size() < 2) return said;
  NoRecording off;
  said.numbers = log(Variable(mean.probabilities())).value();
  return said;
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
