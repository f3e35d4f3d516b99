// SPDX-License-Identifier: Apache-2.0
// Copies of the tensor memory accelerator: plain bytes, or a box of a tensor, to shared memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/tensor_map.h"

namespace gpueval::emulator {

class Machine;

struct BulkCopy {
  std::uint32_t offset = 0, bytes = 0, barrier = 0;
  const std::byte* src = nullptr;  // plain bytes; null: the box
  TensorMapFields map;
  std::int32_t at[4] = {};
  std::uint16_t tap[2] = {};

  void check(Machine& machine) const;
  void perform(Machine& machine) const;
};

}  // namespace gpueval::emulator
