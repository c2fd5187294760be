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
    scopes.push_back({"subset", {"show", "subset"}});
    for (const char* flag : {"validation", "validation-from"}) scopes.push_back({flag, {"show", "split"}});
    scopes.push_back({"data-seed", {"show", "split", "subset"}});
    scopes.push_back({"out", {"show", "split", "subset"}});
    for (const char* flag :
         {"bad-image", "crop-padding", "seed", "count", "epoch", "epochs", "columns", "enlarge"})
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
    t.group("show", "What is written");
    t.add_call("seed", natural(config_.seed), "seed of the random changes").only_with("augment", {"!none"});
    Option& out = t.add_call("out", free_text(config_.out, "PATH", "a path"),
                             "show: PNG file to write; split and subset: folder for train.csv, val.csv or "
                             "test.csv, and classes.txt, which --data list reads");
    out.letter = "o";
    out.aliases = {"output"};
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
    if (what_ != "verify" && what_ != "show" && what_ != "get" && what_ != "split" && what_ != "subset")
      throw UsageError("data: say what to do, verify, show, get, split or subset",
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
    if (what_ == "split" || what_ == "subset")
      check_lists(named, table.by_flag("out")->source != Source::standard);
    if (what_ == "verify" && !named) config_.data.name = "folder";
    if (what_ == "verify" && !data::is_picture_set(config_.data.name) &&
        table.by_flag("augment")->source == Source::flag)
      throw UsageError("--augment counts only for data verify of pictures in files, which it cuts, not of ",
                       config_.data.name);
  }

  ExitCode run(Terminal& terminal) override {
    if (what_ == "verify") return verify_data(config_, terminal);
    if (what_ == "show") return show_data(config_, terminal);
    if (what_ == "split" || what_ == "subset") return list_data(config_, what_, terminal);
    return get_data(config_, terminal);
  }

 private:
  /// Lists name pictures in files of their own.
  void check_lists(bool named, bool has_place) {
    if (!named) config_.data.name = "folder";
    if (!data::is_picture_set(config_.data.name) || config_.data.name == "webdataset")
      throw UsageError("data ", what_, " lists pictures in files, of --data folder, list, pets or cars; of ",
                       config_.data.name, " basin train itself takes --subset and --validation");
    const std::int64_t count = what_ == "split" ? config_.data.validation : config_.data.subset;
    if (count == 0 || !has_place)
      throw UsageError("data ", what_, ": nothing to list without --",
                       what_ == "split" ? "validation" : "subset",
                       " N, the number of pictures, and -o DIR, where the lists go");
  }

  std::string what_;
  DataToolConfig config_;
};

}  // namespace

Command data_command() {
  return {"data", "verify | show | split | subset | get NAME [options]",
          "decode every picture; show augmented ones; list parts of a set; fetch one", 2,
          make_call<DataCall>};
}

}  // namespace basin::apps
