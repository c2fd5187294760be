// Test double of cuDNN's part that needs a card. Descriptors, checks, engines and plans are the real
// library's, which compiles for a card that is described to it; what a plan computes, this computes.
#pragma once

#include <string>

namespace fake {

/// Compiles for another card while this lives: its description is the JSON that cuDNN takes as
/// CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION (described_cards.h). Otherwise the card is an H100.
class WithDescribedCard {
 public:
  explicit WithDescribedCard(std::string description);
  ~WithDescribedCard();
  WithDescribedCard(const WithDescribedCard&) = delete;
  WithDescribedCard& operator=(const WithDescribedCard&) = delete;

 private:
  std::string before_;
};

}  // namespace fake
