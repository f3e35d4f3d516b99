// SPDX-License-Identifier: Apache-2.0
// Networks that scale and shift their own pixels (Rescaling, Normalization), given bytes: the pixel table then does it,
// as for networks that leave it to whoever feeds them. Both quantize the same 256 values a channel.
#pragma once

#include <optional>

#include "gpueval/session.h"

namespace gpueval {

// gamma * x + beta of each channel, within the rounding of float32; nullopt: no normalization is that.
std::optional<Normalization> normalization_of(const std::vector<float>& gamma, const std::vector<float>& beta);

// Takes the affine behind the input off the graph and makes it the input's normalization, where every image is given in
// bytes and nothing else reads the input. Floats of an .npy stay what the network scales itself. The input takes the
// affine's name, so that a calibration table has the range of what becomes of the pixels under one name either way; on
// disk a table is of the network as it is in the file.
void take_pixel_chain(const Plan& plan, const LoadedData& data, LoadedModel& model);

}  // namespace gpueval
