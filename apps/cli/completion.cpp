#include "apps/cli/completion.h"

namespace basin::apps {
namespace {

void add_words(const Option& option, std::vector<CompletionOption>& words) {
  const bool is_switch = option.binding.kind == ValueKind::flag;
  CompletionOption word{.word = "--" + option.flag,
                        .help = option.help,
                        .takes_value = !is_switch,
                        .choices = option.binding.choices,
                        .placeholder = option.binding.placeholder};
  words.push_back(word);
  if (!option.letter.empty()) {
    word.word = "-" + option.letter;
    words.push_back(word);
  }
  if (option.can_be_negated()) {
    word.word = "--no-" + option.flag;
    word.help = "do not " + option.help;
    words.push_back(word);
  }
}

}  // namespace

std::vector<CommandCompletion> completions(const Program& program) {
  std::vector<CommandCompletion> all;
  for (const Command& command : program.commands) {
    const std::unique_ptr<Call> call = command.make();
    CommandCompletion& own = all.emplace_back(CommandCompletion{command.name, command.help, {}});
    const OptionTable table = call->table();
    for (const Option& option : table.options()) add_words(option, own.options);
  }
  return all;
}

}  // namespace basin::apps
