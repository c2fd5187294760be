#include "nn/summary.h"

#include <unordered_map>

#include "autograd/recording.h"
#include "core/storage.h"
#include "nn/trace.h"

namespace basin::nn {
namespace {

/// Paths, own parameter counts and child counts of all modules below one.
struct Tree : Inventory {
  struct Part {
    std::string path;
    Index parameters = 0;
    int children = 0;
  };
  std::unordered_map<const void*, Part> parts;
  std::unordered_map<std::string, const void*> at;

  void on_enter(const std::string& path, const void* part) override {
    // A part without a vtable has the address of its first member.
    if (const void* parent = owner_of(path); parent != nullptr && parent != part) ++parts[parent].children;
    parts[part].path = path;
    at[path] = part;
  }
  void on_parameter(const std::string& path, Variable& p, ParameterRole, ParameterLayout) override {
    if (const void* owner = owner_of(path)) parts[owner].parameters += p.value().elements();
  }
  void on_buffer(const std::string&, Tensor&, BufferKind) override {}

  /// The innermost part above `path`; a name may have dots of its own ("out_proj.weight").
  const void* owner_of(std::string path) const {
    while (!path.empty()) {
      const auto dot = path.rfind('.');
      path = dot == std::string::npos ? "" : path.substr(0, dot);
      if (auto found = at.find(path); found != at.end()) return found->second;
    }
    return nullptr;
  }
};

Shape batch_of(Index rows, const Shape& sample) {
  Shape batch{rows};
  for (Index e : sample) batch.push_back(e);
  return batch;
}

/// Bytes alive behind a training pass over `rows` zeros, for as long as its result is.
Index kept_bytes(Module& model, Index rows, const Shape& sample, Dtype dtype) {
  const RecordingScope on(true);
  const Index before = Storage::live_bytes();
  Context ctx{.statistics = Statistics::hold};
  const Variable y = model(Variable(Tensor::zeros(batch_of(rows, sample), dtype, device_of(model))), ctx);
  return Storage::live_bytes() - before;
}

}  // namespace

Summary summarize(Module& model, const Shape& sample, Dtype dtype) {
  Trace trace;
  Context ctx = Context::evaluation();
  ctx.trace = &trace;
  Summary s;
  {
    NoRecording off;
    s.output = model(Variable(Tensor::zeros(batch_of(1, sample), dtype, device_of(model))), ctx).shape();
  }

  Tree tree;
  tree.child("", model);
  for (const NamedParameter& p : entries_of(model).parameters)
    s.parameters += p.parameter->value().elements();
  for (const Trace::Entry& e : trace.entries()) {
    const Tree::Part& part = tree.parts[e.module];
    const Index work = e.module->multiply_adds(e.in, e.out);
    s.multiply_adds += work;
    if (part.children == 0 || part.parameters > 0)
      s.layers.push_back({part.path, e.module->kind(), e.in, e.out, part.parameters, work});
  }
  return s;
}

Index activation_bytes(Module& model, const Shape& sample, Dtype dtype) {
  const Index one = kept_bytes(model, 1, sample, dtype);
  return kept_bytes(model, 2, sample, dtype) - one;
}

}  // namespace basin::nn
