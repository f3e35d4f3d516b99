// SPDX-License-Identifier: Apache-2.0
#include "eval/result_checks.h"

#include <fmt/format.h>

namespace gpueval {

std::optional<std::string> skipped_warning(const std::string& what, const std::vector<SkippedImage>& skipped,
                                           std::size_t count) {
  if (100 * skipped.size() <= count) return std::nullopt;
  return fmt::format("{} of {} {} ({:.1f}%) could not be decoded and count nowhere; the first: {}.", skipped.size(),
                     count, what, 100 * static_cast<double>(skipped.size()) / static_cast<double>(count),
                     skipped.front().reason);
}

}  // namespace gpueval
