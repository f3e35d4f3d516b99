// SPDX-License-Identifier: Apache-2.0
// Instructions that are a function of their operands, by whole name, as the PTX ISA defines them. Sums and products of
// float32 only where the text asks for their rounding: an add.f32 or mul.f32 without may be fused by ptxas.
#include <unordered_map>

#include "ptx/lanes.h"
#include "ptx/scalar_bits.h"
#include "ptx/scalar_float.h"
#include "ptx/scalar_integer.h"

namespace gpueval::ptx {
namespace {

using S16 = std::int16_t;
using S32 = std::int32_t;
using S64 = std::int64_t;
using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

template <auto kFunction>
constexpr Decode lift = Lift<kFunction>::decode;

const std::unordered_map<std::string_view, Decode>& integers() {
  static const std::unordered_map<std::string_view, Decode> table = {{"add.s16", lift<add<U16>>},
                                                                     {"add.s32", lift<add<U32>>},
                                                                     {"add.s64", lift<add<U64>>},
                                                                     {"add.u16", lift<add<U16>>},
                                                                     {"add.u32", lift<add<U32>>},
                                                                     {"add.u64", lift<add<U64>>},
                                                                     {"sub.s16", lift<sub<U16>>},
                                                                     {"sub.s32", lift<sub<U32>>},
                                                                     {"sub.s64", lift<sub<U64>>},
                                                                     {"sub.u16", lift<sub<U16>>},
                                                                     {"sub.u32", lift<sub<U32>>},
                                                                     {"sub.u64", lift<sub<U64>>},
                                                                     {"mul.lo.s16", lift<mul<U16>>},
                                                                     {"mul.lo.s32", lift<mul<U32>>},
                                                                     {"mul.lo.s64", lift<mul<U64>>},
                                                                     {"mul.lo.u16", lift<mul<U16>>},
                                                                     {"mul.lo.u32", lift<mul<U32>>},
                                                                     {"mul.lo.u64", lift<mul<U64>>},
                                                                     {"mul.hi.s32", lift<mul_hi<S32, S64>>},
                                                                     {"mul.hi.u32", lift<mul_hi<U32, U64>>},
                                                                     {"mul.wide.s16", lift<mul_wide<S32, S16>>},
                                                                     {"mul.wide.u16", lift<mul_wide<U32, U16>>},
                                                                     {"mul.wide.s32", lift<mul_wide<S64, S32>>},
                                                                     {"mul.wide.u32", lift<mul_wide<U64, U32>>},
                                                                     {"mad.lo.s16", lift<mad<U16>>},
                                                                     {"mad.lo.s32", lift<mad<U32>>},
                                                                     {"mad.lo.s64", lift<mad<U64>>},
                                                                     {"mad.lo.u32", lift<mad<U32>>},
                                                                     {"mad.wide.s32", lift<mad_wide<S64, S32>>},
                                                                     {"mad.wide.u32", lift<mad_wide<U64, U32>>},
                                                                     {"mad.wide.u16", lift<mad_wide<U32, U16>>},
                                                                     {"mad.wide.s16", lift<mad_wide<S32, S16>>},
                                                                     {"div.s32", lift<divide<S32>>},
                                                                     {"div.u32", lift<divide<U32>>},
                                                                     {"div.s64", lift<divide<S64>>},
                                                                     {"div.u64", lift<divide<U64>>},
                                                                     {"div.u16", lift<divide<U16>>},
                                                                     {"div.s16", lift<divide<S16>>},
                                                                     {"rem.s32", lift<remainder_of<S32>>},
                                                                     {"rem.u32", lift<remainder_of<U32>>},
                                                                     {"rem.s64", lift<remainder_of<S64>>},
                                                                     {"rem.u64", lift<remainder_of<U64>>},
                                                                     {"rem.u16", lift<remainder_of<U16>>},
                                                                     {"rem.s16", lift<remainder_of<S16>>},
                                                                     {"min.s16", lift<minimum<S16>>},
                                                                     {"min.s32", lift<minimum<S32>>},
                                                                     {"min.s64", lift<minimum<S64>>},
                                                                     {"min.u16", lift<minimum<U16>>},
                                                                     {"min.u32", lift<minimum<U32>>},
                                                                     {"min.u64", lift<minimum<U64>>},
                                                                     {"max.s16", lift<maximum<S16>>},
                                                                     {"max.s32", lift<maximum<S32>>},
                                                                     {"max.s64", lift<maximum<S64>>},
                                                                     {"max.u16", lift<maximum<U16>>},
                                                                     {"max.u32", lift<maximum<U32>>},
                                                                     {"max.u64", lift<maximum<U64>>},
                                                                     {"abs.s16", lift<absolute<S16>>},
                                                                     {"abs.s32", lift<absolute<S32>>},
                                                                     {"neg.s32", lift<negative<U32>>},
                                                                     {"neg.s16", lift<negative<U16>>},
                                                                     {"neg.s64", lift<negative<U64>>},
                                                                     {"dp4a.s32.s32", lift<dp4a<std::int8_t>>},
                                                                     {"dp4a.u32.s32", lift<dp4a<std::uint8_t>>}};
  return table;
}

const std::unordered_map<std::string_view, Decode>& bit_fields() {
  static const std::unordered_map<std::string_view, Decode> table = {{"shl.b16", lift<shift_left<U16>>},
                                                                     {"shl.b32", lift<shift_left<U32>>},
                                                                     {"shl.b64", lift<shift_left<U64>>},
                                                                     {"shr.s16", lift<shift_right<S16>>},
                                                                     {"shr.s32", lift<shift_right<S32>>},
                                                                     {"shr.s64", lift<shift_right<S64>>},
                                                                     {"shr.u16", lift<shift_right<U16>>},
                                                                     {"shr.u32", lift<shift_right<U32>>},
                                                                     {"shr.u64", lift<shift_right<U64>>},
                                                                     {"shf.l.wrap.b32", lift<funnel_left_wrap>},
                                                                     {"shf.r.wrap.b32", lift<funnel_right_wrap>},
                                                                     {"and.b16", lift<bit_and<U16>>},
                                                                     {"and.b32", lift<bit_and<U32>>},
                                                                     {"and.b64", lift<bit_and<U64>>},
                                                                     {"or.b16", lift<bit_or<U16>>},
                                                                     {"or.b32", lift<bit_or<U32>>},
                                                                     {"or.b64", lift<bit_or<U64>>},
                                                                     {"xor.b16", lift<bit_xor<U16>>},
                                                                     {"xor.b32", lift<bit_xor<U32>>},
                                                                     {"xor.b64", lift<bit_xor<U64>>},
                                                                     {"not.b16", lift<bit_not<U16>>},
                                                                     {"not.b32", lift<bit_not<U32>>},
                                                                     {"not.b64", lift<bit_not<U64>>},
                                                                     {"lop3.b32", lift<logic_of_three>},
                                                                     {"prmt.b32", lift<permute_bytes>},
                                                                     {"bfi.b32", lift<insert_field>},
                                                                     {"bfe.u32", lift<extract_field_u32>},
                                                                     {"bfe.s32", lift<extract_field_s32>},
                                                                     {"clz.b32", lift<leading_zeros>},
                                                                     {"popc.b32", lift<count_ones>},
                                                                     {"brev.b32", lift<reverse_bits>},
                                                                     {"vmax4.u32.u32.u32", lift<max_of_bytes>}};
  return table;
}

const std::unordered_map<std::string_view, Decode>& floats() {
  static const std::unordered_map<std::string_view, Decode> table = {{"add.rn.f64", lift<add_rn<double>>},
                                                                     {"add.rn.f32", lift<add_rn<float>>},
                                                                     {"sub.rn.f64", lift<sub_rn<double>>},
                                                                     {"sub.rn.f32", lift<sub_rn<float>>},
                                                                     {"mul.rn.f64", lift<mul_rn<double>>},
                                                                     {"mul.rn.f32", lift<mul_rn<float>>},
                                                                     {"fma.rn.f32", lift<fma_rn>},
                                                                     {"fma.rm.f32", lift<fma_rm>},
                                                                     {"div.rn.f32", lift<div_rn<float>>},
                                                                     {"div.rn.f64", lift<div_rn<double>>},
                                                                     {"min.f32", lift<min_float>},
                                                                     {"max.f32", lift<max_float>},
                                                                     {"abs.f32", lift<abs_float>},
                                                                     {"neg.f32", lift<neg_float>},
                                                                     {"neg.f64", lift<neg_double>},
                                                                     {"cvt.sat.f32.f32", lift<saturate>},
                                                                     {"ex2.approx.ftz.f32", lift<exp2_ftz>},
                                                                     {"rcp.approx.ftz.f32", lift<reciprocal_ftz>},
                                                                     {"rcp.rn.f32", lift<reciprocal_rn<float>>},
                                                                     {"rcp.rn.f64", lift<reciprocal_rn<double>>},
                                                                     {"sqrt.rn.f32", lift<sqrt_rn>},
                                                                     {"cvt.rni.f32.f32", lift<to_nearest>},
                                                                     {"cvt.rzi.f32.f32", lift<towards_zero>},
                                                                     {"cvt.rmi.f32.f32", lift<downwards>}};
  return table;
}

}  // namespace

Decode find_scalar(std::string_view name) {
  for (const auto* table : {&integers(), &bit_fields(), &floats()}) {
    if (const auto found = table->find(name); found != table->end()) return found->second;
  }
  return nullptr;
}

}  // namespace gpueval::ptx
