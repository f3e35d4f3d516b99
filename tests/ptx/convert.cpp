// SPDX-License-Identifier: Apache-2.0
// cvt: integers to integers, floats to and from integers and float16, two integers to bytes that saturate. Written
// anew, not as the emulator does it.
#include <bit>
#include <cmath>

#include "ptx/conversion.h"
#include "ptx/families.h"
#include "ptx/lanes.h"

namespace gpueval::ptx {
namespace {

enum class Rounding : std::uint8_t { kNearest, kZero, kDown, kUp };

float rounded(float v, Rounding rounding) {
  switch (rounding) {
    case Rounding::kZero:
      return std::trunc(v);
    case Rounding::kDown:
      return std::floor(v);
    case Rounding::kUp:
      return std::ceil(v);
    default:
      return std::nearbyint(v);  // ties to even
  }
}

// Saturates; a NaN gives 0.
template <typename T, Rounding kRounding>
T to_integer(float v) {
  if (std::isnan(v)) return 0;
  const double whole = rounded(v, kRounding);
  if (whole <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  if (whole >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(whole);
}
template <typename Float, typename T>
Float to_float(T v) {
  return static_cast<Float>(v);
}

// By arithmetic on values, not on bit fields: what is kept is a multiple of a power of two.
std::uint16_t to_half(float v) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(v) ? 0x8000 : 0);
  if (std::isnan(v)) return 0x7fff;
  const double magnitude = std::fabs(static_cast<double>(v));
  if (magnitude == 0) return sign;
  if (magnitude >= 65520) return static_cast<std::uint16_t>(sign + 0x7c00);
  int exponent = 0;  // magnitude < 2^exponent
  std::frexp(magnitude, &exponent);
  const int unit = std::max(exponent - 11, -24);  // of the last of 11 bits; subnormals share one
  const auto steps = static_cast<unsigned>(std::nearbyint(std::ldexp(magnitude, -unit)));
  // 1024 steps of the least unit are the first normal number; 2048 steps of another carry into the exponent.
  return static_cast<std::uint16_t>(sign + static_cast<unsigned>(unit + 24) * 1024 + steps);
}
float from_half(std::uint16_t h) {
  const int exponent = h >> 10 & 31, mantissa = h & 1023;
  double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
  if (exponent == 31) magnitude = mantissa == 0 ? INFINITY : NAN;
  return static_cast<float>((h & 0x8000) != 0 ? -magnitude : magnitude);
}

template <typename From, typename To>
void convert_integer(Warp& warp, const Instruction& i) {
  const auto* const src = warp.row<From>(i.row[1]);
  auto* const dst = warp.row<To>(i.row[0]);
  const Conversion c = i.conversion;
  warp.each_lane([&](unsigned lane) { dst[lane] = static_cast<To>(convert(src[lane], c)); });
}

void decode_integer(Decoder& decoder, Instruction& out, const Type& to, const Type& from) {
  int to_bits = 0, from_bits = 0;
  out.row[0] = decoder.wide_row(decoder.operand(0), to.bits, to_bits);
  out.row[1] = decoder.wide_row(decoder.operand(1), from.bits, from_bits);
  out.conversion = conversion_of(from, to, to_bits);
  if (from_bits == 64) {
    out.execute =
        to_bits == 64 ? convert_integer<std::uint64_t, std::uint64_t> : convert_integer<std::uint64_t, std::uint32_t>;
  } else {
    out.execute =
        to_bits == 64 ? convert_integer<std::uint32_t, std::uint64_t> : convert_integer<std::uint32_t, std::uint32_t>;
  }
}

template <typename T>
Decode find_to_integer(Decoder& decoder) {
  if (decoder.take("rni")) return Lift<to_integer<T, Rounding::kNearest>>::decode;
  if (decoder.take("rzi")) return Lift<to_integer<T, Rounding::kZero>>::decode;
  if (decoder.take("rmi")) return Lift<to_integer<T, Rounding::kDown>>::decode;
  if (decoder.take("rpi")) return Lift<to_integer<T, Rounding::kUp>>::decode;
  return nullptr;
}

// The rounding stands in front of the types: it has to be taken first.
Decode find_float_conversion(Decoder& decoder, const Statement& statement) {
  const std::string& to = statement.name.at(statement.name.size() - 2);
  const std::string& from = statement.name.back();
  if (from == "f32" && to == "s32") return find_to_integer<std::int32_t>(decoder);
  if (from == "f32" && to == "u32") return find_to_integer<std::uint32_t>(decoder);
  if (from == "f16" && to == "f32") return Lift<from_half>::decode;
  if (from == "f32" && to == "f64") return Lift<to_float<double, float>>::decode;
  if (!decoder.take("rn")) return nullptr;
  if (from == "f32" && to == "f16") return Lift<to_half>::decode;
  if (from == "f64" && to == "f32") return Lift<to_float<float, double>>::decode;
  if (from == "s32" && to == "f64") return Lift<to_float<double, std::int32_t>>::decode;
  if (from == "s32" && to == "f32") return Lift<to_float<float, std::int32_t>>::decode;
  if (from == "u32" && to == "f32") return Lift<to_float<float, std::uint32_t>>::decode;
  if (from == "s16" && to == "f32") return Lift<to_float<float, std::int16_t>>::decode;
  if (from == "u16" && to == "f32") return Lift<to_float<float, std::uint16_t>>::decode;
  if (from == "s64" && to == "f32") return Lift<to_float<float, std::int64_t>>::decode;
  if (from == "u64" && to == "f32") return Lift<to_float<float, std::uint64_t>>::decode;
  return nullptr;
}

// The second operand becomes the lowest byte.
template <typename Byte>
std::uint32_t pack_bytes(std::int32_t second, std::int32_t first, std::uint32_t above) {
  std::uint32_t packed = above;
  for (std::int32_t v : {second, first}) {
    while (v != static_cast<Byte>(v)) v = v < 0 ? std::numeric_limits<Byte>::min() : std::numeric_limits<Byte>::max();
    packed = packed * 256 + static_cast<std::uint8_t>(v);
  }
  return packed;
}

void decode_pack(Decoder& decoder, Instruction& out) {
  const bool is_unsigned = decoder.take("u8");
  if (!decoder.take("sat") || (!is_unsigned && !decoder.take("s8")) || !decoder.take("s32") || !decoder.take("b32")) {
    decoder.fail_here("a packing that is not known");
  }
  (is_unsigned ? Lift<pack_bytes<std::uint8_t>>::decode : Lift<pack_bytes<std::int8_t>>::decode)(decoder, out);
}

}  // namespace

void decode_cvt(Decoder& decoder, Instruction& out) {
  if (decoder.take("pack")) return decode_pack(decoder, out);
  decoder.expect_operands(2, 2);
  const Statement& statement = decoder.statement();
  if (statement.name.size() < 3) decoder.fail_here("types are missing");
  if (statement.name.back()[0] == 'f' || statement.name.at(statement.name.size() - 2)[0] == 'f') {
    const Decode decode = find_float_conversion(decoder, statement);
    if (decode == nullptr) decoder.fail_here("a conversion that is not known");
    decode(decoder, out);
    static_cast<void>(decoder.take_type());
    static_cast<void>(decoder.take_type());
    return;
  }
  const Type to = decoder.take_type(), from = decoder.take_type();
  decode_integer(decoder, out, to, from);
}

}  // namespace gpueval::ptx
