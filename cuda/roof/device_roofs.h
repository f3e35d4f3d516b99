// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "cuda/roof/roof.h"
#include "gpueval/roofline.h"

namespace gpueval::cuda {

// The roofs that layers are held against: of int8 the best loop that the device has, of float32 its fused
// multiply-adds. device: its name in reports.
DeviceRoofs device_roofs(std::span<const Roof> roofs, const DeviceProperties& properties, const std::string& device);

}  // namespace gpueval::cuda
