// A command that a signal interrupts at a known place, and the content of a directory to compare.
#pragma once

#include <signal.h>

#include <csignal>
#include <ostream>
#include <sstream>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

#include "apps/cli/signals.h"
#include "core/io/directory.h"
#include "core/io/hash.h"
#include "tests/apps/calls.h"

namespace basin::test {

/// stderr that sends this process a signal when it reads a word for the first time.
class Interrupting : public std::streambuf {
 public:
  explicit Interrupting(std::string word) : word_(std::move(word)) { apps::install_signal_handlers(); }
  ~Interrupting() override { apps::clear_interruption(); }

 protected:
  int_type overflow(int_type c) override {
    take(std::string(1, static_cast<char>(c)));
    return c;
  }
  std::streamsize xsputn(const char* text, std::streamsize n) override {
    take(std::string(text, static_cast<std::size_t>(n)));
    return n;
  }

 private:
  void take(const std::string& text) {
    seen_ += text;
    if (done_ || seen_.find(word_) == std::string::npos) return;
    done_ = true;
    std::raise(SIGTERM);
  }

  std::string word_, seen_;
  bool done_ = false;
};

/// `basin NAME WORDS` on a terminal whose progress line sends SIGTERM when it shows `word`; its exit code.
inline int interrupted_at(const std::string& name, const std::string& word, const Words& words) {
  const apps::Parsed call = parsed(name, words);
  Interrupting buffer(word);
  std::ostream err(&buffer);
  std::ostringstream out;
  apps::Terminal terminal(out, err, {.repaint = true}, {});
  return static_cast<int>(call.call->run(terminal));
}

/// Names and bytes of a directory.
inline std::vector<std::string> content(const std::string& directory) {
  std::vector<std::string> all;
  for (const std::string& name : list_directory(directory))
    all.push_back(name + " " + sha256_file(directory + "/" + name));
  return all;
}

}  // namespace basin::test
