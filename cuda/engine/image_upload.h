// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "cuda/ops/ops.h"
#include "cuda/runtime/handles.h"
#include "cuda/runtime/runtime.h"
#include "gpueval/preprocessing.h"

namespace gpueval::cuda {

// Images as decoded, of any sizes, to a network's input: copied as bytes, preprocessed by the device.
class ImageUpload {
 public:
  // Puts copy and kernels on the stream; dst: float32, one image each. What the call before put there must be over.
  void enqueue(Runtime& runtime, std::span<const Image> images, const PixelTable& table, const DeviceView& dst,
               Stream stream);

 private:
  PinnedBuffer staging_;  // the table, then the images
  DeviceBuffer bytes_;    // the same on the device
};

}  // namespace gpueval::cuda
