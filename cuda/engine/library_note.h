// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>

#include "cuda/library/baselines.h"
#include "gpueval/engine.h"

namespace gpueval::cuda {

// A sentence for the result where float layers ran on our own kernels because a library is missing, with the reason.
// Depthwise layers do so with cuDNN, too, where ours are faster.
std::optional<std::string> library_note(std::span<const LayerInfo> layers, std::span<const LibraryInfo> libraries);

}  // namespace gpueval::cuda
