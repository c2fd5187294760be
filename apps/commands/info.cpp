// `basin info`: this build and machine, the models, the layers of one model, the contents of a file.
#include <algorithm>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/table.h"
#include "apps/cli/terminal.h"
#include "apps/config/cuda_plugin.h"
#include "apps/config/data.h"
#include "apps/config/model.h"
#include "apps/evaluation/run_data.h"
#include "apps/options/suggest.h"
#include "apps/runs/environment.h"
#include "apps/weights/identity.h"
#include "apps/weights/weight_file.h"
#include "core/cpu/simd/instruction_set.h"
#include "core/io/directory.h"
#include "core/io/utf8.h"
#include "core/parallel.h"
#include "data/sets/metadata.h"
#include "nn/models/registry.h"
#include "nn/summary.h"

namespace basin::apps {
namespace {

/// Describes this build and machine; with a target, a model by name or a file. With `models`, the list of
/// models.
struct InfoConfig {
  std::string target;
  bool models = false;
  DataConfig data;  // the name alone: whose image shape and classes a model's summary assumes
  ModelConfig model;
};

/// The devices, a row each, and what is missing for a card to be one.
Json show_devices(Table& table) {
  table.add({"device cpu", machine_info().cpu});
  Json document;
  const CudaPlugin& found = cuda_plugin();
  if (found.plugin == nullptr) {
    table.add({"device cuda", "none: " + found.missing});
    document.set("missing", found.missing);
    return document;
  }
  const cuda::Facts facts = found.plugin->facts();
  const Json versions = versions_json(facts);
  const auto version = [&](const char* of) { return versions.at(of).string(); };
  table.add({"cuda", text("runtime ", version("runtime"), ", driver ", version("driver"), ", cuDNN ",
                          version("cudnn"), ", plug-in ", found.path)});
  document.set("plugin", found.path);
  for (const auto& [of, value] : versions.object()) document.set(of, value);
  Json devices = Json::Array{};
  for (std::size_t i = 0; i < facts.devices.size(); ++i) {
    const cuda::DeviceFacts& d = facts.devices[i];
    table.add({text("device cuda:", i),
               text(d.name, ", compute ", d.major, '.', d.minor, ", ", d.multiprocessors,
                    " multiprocessors, ", bytes_text(static_cast<std::int64_t>(d.bytes)))});
    devices.append(to_json(d));
  }
  document.set("devices", devices);
  if (!facts.missing.empty()) {
    table.add({"device cuda", "none: " + facts.missing});
    document.set("missing", facts.missing);
  }
  return document;
}

void show_build(Terminal& terminal) {
  const BuildInfo build = build_info();
  const MachineInfo machine = machine_info();
  Table table({{.title = "what", .left = true}, {.title = "value", .left = true}});
  table.add({"version", build.version});
  table.add({"revision", build.revision});
  table.add({"compiler", build.compiler});
  table.add(
      {"build", build.build_type + (build.sanitizers.empty() ? "" : ", sanitizers " + build.sanitizers)});
  table.add({"flags", build.flags});
  table.add({"system", machine.system});
  table.add({"cpu", machine.cpu});
  table.add({"kernels", cpu::instruction_set()});
  table.add(
      {"cpus", text(machine.cpus, " (", machine.usable_cpus, " usable, ", thread_count(), " threads)")});
  table.add({"memory",
             text(bytes_text(machine.memory_bytes), " (", bytes_text(machine.available_bytes), " free)")});
  for (const auto& [name, bytes] : machine.caches) table.add({"cache " + name, bytes_text(bytes)});
  const Json cuda = show_devices(table);
  terminal.result(table.text(terminal.unicode()));

  Json document;
  document.set("build", to_json(build)).set("machine", to_json(machine)).set("cuda", cuda);
  document.set("kernels", cpu::instruction_set()).set("threads", thread_count());
  terminal.result(document);
}

void show_models(Terminal& terminal) {
  Table table({{.title = "model", .left = true}, {.title = "about", .left = true}});
  Json list = Json::Array{};
  for (const nn::ModelInfo& model : nn::models()) {
    table.add({model.name, model.about});
    Json entry;
    entry.set("name", model.name).set("about", model.about);
    list.append(entry);
  }
  terminal.result(table.text(terminal.unicode()));
  Json document;
  document.set("models", list);
  terminal.result(document);
}

void show_model(const InfoConfig& config, Terminal& terminal) {
  const data::DataSetInfo set = nominal_set(config.data);
  const auto model = nn::make_model({.name = config.target,
                                     .height = set.image[0],
                                     .width = set.image[1],
                                     .channels = set.image[2],
                                     .classes = set.classes,
                                     .shortcut = config.model.shortcut,
                                     .blank = true});  // shapes and counts only
  const nn::Summary summary = nn::summarize(*model, set.image);
  const Index kept = nn::activation_bytes(*model, set.image);

  Table table({{.title = "layer", .left = true},
               {.title = "kind", .left = true},
               {.title = "input", .left = true},
               {.title = "output", .left = true},
               {.title = "parameters"},
               {.title = "MFLOP"}});
  Json layers = Json::Array{};
  for (const nn::LayerRow& row : summary.layers) {
    const double mflop = 2e-6 * static_cast<double>(row.multiply_adds);
    table.add({row.path.empty() ? "-" : row.path, row.kind, text(row.in), text(row.out),
               row.parameters > 0 ? grouped(row.parameters) : "",
               row.multiply_adds > 0 ? fixed(mflop, 3) : ""});
    Json layer;
    layer.set("layer", row.path)
        .set("kind", row.kind)
        .set("input", text(row.in))
        .set("output", text(row.out));
    layer.set("parameters", row.parameters).set("flop", 2 * row.multiply_adds);
    layers.append(layer);
  }
  const double mflop = 2e-6 * static_cast<double>(summary.multiply_adds);
  terminal.result(table.text(terminal.unicode()));
  terminal.result(text("\n", config.target, " for ", set.name, " images ", set.image, ": ",
                       grouped(summary.parameters), " parameters (", bytes_text(4 * summary.parameters),
                       " in f32), ", fixed(mflop, 2), " MFLOP forward an image, about ", fixed(3 * mflop, 1),
                       " to train on it (a multiply-add is 2)\n"));
  terminal.result(text("activations that a training pass keeps: ", bytes_text(kept), " an image (f32)\n"));
  Json document;
  document.set("model", config.target).set("data", set.name).set("parameters", summary.parameters);
  document.set("flop_forward", 2 * summary.multiply_adds).set("activation_bytes", kept).set("layers", layers);
  terminal.result(document);
}

/// What a file of weights says of its network, a line each.
void show_identity(const Identity& id, Terminal& terminal) {
  if (id.model.empty()) return;
  terminal.result(text("\nmodel    ", model_label(id), id.data.empty() ? "" : ", trained on " + id.data,
                       id.image.rank() == 3 ? ", images " + data::image_label(id.image) : "", "\n"));
  if (id.classes > 0)
    terminal.result(text("classes  ", id.classes, id.class_names.empty() ? ", without names" : ": ",
                         few_names(id.class_names), "\n"));
  if (id.mean.empty()) return;
  std::string mean, deviation;
  for (const double x : id.mean) mean += " " + significant(x, 4);
  for (const double x : id.deviation) deviation += " " + significant(x, 4);
  terminal.result(text("inputs   normalised by mean", mean, ", deviation", deviation, "\n"));
}

void show_file(const std::string& path, Terminal& terminal) {
  const WeightFile file(path);
  const bool checksummed = file.verify();
  const Identity identity = identity_in(file.metadata());
  const ArchiveMetadata of_identity = to_metadata(identity);
  Table table({{.title = "tensor", .left = true},
               {.title = "dtype", .left = true},
               {.title = "shape", .left = true},
               {.title = "bytes"}});
  Json tensors = Json::Array{};
  std::uint64_t bytes = 0;
  for (const ArchiveTensor& t : file.tensors()) {
    table.add({t.name, t.dtype, text(t.shape), grouped(static_cast<std::int64_t>(t.bytes))});
    bytes += t.bytes;
    Json entry;
    entry.set("name", t.name).set("dtype", t.dtype).set("shape", text(t.shape)).set("bytes", t.bytes);
    tensors.append(entry);
  }
  Json metadata = Json::Object{};
  terminal.result(table.text(terminal.unicode()));
  show_identity(identity, terminal);
  for (const auto& [key, value] : file.metadata()) {
    if (of_identity.count(key) == 0) terminal.result(text(key, ": ", value, "\n"));
    metadata.set(key, value);
  }
  terminal.result(text("\n", file.tensors().size(), " tensors, ",
                       bytes_text(static_cast<std::int64_t>(bytes)), ", ",
                       checksummed ? "checksums match" : "no checksums (another program's file)", "\n"));
  Json document;
  document.set("file", path).set("checksummed", checksummed).set("metadata", metadata);
  document.set("network", to_json(identity)).set("tensors", tensors);
  terminal.result(document);
}

class InfoCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("what", "What");
    t.add_call("models", toggle(config_.models), "list the models");
    t.add_call("data", data_name(config_.data.name),
               "data set whose image shape and classes a model's summary assumes");
    t.add_call("shortcut", choice(config_.model.shortcut, shortcut_names()),
               "what a ResNet's shortcuts do where sizes change; A: pad with zeros; B: a 1x1 convolution");
    add(t, output_);
  }

