#include "apps/reproduce/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "apps/cli/long_work.h"
#include "apps/cli/signals.h"
#include "apps/config/train_config.h"
#include "core/error.h"
#include "core/io/system_call.h"

namespace basin::apps {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  for (const std::string& word : words) all.push_back(const_cast<char*>(word.c_str()));  // exec changes none
  all.push_back(nullptr);
  return all;
}

int exit_code(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

}  // namespace

std::vector<std::string> environment_of_runs() {
  TrainConfig config;
  std::vector<std::string> fixed;
  const OptionTable table = train_options(config);
  for (const Option& option : table.options())
    if (option.role == Role::recipe && !option.variable().empty()) fixed.push_back(option.variable() + "=");
  std::vector<std::string> all;
  for (char** variable = environ; *variable; ++variable) {
    const std::string word = *variable;
    const bool stays = std::none_of(fixed.begin(), fixed.end(),
                                    [&](const std::string& name) { return word.starts_with(name); });
    if (stays) all.push_back(word);
  }
  return all;
}

Process::Process(const std::vector<std::string>& words, const std::vector<std::string>& environment,
                 const std::string& log) {
  // All that needs memory is made before the fork.
  const std::vector<char*> arguments = pointers(words), variables = pointers(environment);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (out == -1) throw OutputError("[reproduce] ", log, ": ", reason(errno));
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = ::getpid();
  // Signals wait until the child has SIGTERM's own effect back: what this process does about one would be
  // done in the child, which would then go on and become the program.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  id_ = ::fork();
  if (id_ == 0) {
    ::signal(SIGTERM, SIG_DFL);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::setpgid(0, 0);  // out of reach of the terminal's Ctrl-C
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(128 + SIGTERM);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execve(arguments[0], arguments.data(), variables.data());
    ::_exit(127);
  }
  const int failure = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(out);
  ::close(in);
  if (id_ == -1) throw MemoryError("the system starts no process for a run: ", reason(failure));
}

Process::~Process() {
  if (id_ == -1) return;
  terminate();
  wait();
}

Process::Process(Process&& other) noexcept
    : id_(std::exchange(other.id_, -1)), code_(other.code_), terminated_(other.terminated_) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(code_, other.code_);
  std::swap(terminated_, other.terminated_);
  return *this;
}

std::optional<int> Process::ended() {
  int status = 0;
  const pid_t found = id_ == -1 ? 0 : ::waitpid(id_, &status, WNOHANG);
  if (found == -1 && errno != EINTR) throw InternalError("[reproduce] waitpid: ", reason(errno));
  if (found > 0) {
    code_ = exit_code(status);
    id_ = -1;
  }
  return code_;
}

void Process::terminate() {
  if (id_ == -1 || terminated_) return;
  ::kill(id_, SIGTERM);
  terminated_ = true;
}

int Process::wait() {
  int status = 0;
  while (id_ != -1) {
    const pid_t found = ::waitpid(id_, &status, 0);
    if (found == -1 && errno == EINTR) continue;
    code_ = found == -1 ? number(ExitCode::internal) : exit_code(status);
    id_ = -1;
  }
  return code_.value_or(0);
}

void pause_a_moment() {
  for (int i = 0; i < 10 && !interruption_requested(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

DirectoryLock lock_when_free(const std::string& directory) {
  for (int tried = 1;; ++tried) {
    try {
      return {"reproduce", directory, "name another --out", DirectoryLock::Owner::descendants};
    } catch (const InUseError&) {
      if (tried == 300) throw;
    }
    pause_a_moment();
    if (interruption_requested())
      throw InterruptedError("interrupted while another process was at work there");
  }
}

std::string own_program() {
  std::error_code failure;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (failure) throw InternalError("[reproduce] /proc/self/exe: ", failure.message());
  return path.string();
}

}  // namespace basin::apps
