// SPDX-License-Identifier: Apache-2.0
// Owners of what a Runtime makes: streams, events, pinned memory, executable graphs. Move-only, freed on destruction;
// the Runtime outlives them.
#pragma once

#include <cstddef>
#include <utility>

#include "cuda/runtime/runtime.h"

namespace gpueval::cuda {

// T: Stream or Event. destroy() of the Runtime frees it.
template <typename T>
class Handle {
 public:
  Handle() = default;
  Handle(Runtime& runtime, T value) : runtime_(&runtime), value_(value) {}
  ~Handle() {
    if (runtime_ != nullptr && value_.handle != nullptr) runtime_->destroy(value_);
  }
  Handle(Handle&& other) noexcept { swap(other); }
  Handle& operator=(Handle&& other) noexcept {
    swap(other);
    return *this;
  }
  T get() const { return value_; }

 private:
  void swap(Handle& other) noexcept {
    std::swap(runtime_, other.runtime_);
    std::swap(value_, other.value_);
  }
  Runtime* runtime_ = nullptr;
  T value_;
};

using StreamHandle = Handle<Stream>;
using EventHandle = Handle<Event>;
inline StreamHandle make_stream(Runtime& runtime) { return {runtime, runtime.make_stream()}; }
inline EventHandle make_event(Runtime& runtime) { return {runtime, runtime.make_event()}; }

// Host memory that the device copies from and to while the host goes on.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  PinnedBuffer(Runtime& runtime, std::size_t bytes)
      : runtime_(&runtime), data_(runtime.allocate_pinned(bytes)), size_(bytes) {}
  ~PinnedBuffer() {
    if (data_ != nullptr) runtime_->release_pinned(data_);
  }
  PinnedBuffer(PinnedBuffer&& other) noexcept { swap(other); }
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void swap(PinnedBuffer& other) noexcept {
    std::swap(runtime_, other.runtime_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
  Runtime* runtime_ = nullptr;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

// A captured graph, ready to launch.
class GraphHandle {
 public:
  GraphHandle() = default;
  GraphHandle(Runtime& runtime, void* graph) : runtime_(&runtime), graph_(graph) {}
  ~GraphHandle() {
    if (graph_ != nullptr) runtime_->destroy_graph(graph_);
  }
  GraphHandle(GraphHandle&& other) noexcept { swap(other); }
  GraphHandle& operator=(GraphHandle&& other) noexcept {
    swap(other);
    return *this;
  }
  void* get() const { return graph_; }

 private:
  void swap(GraphHandle& other) noexcept {
    std::swap(runtime_, other.runtime_);
    std::swap(graph_, other.graph_);
  }
  Runtime* runtime_ = nullptr;
  void* graph_ = nullptr;
};

}  // namespace gpueval::cuda
