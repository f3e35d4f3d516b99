// SPDX-License-Identifier: Apache-2.0
// The emulated device: device memory is host memory of exactly the size asked for (an address sanitizer sees overruns)
// that starts as garbage, as a GPU's does; streams are src/emulator/stream.h's.
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "cuda/runtime/emu_capture.h"
#include "cuda/runtime/runtime.h"
#include "emulator/stream.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr int kGarbage = 0xA5;

void* allocate_aligned(std::size_t bytes, const char* what) {
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, bytes > 0 ? bytes : 1) != 0) {
    fail("the emulator has no {} bytes of {} memory left", bytes, what);
  }
  std::memset(memory, kGarbage, bytes);
  return memory;
}

// An event, and when it was last reached.
struct EmuEvent {
  void* handle = nullptr;
  std::shared_ptr<double> reached = std::make_shared<double>(-1.0);
};

class EmuRuntime : public Runtime {
 public:
  const DeviceProperties& properties() const override { return properties_; }

  void* allocate(std::size_t bytes) override {
    if (bytes > properties_.memory_bytes) {
      fail("the emulated device has {} bytes of memory, and {} were asked for", properties_.memory_bytes, bytes);
    }
    return allocate_aligned(bytes, "device");
  }
  void release(void* memory) noexcept override { std::free(memory); }

  void* allocate_pinned(std::size_t bytes) override {
    void* memory = allocate_aligned(bytes, "pinned");
    const std::lock_guard lock(mutex_);
    pinned_[static_cast<std::byte*>(memory)] = bytes;
    return memory;
  }
  void release_pinned(void* memory) noexcept override {
    const std::lock_guard lock(mutex_);
    pinned_.erase(static_cast<std::byte*>(memory));
    std::free(memory);
  }

  void copy_to_device(void* dst, const void* src, std::size_t bytes, Stream stream) override {
    if (is_pinned(src, bytes)) {
      emulator::enqueue(stream.handle, [=] { std::memcpy(dst, src, bytes); });
      return;
    }
    check_pageable(stream);
    const auto* first = static_cast<const std::byte*>(src);  // as CUDA: the caller may change src at once
    emulator::enqueue(stream.handle, [dst, staged = std::vector<std::byte>(first, first + bytes)] {
      if (!staged.empty()) std::memcpy(dst, staged.data(), staged.size());
    });
  }
  void copy_to_host(void* dst, const void* src, std::size_t bytes, Stream stream) override {
    const bool pinned = is_pinned(dst, bytes);
    if (!pinned) check_pageable(stream);
    emulator::enqueue(stream.handle, [=] {
      if (bytes > 0) std::memcpy(dst, src, bytes);
    });
    if (!pinned) emulator::synchronize(stream.handle);
  }
  void fill(void* dst, int byte, std::size_t bytes, Stream stream) override {
    emulator::enqueue(stream.handle, [=] {
      if (bytes > 0) std::memset(dst, byte, bytes);
    });
  }

  Stream make_stream() override { return {emulator::make_stream()}; }
  void destroy(Stream stream) noexcept override { emulator::destroy_stream(stream.handle); }

  Event make_event() override {
    auto event = std::make_unique<EmuEvent>();
    event->handle = emulator::make_event();
    return {event.release()};
  }
  void destroy(Event event) noexcept override {
    const std::unique_ptr<EmuEvent> owned(static_cast<EmuEvent*>(event.handle));
    emulator::destroy_event(owned->handle);
  }
  void record(Event event, Stream stream) override {
    if (!captured(stream)) take_time(event, stream);  // as CUDA: in a graph such an event has no time
    emulator::record(static_cast<EmuEvent*>(event.handle)->handle, stream.handle);
  }
  void wait(Stream stream, Event event) override {
    emulator::wait(stream.handle, static_cast<EmuEvent*>(event.handle)->handle);
  }
  double seconds(Event begin, Event end) override {
    const double from = *static_cast<EmuEvent*>(begin.handle)->reached;
    const double to = *static_cast<EmuEvent*>(end.handle)->reached;
    if (from < 0 || to < 0) fail("the time between two events was asked for before both were reached");
    return to - from;
  }
  void synchronize(Stream stream) override {
    if (captured(stream)) fail("graph capture: a captured stream cannot be waited for");
    emulator::synchronize(stream.handle);
  }
  void synchronize(Event event) override { emulator::wait(nullptr, static_cast<EmuEvent*>(event.handle)->handle); }

  void begin_capture(Stream stream) override {
    if (stream.handle == nullptr) fail("graph capture: the default stream cannot be captured");
    if (capture_) fail("graph capture: another capture is under way");
    capture_ = std::make_unique<EmuCapture>(stream.handle);
  }
  void record_in_graph(Event event, Stream stream) override {
    if (!captured(stream)) fail("graph capture: an event of a graph, but none is captured");
    take_time(event, stream);
  }
  void* end_capture(Stream stream) override {
    if (!capture_ || capture_->origin() != stream.handle) fail("graph capture: none was begun on this stream");
    const std::unique_ptr<EmuCapture> capture = std::move(capture_);
    return capture->finish().release();
  }
  void launch_graph(void* graph, Stream stream) override { static_cast<EmuGraph*>(graph)->launch(stream.handle); }
  void destroy_graph(void* graph) noexcept override {
    const std::unique_ptr<EmuGraph> owned(static_cast<EmuGraph*>(graph));
  }

 private:
  bool is_pinned(const void* memory, std::size_t bytes) const {
    const std::lock_guard lock(mutex_);
    const auto* first = static_cast<const std::byte*>(memory);
    auto block = pinned_.upper_bound(const_cast<std::byte*>(first));
    if (block == pinned_.begin()) return false;
    --block;
    return first + bytes <= block->first + block->second;
  }
  bool captured(Stream stream) const { return capture_ && capture_->has(stream.handle); }
  static void take_time(Event event, Stream stream) {
    emulator::enqueue(stream.handle,
                      [reached = static_cast<EmuEvent*>(event.handle)->reached] { *reached = steady_seconds(); });
  }
  void check_pageable(Stream stream) const {
    if (captured(stream)) fail("graph capture: a copy from or to memory that is not pinned");
  }

  // As an H100, so that every row of kernels.inc runs.
  DeviceProperties properties_{.name = "emulator",
                               .sm = 90,
                               .code = 90,
                               .multiprocessors = 132,
                               .shared_bytes_per_block = 227u << 10,
                               .l2_bytes = 50u << 20,
                               .memory_bytes = std::size_t{40} << 30,
                               .driver = "",
                               .cuda = "",
                               .emulated = true};
  mutable std::mutex mutex_;
  std::map<std::byte*, std::size_t> pinned_;
  std::unique_ptr<EmuCapture> capture_;
};

}  // namespace

std::shared_ptr<Runtime> open_emulator() {
  static std::mutex mutex;
  static std::weak_ptr<EmuRuntime> open;
  const std::lock_guard lock(mutex);
  std::shared_ptr<EmuRuntime> runtime = open.lock();
  if (!runtime) open = runtime = std::make_shared<EmuRuntime>();
  return runtime;
}

}  // namespace gpueval::cuda
