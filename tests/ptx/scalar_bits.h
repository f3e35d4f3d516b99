// SPDX-License-Identifier: Apache-2.0
// Shifts, logic and fields of bits and bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace gpueval::ptx {

// Amounts beyond the size shift everything out.
template <typename T>
T shift_left(T a, std::uint32_t by) {
  return by >= 8 * sizeof(T) ? T{0} : static_cast<T>(std::uint64_t{a} << by);
}
template <typename T>
T shift_right(T a, std::uint32_t by) {
  const std::uint32_t last = 8 * sizeof(T) - 1;
  if (by > last) return static_cast<T>(a < T{0} ? -1 : 0);
  return static_cast<T>(a >> by);
}
// Of the 64 bits b:a.
inline std::uint32_t funnel_left_wrap(std::uint32_t a, std::uint32_t b, std::uint32_t by) {
  return static_cast<std::uint32_t>((std::uint64_t{b} << 32 | a) << (by & 31) >> 32);
}
inline std::uint32_t funnel_right_wrap(std::uint32_t a, std::uint32_t b, std::uint32_t by) {
  return static_cast<std::uint32_t>((std::uint64_t{b} << 32 | a) >> (by & 31));
}

template <typename T>
T bit_and(T a, T b) {
  return a & b;
}
template <typename T>
T bit_or(T a, T b) {
  return a | b;
}
template <typename T>
T bit_xor(T a, T b) {
  return a ^ b;
}
template <typename T>
T bit_not(T a) {
  return static_cast<T>(~a);
}
// Bit 4 a + 2 b + c of the table, for each bit.
inline std::uint32_t logic_of_three(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t table) {
  std::uint32_t result = 0;
  for (unsigned row = 0; row < 8; ++row) {
    if ((table >> row & 1) == 0) continue;
    result |= ((row & 4) != 0 ? a : ~a) & ((row & 2) != 0 ? b : ~b) & ((row & 1) != 0 ? c : ~c);
  }
  return result;
}

// Byte i: byte (selector >> 4 i) & 7 of b:a; bit 3 of the selector's nibble: its sign in all bits.
inline std::uint32_t permute_bytes(std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
  const std::uint64_t bytes = std::uint64_t{b} << 32 | a;
  std::uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const std::uint32_t nibble = selector >> 4 * i & 15;
    std::uint32_t byte = static_cast<std::uint32_t>(bytes >> 8 * (nibble & 7)) & 0xff;
    if ((nibble & 8) != 0) byte = (byte & 0x80) != 0 ? 0xff : 0;
    result |= byte << 8 * i;
  }
  return result;
}
inline std::uint32_t max_of_bytes(std::uint32_t a, std::uint32_t b, std::uint32_t /*unused when nothing is masked*/) {
  std::uint32_t result = 0;
  for (unsigned i = 0; i < 32; i += 8) result |= std::max(a >> i & 0xff, b >> i & 0xff) << i;
  return result;
}

inline std::uint32_t low_bits(std::uint32_t count) { return count >= 32 ? ~0u : (1u << count) - 1; }
// `length` bits of a at `position` of b.
inline std::uint32_t insert_field(std::uint32_t a, std::uint32_t b, std::uint32_t position, std::uint32_t length) {
  position &= 0xff;
  if (position >= 32) return b;
  const std::uint32_t mask = low_bits(length & 0xff) << position;
  return (b & ~mask) | (a << position & mask);
}
inline std::uint32_t extract_field_u32(std::uint32_t a, std::uint32_t position, std::uint32_t length) {
  return shift_right(a, position & 0xff) & low_bits(length & 0xff);
}
inline std::uint32_t extract_field_s32(std::uint32_t a, std::uint32_t position, std::uint32_t length) {
  position = std::min(position & 0xff, 31u);
  length = std::min(length & 0xff, 32u);
  if (length == 0) return 0;
  const std::int64_t shifted = std::int64_t{static_cast<std::int32_t>(a)} >> position;
  const auto raised = static_cast<std::uint64_t>(shifted) << (64 - length);
  return static_cast<std::uint32_t>(static_cast<std::int64_t>(raised) >> (64 - length));
}

inline std::uint32_t leading_zeros(std::uint32_t a) { return static_cast<std::uint32_t>(std::countl_zero(a)); }
inline std::uint32_t count_ones(std::uint32_t a) { return static_cast<std::uint32_t>(std::popcount(a)); }
inline std::uint32_t reverse_bits(std::uint32_t a) {
  std::uint32_t result = 0;
  for (unsigned i = 0; i < 32; ++i) result |= (a >> i & 1) << (31 - i);
  return result;
}

}  // namespace gpueval::ptx
