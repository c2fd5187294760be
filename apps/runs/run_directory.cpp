// mkdir decides who made the directory, flock who uses it; run.json is rewritten atomically.
#include "apps/runs/run_directory.h"

#include <algorithm>
#include <charconv>

#include "apps/cli/signals.h"
#include "apps/config/cuda_plugin.h"
#include "apps/options/options.h"
#include "apps/options/period.h"
#include "apps/runs/data_files.h"
#include "apps/runs/environment.h"
#include "apps/runs/lab_directory.h"
#include "apps/runs/members.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/hash.h"
#include "core/parallel.h"

namespace basin::apps {

namespace {

constexpr const char* kParent = "runs";

/// `ask` with what the system refuses as an OutputError: the directory is there to be written.
template <class Ask>
auto asked(Ask ask) -> decltype(ask()) {
  try {
    return ask();
  } catch (const ReadError& e) {
    throw OutputError("[run] ", e.what());
  }
}

bool exists(const std::string& path) {
  return asked([&] { return kind_of_file(path); }) != FileKind::none;
}

std::vector<std::string> names_in(const std::string& path) {
  return asked([&] { return list_directory(path); });
}

bool is_run(const std::string& path) { return exists(path + "/config.toml") || exists(path + "/run.json"); }

bool is_checkpoint(const std::string& name) { return name.starts_with("ckpt-"); }

// What only describes a run: it goes on without.
bool is_record(const std::string& name) {
  return name == "run.json" || name == "log.txt" || name == "metrics.csv" || name == "steps.jsonl";
}

// A file that Basin writes into a run directory.
bool is_ours(const std::string& name) {
  static const std::vector<std::string> kNames = {
      "config.toml", "run.json",    "metrics.csv", "steps.jsonl",     "log.txt",
      "result.json", "report.html", "curves.svg",  "label_noise.csv", kDataFilesName};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
         ((name.starts_with("ckpt-") || name.starts_with("final")) && name.ends_with(".safetensors"));
}

// The number in "NAME-012"; 0 if it is another name.
std::int64_t number_of(const std::string& entry, const std::string& name) {
  if (!entry.starts_with(name + "-")) return 0;
  const std::string digits = entry.substr(name.size() + 1);
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && stop == digits.data() + digits.size() && number > 0 ? number : 0;
}

std::string numbered(const std::string& name, std::int64_t number) {
  const std::string digits = std::to_string(number);
  return text(kParent, "/", name, "-", std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0'), digits);
}

std::string make_numbered(const std::string& name) {
  make_directory(kParent);
  std::int64_t number = 0;
  for (const std::string& entry : names_in(kParent)) number = std::max(number, number_of(entry, name));
  while (true) {
    const std::string path = numbered(name, ++number);
    // Another process may have taken the number: then it is the next one.
    if (make_directory(path)) return path;
  }
}

std::string reason_of(ExitCode code) {
  if (code == ExitCode::success) return "finished";
  const char* interruption = interruption_name(number(code));
  return interruption ? interruption : text("exit code ", number(code));
}

Json words(const std::vector<std::string>& list) { return Json::Array(list.begin(), list.end()); }

/// The card that computes and the versions beside it, for run.json; null for the CPU.
Json card_of(const Device& device) {
  if (device.kind != Device::Kind::cuda) return {};
  const cuda::Facts facts = cuda_plugin().plugin->facts();
  Json card = to_json(facts.devices.at(static_cast<std::size_t>(device.index)));
  card.set("device", text(device));
  const Json versions = versions_json(facts);
  for (const auto& [of, version] : versions.object()) card.set(of, version);
  return card;
}

}  // namespace

RunDirectory::RunDirectory(const TrainConfig& config, Terminal& terminal)
    : path_(config.run.dir),
      resume_(config.run.resume),
      force_(config.run.force),
      tensorboard_(config.run.tensorboard),
      terminal_(terminal) {
  while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  if (resume_ && !exists(path_ + "/config.toml"))
    throw CheckpointError(quote(path_), " is no run directory: it has no config.toml");
  if (!path_.empty() && exists(path_)) look();
}

RunDirectory::~RunDirectory() = default;

void RunDirectory::lock() { lock_ = std::make_unique<DirectoryLock>("run", path_, "name another --run DIR"); }

void RunDirectory::look() {
  lock();
  remove_stale_temporaries(path_);
  const std::vector<std::string> names = names_in(path_);
  if (!resume_ && !names.empty()) {
    if (!is_run(path_))
      throw UsageError("--run ", quote(path_),
                       " exists, is not empty and holds no run; name another directory");
    if (!force_)
      throw UsageError("--run ", quote(path_),
                       " exists and holds a run; go on with it by --resume, or replace it by --force");
  }
  for (const std::string& name : names) {
    if (!is_ours(name) || (resume_ && (is_record(name) || is_checkpoint(name)))) continue;
    if (const std::string odd = odd_file(file(name)); !odd.empty())
      throw OutputError("[run] ", file(name), " is ", odd, " where a run has a file; move it away");
  }
}

void RunDirectory::begin(const TrainConfig& config) {
  if (!resume_) {
    if (path_.empty())
      path_ = make_numbered(run_name(config));
    else if (!lock_)
      create();
    if (!lock_) lock();
    if (force_) clear();
    write_file_atomically(file("config.toml"), to_toml(config));
  }
  terminal_.open_log(file("log.txt"));
  begin_session(config);
}

void RunDirectory::create() {
  if (make_directory(path_)) return;
  look();  // made by another process since the constructor looked
}

void RunDirectory::clear() {
  std::vector<std::string> checkpoints, others;
  for (const std::string& name : names_in(path_))
    if (is_ours(name) && name != "config.toml") (is_checkpoint(name) ? checkpoints : others).push_back(name);
  // In the order of their steps: of what is left the newest is there to the last.
  for (const std::string& name : checkpoints) remove_file(file(name));
  keep_members(path_, 0);
  remove_file(file(kEventFile));
  remove_answers(path_);
  for (const std::string& name : others) remove_file(file(name));
}

// What the calls before told; null where there is nothing or it cannot be understood.
Json RunDirectory::description() {
  const std::string path = file("run.json");
  try {
    if (kind_of_file(path) == FileKind::none) return {};
    Json run = parse_json(read_file(path));
    for (const char* name : {"name", "recipe_sha256"}) run.at(name).string();
    run.at("facts").object();
    for (const Json& session : run.at("sessions").array()) {
      const Json* took = session.find("seconds");
      if (took) recorded_number(*took);
    }
    return run;
  } catch (const Error& failure) {
    // It is a description, not state: the run can go on without what it said.
    terminal_.warn(text(path, " is not readable and is begun anew: ", failure.what()));
    return {};
  }
}

void RunDirectory::begin_session(const TrainConfig& config) {
  if (resume_) run_ = description();
  if (run_.is_null()) {
    run_ = Json::Object{{"format", 1},
                        {"name", run_name(config)},
                        {"seed", config.run.seed},
                        {"recipe_sha256", sha256_text(recipe_toml(config))},
                        {"facts", Json::Object{}},
                        {"sessions", Json::Array{}}};
  }
  Json::Array sessions = run_.at("sessions").array();
  Json session = Json::Object{{"command", words(config.run.command)},
                              {"started", timestamp()},
                              {"build", to_json(build_info())},
                              {"machine", to_json(machine_info())},
                              {"threads", thread_count()}};
  if (const Json card = card_of(config.device.device); !card.is_null()) session.set("card", card);
  sessions.push_back(std::move(session));
  run_.set("sessions", std::move(sessions));
  begin_ = steady_clock()();
  save_run_json();
}

void RunDirectory::save_run_json() {
  const std::string path = file("run.json");
  const bool first = description_error_.empty();
  try {
    if (const std::string odd = odd_file(path); !odd.empty())
      throw OutputError("[run] ", path, " is ", odd, " where a run has a file; move it away");
    write_file_atomically(path, run_.indented() + "\n");
    description_error_.clear();
  } catch (const OutputError& e) {
    description_error_ = e.what();
    if (first) terminal_.warn(description_error_ + "; the run goes on, it is tried again");
  }
}

void RunDirectory::describe(const std::string& key, Json value) {
  Json facts = run_.at("facts");
  facts.set(key, std::move(value));
  run_.set("facts", std::move(facts));
  save_run_json();
}

const Json* RunDirectory::described(const std::string& key) const { return run_.at("facts").find(key); }

double RunDirectory::earlier_seconds() const {
  double seconds = 0;
  for (const Json& session : run_.at("sessions").array()) {
    const Json* took = session.find("seconds");
    if (took) seconds += recorded_number(*took);
  }
  return seconds;
}

void RunDirectory::open_records(std::int64_t step, const std::vector<EpochRecord>& epochs, bool hessian) {
  records_ = std::make_unique<Records>(path_, step, epochs, hessian);
  if (tensorboard_) events_ = std::make_unique<EventFile>(path_, step, epochs);
  last_step_ = step;
  for (const std::string& line : records_->findings()) terminal_.warn(line);
  check_records();
}

std::string RunDirectory::records_error() const {
  std::string error = records_ ? records_->error() : "";
  return error.empty() && events_ ? events_->error() : error;
}

void RunDirectory::check_records() {
  if (warned_ || records_error().empty()) return;
  warned_ = true;
  terminal_.warn(records_error() + "; training goes on, records are kept and tried again");
}

void RunDirectory::write(const StepRecord& record) {
  records_->write(record);
  if (events_) events_->write(record);
  last_step_ = record.step;
  check_records();
}

void RunDirectory::write(const EpochRecord& record) {
  records_->write(record);
  if (events_) events_->write(record);
  check_records();
}

void RunDirectory::sync() {
  records_->sync();
  if (events_) events_->sync();
  check_records();
}

void RunDirectory::write(const RunResult& result) {
  write_file_atomically(file("result.json"), to_json(result).indented() + "\n");
}

void RunDirectory::end_session(ExitCode code, const std::string& reason) {
  Json::Array sessions = run_.at("sessions").array();
  Json& session = sessions.back();
  session.set("ended", timestamp());
  session.set("seconds", steady_clock()() - begin_);
  session.set("last_step", last_step_);
  session.set("exit_code", number(code));
  session.set("exit_reason", reason);
  run_.set("sessions", std::move(sessions));
  save_run_json();
}

ExitCode RunDirectory::session(const std::function<ExitCode()>& body) {
  terminal_.outlive_stdout();
  // How it ended must not hide why: a failure to write that down is only warned about.
  const auto failed = [&](ExitCode code, const char* reason) {
    try {
      terminal_.detail(text("ended with exit code ", number(code), ": ", reason));
      end_session(code, reason);
    } catch (const std::exception& also) {
      terminal_.warn(also.what());
    }
  };
  ExitCode code = ExitCode::success;
  try {
    code = body();
  } catch (const Error& error) {
    failed(error.code(), error.what());
    throw;
  } catch (const std::bad_alloc&) {
    failed(ExitCode::out_of_memory, "out of memory");
    throw;
  } catch (const std::exception& error) {
    failed(ExitCode::internal, error.what());
    throw;
  }
  const bool records_missing = !records_error().empty();
  const std::string stdout_error = terminal_.stdout_error();
  if (code == ExitCode::success && (records_missing || terminal_.log_incomplete() || !stdout_error.empty())) {
    code = ExitCode::output;
    if (records_missing) terminal_.warn(records_error() + "; records of this run are missing");
    if (!stdout_error.empty())
      terminal_.warn(stdout_error + "; the run is complete, and what was to be printed is in " +
                     file("log.txt"));
  }
  end_session(code, reason_.empty() || code == ExitCode::output ? reason_of(code) : reason_);
  if (code == ExitCode::success && !description_error_.empty()) return ExitCode::output;
  return code;
}

}  // namespace basin::apps
