// StoredProducts: the products of an operator as files, so that a long work that was interrupted goes on.
#pragma once

#include <cstdint>
#include <string>

#include "autograd/curvature/linear_operator.h"

namespace basin::apps {

/// A work that asks an operator for one product after another, always the same ones, is carried on by asking
/// again from its beginning: products that an earlier call stored are read, and cost nothing.
///
///     StoredProducts products(answer.path(), "top");
///     const EigenPairs pairs = lanczos_eigenpairs(products.over(hessian), options, probes);
///     ... store pairs ...
///     remove_products(answer.path());
///
/// Each is a file product-NAME-I.safetensors, written at once and checksummed: dim numbers on the disk for
/// each product of the unfinished work.
class StoredProducts {
 public:
  StoredProducts(std::string directory, std::string name)
      : directory_(std::move(directory)), name_(std::move(name)) {}

  /// `a`, product number 0, 1, ... of this operator being the file's where there is one. Must not outlive
  /// this.
  LinearOperator over(const LinearOperator& a);

 private:
  std::string directory_, name_;
  std::int64_t asked_ = 0;
};

/// Removes the stored products of all works of the directory. Errors: OutputError.
void remove_products(const std::string& directory);

}  // namespace basin::apps
