#include "nn/models/mlp.h"

namespace basin::nn {

Mlp::Mlp(Index inputs, const std::vector<Index>& hidden, Index classes, Initializer& init) {
  body_.add<Flatten>();
  Index width = inputs;
  for (Index next : hidden) {
    body_.add<Linear>(width, next, init);
    body_.add<Relu>();
    width = next;
  }
  body_.add<Linear>(width, classes, init);
}

}  // namespace basin::nn
