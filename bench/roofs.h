// SPDX-License-Identifier: Apache-2.0
// The roofs of every device and thread count of a run, by name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench_row.h"
#include "cuda/runtime/runtime.h"

namespace gpueval::bench {

struct RoofValue {
  std::string device;  // "cpu", "cuda", "emu"
  int threads = 0;     // CPU only
  std::string name;    // as in Row::roof, or "copy"
  std::string unit;    // "TOPS", "TFLOPS", "GB/s"
  double value = 0;
  std::string missing;      // why there is no value
  std::string remark = {};  // why it may be too low
};

// int8 and f32 of every usable instruction set, and copy.
std::vector<RoofValue> cpu_roofs(int threads, double seconds);
std::vector<RoofValue> device_roofs(cuda::Runtime& runtime, const std::string& device, double seconds);

struct RoofShare {
  double fraction = 0;  // of the nearer roof
  std::string roof;     // which: Row::roof or "copy"
};
// Lifts the CPU's compute roofs to the quickest row of our own that is held against them: a roof below a measured row
// was disturbed.
void raise_roofs(const std::vector<Row>& rows, std::vector<RoofValue>& roofs);

// The time that the roofs allow, max(operations / compute, bytes / copy), over the time measured. The copy roof counts
// where the data cannot lie in a cache: cold runs, and tensors larger than cache_bytes. Nothing without a time or roof.
std::optional<RoofShare> share_of_roof(const Row& row, const std::vector<RoofValue>& roofs, std::size_t cache_bytes);

}  // namespace gpueval::bench
