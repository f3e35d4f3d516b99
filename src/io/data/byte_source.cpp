// SPDX-License-Identifier: Apache-2.0
#include "io/data/byte_source.h"

#include <algorithm>

#include "gpueval/error.h"

namespace gpueval::data {

void MemorySource::read(std::uint64_t offset, std::span<std::uint8_t> dst) const {
  if (offset > bytes_.size() || dst.size() > bytes_.size() - offset) {
    fail("{}: ends at byte {}, expected {} bytes at byte {}", name(), bytes_.size(), dst.size(), offset);
  }
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), dst.size(), dst.begin());
}

}  // namespace gpueval::data
