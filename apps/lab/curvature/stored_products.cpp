#include "apps/lab/curvature/stored_products.h"

#include "core/error.h"
#include "core/io/archive.h"
#include "core/io/directory.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

constexpr const char *kPrefix = "product-", *kEntry = "product";

}  // namespace

LinearOperator StoredProducts::over(const LinearOperator& a) {
  LinearOperator stored = a;
  stored.apply = [this, a](const Tensor& v) {
    const std::string path = text(directory_, "/", kPrefix, name_, "-", asked_++, ".safetensors");
    if (kind_of_file(path) == FileKind::regular) {
      const Tensor product = Archive(path).read(kEntry);
      if (product.shape() != Shape{a.dim} || product.dtype() != a.dtype)
        throw CheckpointError("[products] ", path, " is no product of this operator; remove it");
      return product.to(a.device);
    }
    const Tensor product = a.apply(v);
    write_archive(path, {{kEntry, product}});
    return product;
  };
  return stored;
}

void remove_products(const std::string& directory) {
  for (const std::string& name : list_directory(directory))
    if (name.starts_with(kPrefix)) remove_file(directory + "/" + name);
}

}  // namespace basin::apps
