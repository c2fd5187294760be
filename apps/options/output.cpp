#include "apps/options/output.h"

#include "apps/options/options.h"

namespace basin::apps {

void add(OptionTable& t, OutputConfig& c) {
  t.group("output", "Output");
  t.add_call("json", toggle(c.json), "print the result as one JSON document on stdout");
  t.add_call("quiet", toggle(c.quiet), "print no progress and no log on stderr").letter = "q";
  t.add_call("verbose", toggle(c.verbose), "print more of the log, such as where each option's value is from")
      .letter = "v";
}

void add_progress(OptionTable& t, OutputConfig& c) {
  t.add("progress", "progress", toggle(c.progress), "show progress on stderr").role = Role::session;
}

void add_log_every(OptionTable& t, OutputConfig& c) {
  t.add("log-every", "log_every", period(c.log_every),
        "how often a progress line is printed where stderr is no terminal")
      .role = Role::session;
}

}  // namespace basin::apps
