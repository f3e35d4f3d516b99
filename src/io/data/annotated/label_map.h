// SPDX-License-Identifier: Apache-2.0
// PNG files whose values are classes.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gpueval/truth.h"

namespace gpueval::data {

// The place in the palette, or the grey level as it is stored (of 1, 2, 4, 8 or 16 bits), whatever colors these show.
// Not turned: an eXIf chunk of a mask says nothing of its picture. BadImage for what decode_png() refuses; Error for
// colors without a palette and for values above 255.
LabelMap decode_label_map(std::span<const std::uint8_t> bytes, const std::string& name);
LabelMap read_label_map(const std::string& path);

}  // namespace gpueval::data
