// The table of options: the single source of flags, environment variables, TOML keys, --help, --print-config,
// config.toml, validation and docs/command-line.md.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/options/bindings.h"
#include "core/io/utf8.h"

namespace basin::apps {

/// Where a value came from, weakest first: a stronger source wins.
enum class Source { standard, preset, file, environment, flag };

/// What an option decides.
enum class Role {
  recipe,   // the numbers a run computes: saved in config.toml, fixed for the whole run
  session,  // how it is run (threads, log lines): saved, but a resumed run may change it
  call,     // this one call (--resume, --json): never saved, no TOML key, no environment variable
};

/// That another option counts and has one of `values`: a glob ("resnet*") of the value or, where the value is
/// a list, of one of its terms; "!0" alone for every other value; "!" for any. `words` stand for many values
/// in messages: "with batch normalisation".
struct Clause {
  std::string decider;
  std::vector<std::string> values;
  std::string words{};
};

struct Option {
  std::string flag;    // "lr": --lr, BASIN_LR
  std::string group;   // "optimizer": the TOML section and the heading in --help
  std::string key;     // the name in its section, so that optimizer.lr; empty for Role::call
  std::string letter;  // "v": -v; empty for none
  Role role = Role::recipe;
  Binding binding;
  std::string help;
  std::string standard;  // the default, as text

  /// When the option counts: each of these holds, by at least one of its clauses; always if there are none.
  std::vector<std::vector<Clause>> conditions;
  /// Other defaults by the value of the option `standard_by`: {{"adam", "0.001"}}.
  std::string standard_by;
  std::vector<std::pair<std::string, std::string>> standards;
  /// Names that other programs give it; only for suggestions.
  std::vector<std::string> aliases;

  Source source = Source::standard;
  std::string
      where;  // of the value: "--lr", "BASIN_LR", "c.toml:3:6", "preset sam_torch"; empty for a default

  std::string path() const { return key.empty() ? "" : group + "." + key; }
  std::string variable() const;  // "BASIN_WEIGHT_DECAY"; empty for Role::call
  /// Whether --no-FLAG turns it off: a switch that is on by default, or that a file may turn on.
  bool can_be_negated() const;
  /// When it counts: "--sharpness sam or gam"; empty for always.
  std::string condition() const;
  /// Adds a condition of one clause.
  Option& only_with(const std::string& decider, std::vector<std::string> values, std::string words = "");
};

class OptionTable {
 public:
  /// What is added next belongs to this group; `help` is its heading.
  void group(const std::string& name, const std::string& help);
  /// Adds an option whose TOML key is `key`. The reference lets the caller refine it until the next add().
  Option& add(const std::string& flag, const std::string& key, Binding binding, const std::string& help);
  /// Adds an option of one call.
  Option& add_call(const std::string& flag, Binding binding, const std::string& help);

  std::vector<Option>& options() { return options_; }
  const std::vector<Option>& options() const { return options_; }
  /// Group names with their headings, in order.
  const std::vector<std::pair<std::string, std::string>>& groups() const { return groups_; }
  Option* by_flag(const std::string& flag);
  const Option* by_flag(const std::string& flag) const;
  Option* by_path(const std::string& path);
  /// Every word that may follow "--", negations of flags included.
  std::vector<std::string> flags() const;

  /// Gives `option` a value. Errors: UsageError "WHERE: ... 'VALUE' is not ALLOWED", one line.
  void assign(Option& option, const std::string& value, Source source, const std::string& where);
  /// Takes the defaults that depend on other options, then drops values of options that do not apply.
  /// Dropping is right where a stronger source made the choice (a preset's rho under --sharpness none);
  /// otherwise the value was given in vain. With `of_run` the file is a run's own, of a Basin that may have
  /// let more options count: what does not is dropped too. Errors: UsageError for a value given in vain.
  void settle(bool of_run = false);
  bool applies(const Option& option) const;
  /// Why an option does not apply: "counts only with --sharpness other than none (here it is none)".
  std::string why_not(const Option& option) const;

  /// The saved options as TOML, one section a group; only those of Role::recipe if `recipe_only`.
  std::string toml(bool recipe_only = false) const;

 private:
  bool holds(const Clause& clause) const;
  bool holds(const std::vector<Clause>& condition) const;
  /// The strongest source of what makes an option not apply.
  Source ruled_out_by(const Option& option) const;
  const Option& decider_of(const Clause& clause) const;

  std::vector<Option> options_;
  std::vector<std::pair<std::string, std::string>> groups_;
};

/// The environment variable of a flag: "BASIN_WEIGHT_DECAY".
std::string variable_of(const std::string& flag);

/// "a, b or c".
std::string one_of(const std::vector<std::string>& words);

}  // namespace basin::apps
