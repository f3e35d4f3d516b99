// SPDX-License-Identifier: Apache-2.0
// A device that runs the kernels of cuda/: the GPU (runtime/gpu/, where a CUDA toolkit was there to build it)
// or the emulator (emu_runtime.cpp). Engine, selection, benchmarks and tests see only this interface; no CUDA headers.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "cuda/runtime/stream.h"

namespace gpueval::cuda {

struct DeviceProperties {
  std::string name;  // "NVIDIA H200", "emulator"
  int sm = 0;        // compute capability x 10: 75, 80, 90
  int code = 0;      // that of the code of our kernels that runs there (code_for.h)
  int multiprocessors = 1;
  std::size_t shared_bytes_per_block = 48u << 10;  // with opt-in
  std::size_t l2_bytes = 0;
  std::size_t memory_bytes = 0;
  std::string driver, cuda;  // versions, for reports
  std::string pci_bus_id;    // "0000:1b:00.0"; empty: no GPU
  bool emulated = false;
};

// Of a GPU, every call makes it the thread's own: the kernels that the thread launches next run there.

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual const DeviceProperties& properties() const = 0;

  // Device memory, 256-byte aligned; Error naming bytes and what is free.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  virtual void* allocate_pinned(std::size_t bytes) = 0;  // host memory for overlapping copies
  virtual void release_pinned(void* memory) noexcept = 0;
  virtual void copy_to_device(void* dst, const void* src, std::size_t bytes, Stream stream) = 0;
  virtual void copy_to_host(void* dst, const void* src, std::size_t bytes, Stream stream) = 0;
  virtual void fill(void* dst, int byte, std::size_t bytes, Stream stream) = 0;

  virtual Stream make_stream() = 0;
  virtual void destroy(Stream stream) noexcept = 0;
  virtual Event make_event() = 0;
  virtual void destroy(Event event) noexcept = 0;
  virtual void record(Event event, Stream stream) = 0;
  virtual void wait(Stream stream, Event event) = 0;   // the stream waits, the caller does not
  virtual double seconds(Event begin, Event end) = 0;  // both recorded and reached
  virtual void synchronize(Stream stream) = 0;         // the caller waits; errors of kernels surface here
  virtual void synchronize(Event event) = 0;           // the caller waits for the event's last record

  // Work put on `stream` (and on streams joined to it by events) between the two is recorded, not run.
  virtual void begin_capture(Stream stream) = 0;
  // In a capture: every launch of the graph records the event, for seconds(). (What record() records there only orders
  // the captured streams.)
  virtual void record_in_graph(Event event, Stream stream) = 0;
  virtual void* end_capture(Stream stream) = 0;  // an executable graph
  virtual void launch_graph(void* graph, Stream stream) = 0;
  virtual void destroy_graph(void* graph) noexcept = 0;
};

// One a device, shared by all that have it open; it goes with the last of them.
std::shared_ptr<Runtime> open_emulator();
// GPUs that CUDA shows this process, by their index there. 0 and *why (may be null), one sentence, where there is none:
// no toolkit at build time, no driver, no device.
int gpu_count(std::string* why);
// Null where it cannot be used (none, or too old for the kernels), and *why (may be null) says so in one sentence.
std::shared_ptr<Runtime> open_gpu(int index, std::string* why);

// Device memory that frees itself.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(Runtime& runtime, std::size_t bytes)
      : runtime_(&runtime), data_(runtime.allocate(bytes)), size_(bytes) {}
  ~DeviceBuffer() { reset(); }
  DeviceBuffer(DeviceBuffer&& other) noexcept { swap(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void swap(DeviceBuffer& other) noexcept {
    std::swap(runtime_, other.runtime_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
  void reset() {
    if (data_ != nullptr) runtime_->release(data_);
  }
  Runtime* runtime_ = nullptr;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gpueval::cuda
