// `basin export`: trained weights for other programs, read back and compared before it says so.
#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/config/data.h"
#include "apps/config/model.h"
#include "apps/evaluation/run_data.h"
#include "apps/runs/environment.h"
#include "apps/runs/run_config.h"
#include "apps/runs/weights_of_run.h"
#include "apps/training/experiment.h"
#include "apps/training/loaded_run.h"
#include "apps/weights/class_match.h"
#include "apps/weights/export_format.h"
#include "apps/weights/weights.h"
#include "core/error.h"
#include "core/io/files.h"
#include "core/io/hash.h"

namespace basin::apps {
namespace {

/// Writes weights to `out` for other programs: those of the run in `run`, whose config.toml then fills in
/// data and model, or those in a file. Of `data`, name and image size count: they tell the shape of an image,
/// where the file does not or `image_given`.
struct ExportConfig {
  std::string run;
  std::string weights = "last";  // last, swa, ema, lawa, member:N, or a file
  std::string out;
  std::string format = "auto";  // by the ending of `out`, or one of export_formats()
  DataConfig data;
  bool image_given = false;  // data.name or data.image_size is not the default
  ModelConfig model;
};

/// Writes the file and reads it back.
void write_weights(const ExportConfig& config, Terminal& terminal) {
  const ExportFormat& format = export_format(config.format, config.out);
  const std::string file = weights_file("export", config.run, config.weights);
  const WeightFile opened(file);
  const Identity said = identity_in(opened.metadata());
  const bool as_trained = !config.image_given && said.image.rank() == 3;
  const Shape image = as_trained ? said.image : nominal_set(config.data).image;
  Identity identity = said;  // the weights' own, for another shape of images perhaps
  identity.model = config.model.name;
  identity.shortcut = config.model.shortcut == nn::Shortcut::b ? "B" : "";
  identity.image = image;
  for (const std::string& line : expect_same_network(file, said, identity)) terminal.note(line);

  // How many classes there are, and in which type, the file tells: by the rows of the last layer.
  const ArchiveTensor rows = head_in(opened, config.model, image);
  const Dtype dtype = rows.dtype == file_dtype(Dtype::f64) ? Dtype::f64 : Dtype::f32;
  const auto model = build_model(config.model, image, rows.shape[0], 0, dtype, /*blank=*/true);
  if (identity.classes > 0 && identity.classes != rows.shape[0])
    throw CheckpointError("[export] ", file, " says that it is of ", identity.classes, " classes; '",
                          rows.name, "' has ", rows.shape[0], " rows");
  identity.classes = rows.shape[0];
  const LoadReport loaded = load_weights(file, entries_of(*model), {.wanted = identity});
  if (loaded.converted > 0) terminal.note(text(file, "  ", in_words(loaded)));

  const ExportSource source{
      .model = *model, .identity = identity, .dtype = dtype, .tensors = weight_entries(entries_of(*model))};
  format.write(source, config.out);
  const Compared compared = format.check(source, config.out);

  const auto bytes = static_cast<std::int64_t>(InputFile(config.out).size());
  const std::string sha256 = sha256_file(config.out);
  terminal.result(text("weights  ", file, "\nmodel    ", config.model.name, " for images ", image, ", ",
                       rows.shape[0], " classes\nwritten  ", config.out, ": ", format.name, ", ",
                       bytes_text(bytes), ", sha256 ", sha256, "\nchecked  read back: ", compared.tensors,
                       " tensors, ", grouped(compared.numbers), " numbers, every bit as written\n"));
  Json document;
  document.set("weights", file).set("model", config.model.name).set("image", text(image));
  document.set("classes", rows.shape[0]).set("renamed", loaded.renamed);
  document.set("file", config.out).set("format", format.name).set("bytes", bytes).set("sha256", sha256);
  document.set("tensors", compared.tensors).set("numbers", compared.numbers).set("equal", true);
  terminal.result(document);
}

class ExportCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("weights", "What is written");
    t.add_call("run", free_text(config_.run, "DIR", "a directory"),
               "export weights of the run in DIR, with its model and image shape")
        .aliases = {"run-dir"};
    t.add_call("weights", free_text(config_.weights, "WHICH", "last, swa, ema, lawa, member:N or a file"),
               "which weights: of the run last, swa, ema, lawa or member:N (of an ensemble); or a file, a "
               "checkpoint too, which without --run needs --model")
        .aliases = {"checkpoint", "init"};
    t.group("file", "The file");
    Option& out =
        t.add_call("out", free_text(config_.out, "FILE", "a file"), "file to write; replaced if it is there");
    out.letter = "o";
    out.aliases = {"output"};
    std::vector<std::string> formats = {"auto"};
    for (const ExportFormat& format : export_formats()) formats.push_back(format.name);
    t.add_call("format", named(config_.format, formats, "formats"),
               "format of the file; auto: by the ending of its name");
    t.group("data", "Shape of an image");
    t.add("data", "name", data_name(config_.data.name), "data set whose images have that shape");
    count_for_pictures(
        t.add("image-size", "image_size", whole(config_.data.image_size, 8, 2048), "height and width"));
    add_network(t, config_.model);
    add(t, output_);
  }

  std::string build_on(OptionTable& table, const std::vector<std::string>&) override {
    if (config_.run.empty() && table.by_flag("weights")->source == Source::standard)
      throw UsageError("nothing to export: give --run DIR, or --weights FILE with --model");
    if (config_.out.empty()) throw UsageError("export needs a file to write: -o FILE");
    if (!config_.run.empty()) take_from_run(table, config_.run);
    return config_.run;
  }

  void check(const OptionTable& table, const std::vector<std::string>&) override {
    if (config_.run.empty() && table.by_flag("model")->source == Source::standard)
      throw UsageError("--weights needs --model NAME too, or --run DIR");
    export_format(config_.format, config_.out);
    for (const char* flag : {"data", "image-size"})
      config_.image_given = config_.image_given || table.by_flag(flag)->source != Source::standard;
  }

  ExitCode run(Terminal& terminal) override {
    write_weights(config_, terminal);
    return ExitCode::success;
  }

 private:
  ExportConfig config_;
};

}  // namespace

Command export_command() {
  return {"export", "--run DIR | --weights FILE -o FILE [options]",
          "trained weights as a file for other programs, checked", 0, make_call<ExportCall>};
}

}  // namespace basin::apps
