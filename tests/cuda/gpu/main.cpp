// The main function of the tests on a real card: without one it says so and ends with 77, "skipped".
#define DOCTEST_CONFIG_IMPLEMENT
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <cstdio>
#include <string_view>

int main(int count, char** arguments) {
  doctest::Context tests(count, arguments);
  int cards = 0;
  const cudaError_t status = cudaGetDeviceCount(&cards);
  bool lists = false;  // which needs no card
  for (int i = 1; i < count; ++i)
    lists = lists || std::string_view(arguments[i]).find("list-test") != std::string_view::npos;
  if (!lists && (status != cudaSuccess || cards == 0)) {
    std::printf("SKIPPED: no CUDA device (%s)\n", cudaGetErrorString(status));
    return 77;
  }
  return tests.run();
}
