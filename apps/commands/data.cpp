// `basin data`: a data set looked at, or fetched, before anything is trained on it.
#include "apps/cli/command.h"
#include "apps/commands/data_command.h"
#include "core/io/utf8.h"
#include "data/sets/pictures.h"

namespace basin::apps {
namespace {

const Scopes& scopes() {
  static const Scopes all = [] {
    Scopes scopes;
    for (const char* flag : {"train-shards", "test-shards", "limit", "image-size", "augment"})
      scopes.push_back({flag, {"verify", "show"}});
    for (const char* flag : {"bad-image", "subset", "validation", "validation-from", "data-seed",
                             "crop-padding", "seed", "out", "count", "epoch", "epochs", "columns", "enlarge"})
      scopes.push_back({flag, {"show"}});
    return scopes;
  }();
  return all;
}

class DataCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("data", "Data");
    add_source(t, config_.data);
    add_examples(t, config_.data, /*labels=*/false);  // a sheet shows none
    t.group("show", "The sheet of `basin data show`");
    t.add_call("seed", natural(config_.seed), "seed of the random changes").only_with("augment", {"!none"});
    t.add_call("out", free_text(config_.out, "FILE", "a file"), "PNG file to write");
    t.add_call("count", whole(config_.count, 1, 4096), "how many training images are shown, from the first");
    t.add_call("epoch", whole(config_.epoch, 0, 1'000'000'000),
               "show them as they look in this epoch; the first is 0")
        .only_with("augment", {"!none"});
    t.add_call("epochs", whole(config_.epochs, 1, 4096),
               "how many epochs are shown from there, each below the one before");
    t.add_call("columns", whole(config_.columns, 1, 256), "how many images stand side by side");
    t.add_call("enlarge", whole(config_.enlarge, 1, 32), "show each pixel as a square of this side");
    add(t, output_);
  }

  void check(const OptionTable& table, const std::vector<std::string>& words) override {
    what_ = words[0];
    const std::string& name = words[1];
    if (what_ != "verify" && what_ != "show" && what_ != "get")
      throw UsageError("data: say what to do, verify, show or get",
                       what_.empty() ? "" : ", not " + quote(what_));
    const bool named = table.by_flag("data")->source != Source::standard;
    if (what_ == "get") {
      if (name.empty() || named)
        throw UsageError(
            "data get takes the data set's name without --data: basin data get cifar10 --data-dir DIR");
      config_.data.name = name;
    } else if (!name.empty()) {
      throw UsageError("data ", what_, ": unexpected argument ", quote(name));
    }
    expect_in_scope("data", scopes(), table, what_);
    if (what_ == "verify" && !named) config_.data.name = "folder";
    if (what_ == "verify" && !data::is_picture_set(config_.data.name) &&
        table.by_flag("augment")->source == Source::flag)
      throw UsageError("--augment counts only for data verify of pictures in files, which it cuts, not of ",
                       config_.data.name);
  }

  ExitCode run(Terminal& terminal) override {
    if (what_ == "verify") return verify_data(config_, terminal);
    if (what_ == "show") return show_data(config_, terminal);
    return get_data(config_, terminal);
  }

 private:
  std::string what_;
  DataToolConfig config_;
};

}  // namespace

Command data_command() {
  return {"data", "verify | show | get NAME [options]",
          "decode every picture; show augmented ones; fetch a data set", 2, make_call<DataCall>};
}

}  // namespace basin::apps
