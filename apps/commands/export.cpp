// `basin export`: trained weights for other programs, read back and compared before it says so.
#include <charconv>

#include "apps/cli/format.h"
#include "apps/cli/options.h"
#include "apps/commands/commands.h"
#include "apps/runs/class_match.h"
#include "apps/runs/environment.h"
#include "apps/runs/export_format.h"
#include "apps/runs/members.h"
#include "apps/runs/weights.h"
#include "apps/training/experiment.h"
#include "apps/training/run_data.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/hash.h"

namespace basin::apps {
namespace {

/// The file that --weights stands for.
std::string weights_file(const ExportConfig& config) {
  const std::string& which = config.weights;
  constexpr std::string_view kMember = "member:";
  const bool of_run = which == "last" || which == "swa" || which == "ema" || which.starts_with(kMember);
  if (!of_run) return which;
  if (config.run.empty())
    throw UsageError("--weights ", which, " is of a run: give --run DIR too (or ./", which, " for a file)");
  std::string file =
      config.run + (which == "last" ? "/final.safetensors" : "/final-" + which + ".safetensors");
  if (which.starts_with(kMember)) {
    std::int64_t number = 0;
    const char* begin = which.data() + kMember.size();
    const char* end = which.data() + which.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (error != std::errc() || stop != end || number < 1)
      throw UsageError("--weights ", quote(which), ": members are member:1, member:2, ...");
    file = member_path(config.run, number);
  }
  if (kind_of_file(file) == FileKind::none)
    throw CheckpointError("[export] ", file, " is not there: the run in ", config.run,
                          " has not ended, or keeps no such weights (a checkpoint of it can be given as "
                          "--weights ",
                          config.run, "/ckpt-....safetensors)");
  return file;
}

}  // namespace

int export_command(const ExportConfig& config, Terminal& terminal) {
  const ExportFormat& format = export_format(config.format, config.out);
  const std::string file = weights_file(config);
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
  const auto probe = build_model(config.model, image, 1, 0, Dtype::f32, /*blank=*/true);
  const std::string head = nn::head_of(*probe) + ".weight";
  const ArchiveTensor rows = find_weight(opened, entries_of(*probe), head);
  if (rows.shape.rank() != 2 || rows.shape[0] < 1)
    throw CheckpointError("[export] ", file, ": '", head, "' is ", rows.shape, ", not {classes,inputs}");
  const Dtype dtype = rows.dtype == file_dtype(Dtype::f64) ? Dtype::f64 : Dtype::f32;
  const auto model = build_model(config.model, image, rows.shape[0], 0, dtype, /*blank=*/true);
  if (identity.classes > 0 && identity.classes != rows.shape[0])
    throw CheckpointError("[export] ", file, " says that it is of ", identity.classes, " classes; '", head,
                          "' has ", rows.shape[0], " rows");
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
  return static_cast<int>(ExitCode::success);
}

}  // namespace basin::apps
