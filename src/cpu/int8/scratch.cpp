// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/scratch.h"

#include <array>

#include "gpueval/tensor.h"

namespace gpueval::cpu {

std::byte* scratch(ScratchSlot slot, std::size_t bytes) {
  thread_local std::array<AlignedBuffer, static_cast<std::size_t>(ScratchSlot::kCount)> buffers;
  AlignedBuffer& buffer = buffers[static_cast<std::size_t>(slot)];
  if (buffer.size() < bytes) buffer = AlignedBuffer(bytes + bytes / 4);
  return buffer.data();
}

}  // namespace gpueval::cpu
