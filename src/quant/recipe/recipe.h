// SPDX-License-Identifier: Apache-2.0
// The sequential part of post-training quantization: layer by layer, with the integer tensors that the layers before
// it really produce, each layer's weights and bias are fitted to the float32 network.
#pragma once

#include <functional>

#include "gpueval/quant.h"

namespace gpueval {

// Whether these options change any layer (and not only ranges and scales).
bool corrects_layers(const QuantOptions& options);

// table: with ranges and scales per channel; gets corrections. images: the calibration images, flipped ones last; as
// many as fit into kRecipeBytes are used.
void correct_layers(const Graph& bound, const CalibrationImages& images, const QuantOptions& options,
                    const MakeNodeRunner& make_runner, CalibrationTable& table,
                    const std::function<void(int done, int total)>& progress);

constexpr std::int64_t kRecipeBytes = std::int64_t{5} << 29;  // 2.5 GiB of tensors

}  // namespace gpueval
