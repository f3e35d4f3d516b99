// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gpueval/truth.h"

namespace gpueval {

// A PNG of 8 bits whose indices are the map's classes. palette: 256 colors of 3 bytes (R, G, B), or of 4 (and alpha).
// Error that begins with `what` where it cannot be made.
std::vector<std::uint8_t> encode_palette_png(const LabelMap& map, std::span<const std::uint8_t> palette,
                                             const std::string& what);

}  // namespace gpueval
