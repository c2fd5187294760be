// `basin ckpt`: files of tensors checked, looked into, compared, averaged; checkpoints that may go.
#include "apps/checkpoints/checkpoint_tools.h"
#include "apps/cli/command.h"
#include "apps/cli/long_work.h"

namespace basin::apps {
namespace {

const Scopes& scopes() {
  static const Scopes all = {{"tensors", {"inspect"}}, {"tolerance", {"diff"}}, {"out", {"average"}},
                             {"run", {"average"}},     {"keep", {"prune"}},     {"dry-run", {"prune"}}};
  return all;
}

class CkptCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("what", "What");
    t.add_call("tensors", toggle(tensors_), "inspect: a row a tensor, in place of a row a part");
    t.add_call("tolerance", real(tolerance_, at_least(0)),
               "diff: differences up to this count for nothing; 0: every bit counts");
    Option& out = t.add_call("out", free_text(average_.out, "FILE", "a file"),
                             "average: file to write; replaced if it is there");
    out.letter = "o";
    out.aliases = {"output"};
    t.add_call("run", free_text(average_.run, "DIR", "a directory"),
               "average: estimate the running statistics of batch norm anew, on the training images and with "
               "the model of the run in DIR");
    t.add_call("keep", whole(keep_, 1, 1000), "prune: how many whole checkpoints stay");
    t.add_call("dry-run", toggle(dry_run_), "prune: only say which checkpoints would go");
    add(t, output_);
  }

  void check(const OptionTable& table, const std::vector<std::string>& words) override {
    what_ = words.empty() ? "" : words.front();
    if (!words.empty()) files_.assign(words.begin() + 1, words.end());
    const auto expect = [&](bool right, const char* form) {
      if (!right) throw UsageError("ckpt ", what_, " takes ", form, ", not ", files_.size(), " names");
    };
    if (what_ == "verify")
      expect(!files_.empty(), "files or folders: basin ckpt verify RUN");
    else if (what_ == "inspect")
      expect(files_.size() == 1, "one file: basin ckpt inspect FILE");
    else if (what_ == "diff")
      expect(files_.size() == 2, "two files or runs: basin ckpt diff A B");
    else if (what_ == "average")
      expect(files_.size() >= 2, "two files or more: basin ckpt average A B -o FILE");
    else if (what_ == "prune")
      expect(files_.size() == 1, "one run: basin ckpt prune RUN");
    else
      throw UsageError("ckpt: ", what_.empty() ? "nothing to do" : quote(what_) + " is nothing that it does",
                       "; say verify, inspect, diff, average or prune, and the files");
    expect_in_scope("ckpt", scopes(), table, what_);
    if (what_ == "average" && average_.out.empty())
      throw UsageError("ckpt average needs a file to write: -o FILE");
  }

  ExitCode run(Terminal& terminal) override {
    return interruptible([&] {
      if (what_ == "verify") return verify_files(files_, terminal);
      if (what_ == "inspect") return inspect_file(files_[0], tensors_, terminal);
      if (what_ == "diff") return diff_files(files_[0], files_[1], tolerance_, terminal);
      if (what_ == "prune") return prune_checkpoints(files_[0], static_cast<int>(keep_), dry_run_, terminal);
      average_.files = files_;
      return average_files(average_, terminal);
    });
  }

 private:
  std::string what_;
  std::vector<std::string> files_;
  bool tensors_ = false, dry_run_ = false;
  double tolerance_ = 0;
  std::int64_t keep_ = 2;
  AverageFilesConfig average_;
};

}  // namespace

Command ckpt_command() {
  return {"ckpt", "verify | inspect | diff | average | prune FILES [options]",
          "files of tensors checked, looked into, compared, averaged; old checkpoints removed",
          kAnyNumberOfWords, make_call<CkptCall>};
}

}  // namespace basin::apps
