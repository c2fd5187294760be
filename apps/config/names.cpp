#include "apps/config/names.h"

namespace basin::apps {

const Names<Optimizer>& optimizer_names() {
  static const Names<Optimizer> names = {{"sgd", Optimizer::sgd},
                                         {"adam", Optimizer::adam},
                                         {"adamw", Optimizer::adamw},
                                         {"rmsprop", Optimizer::rmsprop},
                                         {"lion", Optimizer::lion}};
  return names;
}

const Names<Sharpness>& sharpness_names() {
  static const Names<Sharpness> names = {
      {"none", Sharpness::none},       {"sam", Sharpness::sam},   {"asam", Sharpness::asam},
      {"gsam", Sharpness::gsam},       {"gnp", Sharpness::gnp},   {"fsam", Sharpness::fsam},
      {"looksam", Sharpness::looksam}, {"msam", Sharpness::msam}, {"gam", Sharpness::gam}};
  return names;
}

const Names<Average>& average_names() {
  static const Names<Average> names = {{"none", Average::none}, {"swa", Average::swa}, {"ema", Average::ema}};
  return names;
}

const Names<EnsembleKind>& ensemble_names() {
  static const Names<EnsembleKind> names = {
      {"none", EnsembleKind::none}, {"snapshot", EnsembleKind::snapshot}, {"fge", EnsembleKind::fge}};
  return names;
}

const Names<nn::RecalibrationMode>& recalibration_names() {
  using Mode = nn::RecalibrationMode;
  static const Names<Mode> names = {{"pooled", Mode::pooled},
                                    {"sample-weighted", Mode::sample_weighted},
                                    {"equal-batches", Mode::equal_batches}};
  return names;
}

const Names<ConvAlgorithm>& conv_algorithm_names() {
  static const Names<ConvAlgorithm> names = [] {
    Names<ConvAlgorithm> all;
    for (const ConvAlgorithm a : {ConvAlgorithm::winograd4, ConvAlgorithm::winograd2, ConvAlgorithm::direct})
      all.emplace_back(basin::name_of(a), a);
    return all;
  }();
  return names;
}

}  // namespace basin::apps
