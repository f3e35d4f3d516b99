// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include "cuda/runtime/handles.h"
#include "cuda/runtime/runtime.h"

namespace gpueval::bench {

// Device seconds of work put on a stream; flushes the L2 cache in front of a cold run.
class DeviceClock {
 public:
  explicit DeviceClock(cuda::Runtime& runtime)
      : runtime_(runtime), stream_(make_stream(runtime)), begin_(make_event(runtime)), end_(make_event(runtime)) {}
  cuda::Stream stream() const { return stream_.get(); }
  template <typename Work>
  double seconds(const Work& work) {
    runtime_.record(begin_.get(), stream());
    work();
    runtime_.record(end_.get(), stream());
    runtime_.synchronize(stream());
    return runtime_.seconds(begin_.get(), end_.get());
  }
  // The fill lasts long enough for the host to enqueue what follows: no gap is timed.
  void flush() {
    const std::size_t bytes = std::max(2 * runtime_.properties().l2_bytes, std::size_t{1} << 16);
    if (flush_.data() == nullptr) flush_ = cuda::DeviceBuffer(runtime_, bytes);
    runtime_.fill(flush_.data(), ++value_ % 251, bytes, stream());
  }

 private:
  cuda::Runtime& runtime_;
  cuda::StreamHandle stream_;
  cuda::EventHandle begin_, end_;
  cuda::DeviceBuffer flush_;
  int value_ = 0;
};

}  // namespace gpueval::bench
