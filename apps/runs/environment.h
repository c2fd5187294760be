// What this program was built from and what it runs on: for `basin info`, `basin --version` and run.json.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/io/json.h"
#include "cuda/plugin.h"

namespace basin::apps {

struct BuildInfo {
  std::string version;     // "0.1.0"
  std::string revision;    // git commit, "-dirty" if edited; "unknown" outside a repository
  std::string compiler;    // "g++ 12.2.0"
  std::string build_type;  // "Release"
  std::string flags;
  std::string sanitizers;  // empty: none
};

struct MachineInfo {
  std::string system;                     // "Linux 6.1.0 x86_64"
  std::string cpu;                        // model name
  std::vector<std::string> instructions;  // of those the kernels can use: "avx2", "fma", "avx512f", ...
  int cpus = 0;                           // of the machine
  int usable_cpus = 0;                    // that this process may run on
  std::int64_t memory_bytes = 0;     // of the machine, or of the control group if that is less; 0: unknown
  std::int64_t available_bytes = 0;  // of it not in use
  std::vector<std::pair<std::string, std::int64_t>> caches;  // {"L1d", bytes}, ... of the first CPU
};

BuildInfo build_info();
MachineInfo machine_info();
/// "g++ 12.2.0" or "clang++ 14.0.6": what compiled the file that calls it.
std::string compiler_name();

Json to_json(const BuildInfo& build);
Json to_json(const MachineInfo& machine);
/// Versions: {"runtime": "13.0", "driver": "13.0" or "none", "cudnn": "9.19"}.
Json versions_json(const cuda::Facts& facts);
/// {"name": "NVIDIA H200", "compute": "9.0", "multiprocessors": 132, "bytes": ...}.
Json to_json(const cuda::DeviceFacts& card);

/// "basin 0.1.0 (a1b2c3d4e5f6, g++ 12.2.0, Release)".
std::string version_line();

/// "7.7 GiB", "48 KiB".
std::string bytes_text(std::int64_t bytes);

/// In UTC: "2025-01-31T12:00:00Z". The second is of now.
std::string timestamp(std::int64_t seconds_since_1970);
std::string timestamp();

}  // namespace basin::apps
