// Cards as cuDNN takes a description of one: what cudaGetDeviceProperties reports of each.
#pragma once

#include <string>

namespace fake {

/// What differs between the cards that we describe; the rest is that of all of them.
struct DescribedCard {
  const char* name;
  int version;  // of the compute capability: 900 is 9.0
  int multiprocessors;
  long long memory, cache;  // bytes
  int shared_memory;        // bytes a block can ask for
  int clock, memory_clock;  // kHz
};

inline constexpr DescribedCard kA100{
    "NVIDIA A100-SXM4-80GB", 800, 108, 85'094'825'984, 41'943'040, 166'912, 1'410'000, 1'593'000};
inline constexpr DescribedCard kH100{
    "NVIDIA H100 80GB HBM3", 900, 132, 85'014'085'632, 52'428'800, 232'448, 1'980'000, 2'619'000};
inline constexpr DescribedCard kH200{"NVIDIA H200", 900,     132,       150'754'820'096,
                                     62'914'560,    232'448, 1'980'000, 3'201'000};

inline std::string description_of(const DescribedCard& c) {
  const auto member = [](const char* name, long long value) {
    return '"' + std::string(name) + "\":" + std::to_string(value) + ',';
  };
  return "{" + member("deviceVer", c.version) + member("multiProcessorCount", c.multiprocessors) +
         member("warpSize", 32) + member("maxSharedMemoryPerBlock", 49'152) +
         member("maxSharedMemoryPerBlockOptin", c.shared_memory) +
         member("reservedSharedMemoryPerBlock", 1024) + member("maxRegistersPerSM", 65'536) +
         member("maxCtasPerSM", 32) + member("maxThreadsPerBlock", 1024) + member("maxThreadsPerSM", 2048) +
         member("regsPerBlock", 65'536) + member("totalGlobalMem", c.memory) +
         member("smClockRateKHz", c.clock) + member("l2CacheSize", c.cache) +
         "\"maxBlockSize\":[1024,1024,64]," + member("memClockRateKHz", c.memory_clock) +
         "\"maxGridSize\":[2147483647,65535,65535]," + member("supportCoopLaunch", 1) +
         member("pciDeviceId", 0) + member("isTccDriver", 0) + member("cudaDeviceId", 0) +
         member("driverVer", 13'000) + "\"deviceName\":\"" + c.name + "\"}";
}

}  // namespace fake
