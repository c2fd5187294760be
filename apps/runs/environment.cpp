// Linux tells most of it in /proc and /sys; what is not there stays empty or zero.
#include "apps/runs/environment.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include "core/error.h"
#include "core/parallel.h"

namespace basin::apps {

namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// "48K", "2048K", "260M", or a plain count of bytes.
std::int64_t parse_size(const std::string& size) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(size.data(), size.data() + size.size(), value);
  if (error != std::errc()) return 0;
  const char unit = stop == size.data() + size.size() ? ' ' : *stop;
  return value * (unit == 'K' ? 1 << 10 : unit == 'M' ? 1 << 20 : 1);
}

// The value of "name : value" or "name: value kB" lines.
std::string field(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t colon = line.find(':');
    const std::size_t begin = colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

std::vector<std::string> usable_instructions() {
  static constexpr std::array kOfInterest = {"sse4_2",   "avx",      "avx2",     "fma",         "avx512f",
                                             "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16",
                                             "amx_bf16", "asimd",    "sve"};
  std::istringstream words(field("/proc/cpuinfo", "flags"));
  std::vector<std::string> present((std::istream_iterator<std::string>(words)),
                                   std::istream_iterator<std::string>());
  std::vector<std::string> found;
  for (const char* name : kOfInterest) {
    if (std::find(present.begin(), present.end(), name) != present.end()) found.push_back(name);
  }
  return found;
}

std::vector<std::pair<std::string, std::int64_t>> cache_sizes() {
  std::vector<std::pair<std::string, std::int64_t>> caches;
  for (int i = 0; i < 8; ++i) {
    const std::string folder = text("/sys/devices/system/cpu/cpu0/cache/index", i, "/");
    const std::string kind = first_line(folder + "type");
    if (kind.empty()) break;
    if (kind == "Instruction") continue;
    caches.emplace_back("L" + first_line(folder + "level") + (kind == "Data" ? "d" : ""),
                        parse_size(first_line(folder + "size")));
  }
  return caches;
}

// Memory of the machine and of the control group (version 2, then 1): total and in use.
void find_memory(MachineInfo& machine) {
  machine.memory_bytes = parse_size(field("/proc/meminfo", "MemTotal")) * 1024;
  machine.available_bytes = parse_size(field("/proc/meminfo", "MemAvailable")) * 1024;
  const std::pair<const char*, const char*> groups[] = {
      {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
  for (const auto& [limit_file, used_file] : groups) {
    const std::int64_t limit = parse_size(first_line(limit_file));  // "max" is no number: 0
    if (limit <= 0 || limit >= machine.memory_bytes) continue;
    machine.memory_bytes = limit;
    machine.available_bytes = std::min(machine.available_bytes,
                                       std::max<std::int64_t>(0, limit - parse_size(first_line(used_file))));
    break;
  }
}

// 13000 as 13.0, as CUDA counts; 91900 as 9.19, as cuDNN does.
std::string version_text(std::int64_t version, std::int64_t major, std::int64_t minor) {
  return text(version / major, '.', version % major / minor);
}

}  // namespace

std::string compiler_name() {
#ifdef __clang__
  return text("clang++ ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__);
#else
  return text("g++ ", __GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__);
#endif
}

MachineInfo machine_info() {
  MachineInfo machine;
  utsname system{};
  if (uname(&system) == 0) machine.system = text(system.sysname, " ", system.release, " ", system.machine);
  machine.cpu = field("/proc/cpuinfo", "model name");
  machine.instructions = usable_instructions();
  machine.cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  machine.usable_cpus = available_cpus();
  find_memory(machine);
  machine.caches = cache_sizes();
  return machine;
}

Json to_json(const BuildInfo& build) {
  return Json::Object{{"version", build.version},   {"revision", build.revision},
                      {"compiler", build.compiler}, {"build_type", build.build_type},
                      {"flags", build.flags},       {"sanitizers", build.sanitizers}};
}

Json to_json(const MachineInfo& machine) {
  Json::Array instructions(machine.instructions.begin(), machine.instructions.end());
  Json::Object caches;
  for (const auto& [name, bytes] : machine.caches) caches.emplace_back(name, bytes);
  return Json::Object{{"system", machine.system},
                      {"cpu", machine.cpu},
                      {"instructions", std::move(instructions)},
                      {"cpus", machine.cpus},
                      {"usable_cpus", machine.usable_cpus},
                      {"memory_bytes", machine.memory_bytes},
                      {"available_bytes", machine.available_bytes},
                      {"caches", std::move(caches)}};
}

Json versions_json(const cuda::Facts& facts) {
  return Json::Object{
      {"runtime", version_text(facts.runtime, 1000, 10)},
      {"driver", facts.driver == 0 ? std::string("none") : version_text(facts.driver, 1000, 10)},
      {"cudnn", version_text(static_cast<std::int64_t>(facts.cudnn), 10000, 100)}};
}

Json to_json(const cuda::DeviceFacts& card) {
  return Json::Object{{"name", card.name},
                      {"compute", text(card.major, '.', card.minor)},
                      {"multiprocessors", card.multiprocessors},
                      {"bytes", static_cast<std::int64_t>(card.bytes)}};
}

std::string version_line() {
  const BuildInfo build = build_info();
  return "basin " + build.version + " (" + build.revision + ", " + build.compiler + ", " + build.build_type +
         (build.sanitizers.empty() ? "" : ", sanitizers " + build.sanitizers) + ")";
}

std::string bytes_text(std::int64_t bytes) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (amount >= 1024 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  char buffer[32];
  // One decimal where it tells something: 7.7 GiB, 48 KiB.
  const int decimals =
      unit == 0 || amount >= 100 || amount == static_cast<double>(static_cast<std::int64_t>(amount)) ? 0 : 1;
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, amount, std::chars_format::fixed, decimals).ptr;
  return std::string(buffer, end) + " " + kUnits[unit];
}

std::string timestamp(std::int64_t seconds_since_1970) {
  const std::time_t moment = seconds_since_1970;
  std::tm parts{};
  gmtime_r(&moment, &parts);
  char buffer[32];
  return std::string(buffer, std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

std::string timestamp() { return timestamp(std::time(nullptr)); }

}  // namespace basin::apps
