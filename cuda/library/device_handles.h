// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <map>
#include <mutex>

namespace gpueval::cuda {

// A library's handle of each GPU. They stay as long as the process: to destroy one after the driver is gone would
// crash.
template <typename Handle>
class DeviceHandles {
 public:
  // That of the thread's GPU, made when it is first asked for.
  template <typename Make>
  Handle of_this_thread(Make&& make) {
    int device = 0;
    if (cudaGetDevice(&device) != cudaSuccess) static_cast<void>(cudaGetLastError());
    const std::lock_guard lock(mutex_);
    if (const auto found = handles_.find(device); found != handles_.end()) return found->second;
    return handles_[device] = make();
  }

 private:
  std::mutex mutex_;
  std::map<int, Handle> handles_;
};

}  // namespace gpueval::cuda
