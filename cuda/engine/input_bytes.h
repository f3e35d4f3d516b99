// SPDX-License-Identifier: Apache-2.0
// A batch as bytes, a quarter of its floats, where bytes are what they came from.
#pragma once

#include <cstdint>
#include <span>

#include "cuda/ops/ops.h"
#include "gpueval/graph.h"
#include "gpueval/preprocessing.h"

namespace gpueval::cuda {

// For each value of the input, pixels of three channels, the byte that the table makes it of, to its bit: true. False
// where there is none for one of them; bytes (as many) hold anything then.
bool to_bytes(std::span<const float> input, const PixelTable& table, std::span<std::uint8_t> bytes);

// Only steps that quantize read the graph's input, each to one scale, and it is no output: they can take bytes in place
// of floats.
bool quantizes_bytes(const Graph& graph);

// A batch on the device: null pixels: as floats.
struct InputBytes {
  const std::uint8_t* pixels = nullptr;           // channels in the order of the input's
  const float* table = nullptr;                   // PixelTable::values
  DeviceView view(Shape shape, int first) const;  // of pixels, from that image on
};

}  // namespace gpueval::cuda
