// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic: sums and products wrap; a division by zero throws Error (PTX leaves its result open).
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "gpueval/error.h"

namespace gpueval::ptx {

// T unsigned: wraps without undefined behaviour, 16 bits by way of 32.
template <typename T>
T add(T a, T b) {
  return static_cast<T>(a + b);
}
template <typename T>
T sub(T a, T b) {
  return static_cast<T>(a - b);
}
template <typename T>
T mul(T a, T b) {
  return static_cast<T>(std::uint64_t{a} * b);
}
template <typename T>
T mad(T a, T b, T c) {
  return static_cast<T>(std::uint64_t{a} * b + c);
}
template <typename T, typename Wide>
T mul_hi(T a, T b) {
  return static_cast<T>(static_cast<Wide>(a) * b >> 32);
}
template <typename Wide, typename T>
Wide mul_wide(T a, T b) {
  return static_cast<Wide>(static_cast<Wide>(a) * static_cast<Wide>(b));
}
template <typename Wide, typename T>
Wide mad_wide(T a, T b, Wide c) {
  using Unsigned = std::make_unsigned_t<Wide>;
  return static_cast<Wide>(static_cast<Unsigned>(mul_wide<Wide, T>(a, b)) + static_cast<Unsigned>(c));
}

template <typename T>
bool overflows(T a, T b) {  // the one quotient that its type does not hold
  return std::is_signed_v<T> && b == static_cast<T>(-1) && a == std::numeric_limits<T>::min();
}
template <typename T>
T divide(T a, T b) {
  if (b == 0) fail("PTX: division of {} by zero", a);
  return overflows(a, b) ? a : static_cast<T>(a / b);
}
template <typename T>
T remainder_of(T a, T b) {
  if (b == 0) fail("PTX: remainder of {} by zero", a);
  return overflows(a, b) ? T{0} : static_cast<T>(a % b);
}

template <typename T>
T minimum(T a, T b) {
  return a < b ? a : b;
}
template <typename T>
T maximum(T a, T b) {
  return a < b ? b : a;
}
template <typename T>
T negative(T a) {
  return static_cast<T>(0 - a);
}
template <typename T>
T absolute(T a) {
  using Unsigned = std::make_unsigned_t<T>;
  return a < 0 ? static_cast<T>(negative(static_cast<Unsigned>(a))) : a;
}

// Byte: the type of a's elements; b's are signed.
template <typename Byte>
std::int32_t dp4a(std::uint32_t a, std::uint32_t b, std::int32_t c) {
  std::int32_t sum = 0;
  for (int i = 0; i < 32; i += 8) sum += static_cast<Byte>(a >> i) * static_cast<std::int8_t>(b >> i);
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(c) + static_cast<std::uint32_t>(sum));
}

}  // namespace gpueval::ptx
