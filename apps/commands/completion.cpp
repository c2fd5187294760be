// `basin completion`: what a shell offers behind `basin`, as a script for it.
#include "apps/cli/completion.h"

#include "apps/commands/commands.h"
#include "apps/options/suggest.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

const std::vector<std::pair<std::string, Shell>> kShells = {
    {"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}};

class CompletionCall : public Call {
 public:
  void options(OptionTable& t) override { t.group("output", "Output"); }
  void check(const OptionTable&, const std::vector<std::string>& words) override {
    for (const auto& [name, shell] : kShells)
      if (words[0] == name) {
        shell_ = shell;
        return;
      }
    throw UsageError("completion needs the shell's name: bash, zsh or fish",
                     words[0].empty() ? "" : ", got " + quote(words[0]));
  }
  std::string settled(const OptionTable&) override { return completion_script(program(), shell_); }
  ExitCode run(Terminal&) override { return ExitCode::success; }

 private:
  Shell shell_ = Shell::bash;
};

}  // namespace

Command completion_command() {
  return {"completion", "bash|zsh|fish", "completes commands and options in your shell", 1,
          make_call<CompletionCall>};
}

}  // namespace basin::apps
