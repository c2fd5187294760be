// The pages: of a finished run, and of several with all that the laboratory found about them.
#pragma once

#include <string>
#include <vector>

#include "apps/report/page/learning.h"
#include "apps/report/page/reported_run.h"

namespace basin::apps {

struct ReportPage {
  std::string html{};
  int figures = 0;
};

/// One page that needs nothing from outside: learning curves, results, the runs' answers by command, side by
/// side and, where they are curves over equal axes, over each other; `between` are answers about several
/// runs. How they differ and what was run comes last. Equal runs give equal bytes. Errors: DataError for a
/// run.json or result.json of another form.
ReportPage page_of(const std::vector<ReportedRun>& runs, const std::vector<ReportedAnswer>& between = {});

/// Writes DIR/curves.svg and DIR/report.html from the run's metrics.csv, steps.jsonl, result.json,
/// config.toml and run.json. Errors: DataError for a file that is missing or damaged; OutputError.
void write_report(const std::string& directory);

}  // namespace basin::apps
