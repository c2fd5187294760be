#include "apps/runs/result.h"

#include <algorithm>
#include <cmath>

namespace basin::apps {

Json to_json(const Variant& v) {
  Json json = Json::Object{{"name", v.name},
                           {"what", v.what},
                           {"models", v.models},
                           {"test_loss", recorded(v.test_loss)},
                           {"test_accuracy", recorded(v.test_accuracy)}};
  if (v.validation_loss) json.set("validation_loss", recorded(*v.validation_loss));
  if (v.validation_accuracy) json.set("validation_accuracy", recorded(*v.validation_accuracy));
  if (!v.weights.empty()) json.set("weights", v.weights).set("weights_sha256", v.weights_sha256);
  if (!v.failure.empty()) json.set("failure", v.failure);
  if (!v.details.object().empty()) json.set("details", v.details);
  return json;
}

Json to_json(const RunResult& r) {
  const bool validated = r.last.validation_accuracy.has_value();
  Json variants = Json::Array{};
  for (const Variant& v : r.variants) variants.append(to_json(v));
  return Json::Object{
      {"test_accuracy", recorded(r.last.test_accuracy.value())},
      {"test_loss", recorded(r.last.test_loss.value())},
      {"last", to_json(r.last)},
      {"best", r.best ? to_json(*r.best) : Json()},
      {"best_is", !r.best     ? "no epoch: none has a finite loss"
                  : validated ? "the epoch with the highest validation accuracy"
                              : "the epoch with the highest test accuracy: chosen on the test images"},
      {"variants", variants},
      {"parameters", r.parameters},
      {"seconds", recorded(r.seconds)},
      {"weights", r.weights.empty() ? Json() : Json(r.weights)},
      {"weights_sha256", r.weights.empty() ? Json() : Json(r.weights_sha256)}};
}

std::optional<EpochRecord> last_evaluated(const std::vector<EpochRecord>& epochs) {
  const auto found =
      std::find_if(epochs.rbegin(), epochs.rend(), [](const EpochRecord& e) { return e.test_loss; });
  return found == epochs.rend() ? std::nullopt : std::optional(*found);
}

std::optional<EpochRecord> best_of(const std::vector<EpochRecord>& epochs) {
  const auto score = [](const EpochRecord& e) {
    return e.validation_accuracy ? *e.validation_accuracy : *e.test_accuracy;
  };
  std::optional<EpochRecord> best;
  for (const EpochRecord& e : epochs) {
    if (!e.test_loss || !std::isfinite(*e.test_loss) || !std::isfinite(e.validation_loss.value_or(0)))
      continue;
    if (!best || score(e) > score(*best)) best = e;
  }
  return best;
}

}  // namespace basin::apps
