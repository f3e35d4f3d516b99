// SPDX-License-Identifier: Apache-2.0
// The interpreter's global memory: host memory of exactly the size asked for that starts as garbage. A kernel may
// access nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace gpueval::ptx {

void* allocate(std::size_t bytes);  // null: none left
bool release(void* memory);         // false: not from allocate()

// The allocation that holds the address: its begin and end.
std::optional<std::pair<std::uint64_t, std::uint64_t>> region_of(std::uint64_t address);

}  // namespace gpueval::ptx