  void check(const OptionTable& table, const std::vector<std::string>& words) override {
    config_.target = words[0];
    const std::vector<nn::ModelInfo> models = nn::models();
    const auto model = std::find_if(models.begin(), models.end(),
                                    [&](const nn::ModelInfo& info) { return info.name == config_.target; });
    const auto given = [&](const char* flag) { return table.by_flag(flag)->source == Source::flag; };
    for (const char* flag : {"data", "shortcut"}) {
      if (model == models.end() && given(flag)) {
        throw UsageError("--", flag, " counts only for a model: basin info MODEL --", flag, " ...");
      }
    }
    if (given("shortcut") && !model->takes_shortcut)
      throw UsageError("--shortcut counts only for the ResNets of CIFAR, not for ", config_.target);
    if (config_.models && !config_.target.empty())
      throw UsageError("--models stands alone, without MODEL or FILE");
  }

  ExitCode run(Terminal& terminal) override {
    const std::vector<std::string> names = nn::model_names();
    if (config_.models)
      show_models(terminal);
    else if (config_.target.empty())
      show_build(terminal);
    else if (std::find(names.begin(), names.end(), config_.target) != names.end())
      show_model(config_, terminal);
    else if (kind_of_file(config_.target) != FileKind::none)
      show_file(config_.target, terminal);
    else
      throw UsageError("info: ", quote(config_.target),
                       " is neither a model (basin info --models) nor a file",
                       did_you_mean(config_.target, names));
    return ExitCode::success;
  }

 private:
  InfoConfig config_;
};

}  // namespace

Command info_command() {
  return {"info", "[MODEL | FILE] [options]",
          "this build and machine; a model's layers; what a weight file holds", 1, make_call<InfoCall>};
}

}  // namespace basin::apps
