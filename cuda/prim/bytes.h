// SPDX-License-Identifier: Apache-2.0
// Words of four bytes: permutation and maximum. Byte 0 is the lowest.
#pragma once

#include "cuda/prim/target.h"

namespace gpueval::GPUEVAL_TARGET {

// Byte i of the result is byte (selector >> 4 * i) & 7 of the eight bytes of a (0-3) and b (4-7).
GPUEVAL_DEVICE std::uint32_t byte_permute(std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
#if defined(__CUDACC__)
  return __byte_perm(a, b, selector);
#else
  const std::uint64_t bytes = std::uint64_t{b} << 32 | a;
  std::uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    result |= static_cast<std::uint32_t>(bytes >> (selector >> 4 * i & 7) * 8 & 0xff) << 8 * i;
  }
  return result;
#endif
}

// The larger of each pair of unsigned bytes.
GPUEVAL_DEVICE std::uint32_t max_u8x4(std::uint32_t a, std::uint32_t b) {
#if defined(__CUDACC__)
  return __vmaxu4(a, b);
#else
  std::uint32_t result = 0;
  for (unsigned i = 0; i < 32; i += 8) {
    const std::uint32_t x = a >> i & 0xff, y = b >> i & 0xff;
    result |= (x > y ? x : y) << i;
  }
  return result;
#endif
}

// 4 x 4 bytes transposed: byte j of columns[i] becomes byte i of columns[j].
GPUEVAL_DEVICE void transpose_4x4(std::uint32_t (&columns)[4]) {
  const std::uint32_t low01 = byte_permute(columns[0], columns[1], 0x5140);
  const std::uint32_t high01 = byte_permute(columns[0], columns[1], 0x7362);
  const std::uint32_t low23 = byte_permute(columns[2], columns[3], 0x5140);
  const std::uint32_t high23 = byte_permute(columns[2], columns[3], 0x7362);
  columns[0] = byte_permute(low01, low23, 0x5410);
  columns[1] = byte_permute(low01, low23, 0x7632);
  columns[2] = byte_permute(high01, high23, 0x5410);
  columns[3] = byte_permute(high01, high23, 0x7632);
}

}  // namespace gpueval::GPUEVAL_TARGET
