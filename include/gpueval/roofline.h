// SPDX-License-Identifier: Apache-2.0
// Where a layer's time goes, against what the device can do at best (Williams, Waterman, Patterson 2009: "Roofline").
#pragma once

#include <string>
#include <vector>

#include "gpueval/conv_desc.h"
#include "gpueval/engine.h"

namespace gpueval {

// Measured, not looked up. All in units of 1e9 a second: operations (a multiply-add is two), bytes.
struct DeviceRoofs {
  std::string device;  // "cpu"
  std::string unit;    // "avx512_vnni, 2 threads", "wgmma_m64n128k32, 132 multiprocessors"
  double int8_gops = 0, f32_gflops = 0;
  double copy_gbs = 0;                    // read and written bytes together, buffers larger than the caches
  std::vector<std::string> remarks = {};  // clauses: a roof that did not settle, or that a layer was faster than
  int multiprocessors = 0;                // of a GPU
};

struct LayerProfile {
  double gops = 0, gbs = 0;
  double intensity = 0;        // operations per byte of activations and weights
  double compute_percent = 0;  // of the roof of the layer's arithmetic; 0 where that has none (TF32, float16)
  double memory_percent = 0;   // of the copy roof; above 100 where the data stays in the caches
  std::string remark;          // one sentence if the layer is slow and matters, else empty
};

// layer: of an engine with batch `batch`; ms: of one batch; share: of the whole network's time, 0 to 1; integer: its
// products are of 8-bit integers. A remark is made for layers of at least 2% of the time below half of their roof.
LayerProfile profile_layer(const LayerInfo& layer, bool integer, int batch, double ms, double share,
                           const DeviceRoofs& roofs, int threads);

// A roof is not below what a layer reached (but for Winograd's algorithm): lifts it to the layer, and says so in its
// remarks.
void raise_roof(const LayerInfo& layer, bool integer, int batch, double ms, DeviceRoofs& roofs);

// Measures the roofs of a device (about a second). An empty device where it makes no claim of speed (the emulator).
DeviceRoofs measure_roofs(const std::string& device);

}  // namespace gpueval
