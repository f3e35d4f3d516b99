// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gpueval::cuda {

// An ordered queue of device work, owned by a Runtime (runtime.h). GPU: a cudaStream_t. Emulator: a queue of closures.
struct Stream {
  void* handle = nullptr;
  bool overlaps = false;  // what launch_early() puts there may begin before the kernel in front has ended
  bool operator==(const Stream&) const = default;
};
struct Event {
  void* handle = nullptr;
};

}  // namespace gpueval::cuda
