// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/library_note.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace gpueval::cuda {

std::optional<std::string> library_note(std::span<const LayerInfo> layers, std::span<const LibraryInfo> libraries) {
  const bool own = std::any_of(layers.begin(), layers.end(), [](const LayerInfo& layer) {
    return layer.kernel == "conv_f32" || layer.kernel == "conv_f16";
  });
  const bool own_depthwise = std::any_of(layers.begin(), layers.end(), [](const LayerInfo& layer) {
    return layer.kernel == "depthwise_f32" || layer.kernel == "depthwise_f16";
  });
  std::vector<std::string> reasons;
  for (const LibraryInfo& library : libraries) {
    const bool wanted = own || (own_depthwise && library.name == "cuDNN");
    if (wanted && library.version.empty()) reasons.push_back(library.why);
  }
  if (reasons.empty()) return std::nullopt;
  return fmt::format("Float layers ran on this program's own, slower kernels. {}.", fmt::join(reasons, "; "));
}

}  // namespace gpueval::cuda
