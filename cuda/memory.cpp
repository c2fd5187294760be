// The backend's memory: a pool, and copies in the order of the stream.
#include "cuda/backend.h"
#include "cuda/kernels/indexed_op.h"

namespace basin::cuda {
namespace {

// The current card of a thread, as we set it last; -1: never.
thread_local int current_card = -1;

}  // namespace

void make_current(int card) {
  if (current_card == card) return;
  check(cudaSetDevice(card), "cudaSetDevice");
  current_card = card;
}

cudaStream_t CudaBackend::stream() const {
  make_current(index_);
  return stream_.get();
}

std::byte* CudaBackend::allocate(std::size_t bytes) {
  make_current(index_);
  return pool_.take(bytes);
}

void CudaBackend::release(std::byte* data, std::size_t) { pool_.give_back(data); }

void CudaBackend::copy_bytes(std::byte* to, const std::byte* from, std::size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream()), "cudaMemcpyAsync");
}

void CudaBackend::expect_no_record(const char* what, std::size_t bytes) const {
  if (recording_)
    throw InternalError("[cuda] ", what, " ", bytes,
                        " bytes inside work that is recorded; --no-graph has none");
}

// Has read all of the memory when it returns.
void CudaBackend::upload(std::byte* to, const std::byte* from_host, std::size_t bytes) {
  expect_no_record("the host sends", bytes);
  sent_.send(to, from_host, bytes, stream());
}

std::unique_ptr<Arrival> CudaBackend::send_home(const std::byte* from, std::size_t bytes) {
  expect_no_record("the host is sent", bytes);
  return homecomings_.send(from, bytes, stream());
}

void CudaBackend::download(std::byte* to_host, const std::byte* from, std::size_t bytes) {
  expect_no_record("the host waits for", bytes);
  const cudaStream_t s = stream();
  check(cudaMemcpyAsync(to_host, from, bytes, cudaMemcpyDeviceToHost, s), "cudaMemcpyAsync");
  check(cudaStreamSynchronize(s), "cudaStreamSynchronize");
  expect_no_errors();
}

void CudaBackend::expect_no_errors() const {
  const unsigned long long word = errors_.take();
  if (word == 0) return;
  const IndexError error = IndexError::of(word);
  throw ArgumentError("[", name_of(error.op), "] an index on ", device(), " is outside [0, ", error.extent,
                      "); the same call on the cpu tells its position");
}

}  // namespace basin::cuda
