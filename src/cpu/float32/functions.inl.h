// SPDX-License-Identifier: Apache-2.0
// Loops that the compiler vectorises, included by one translation unit per instruction set, which defines
// GPUEVAL_FUNCTION_SET. No function of a standard header: an inline one would be compiled for one instruction set and
// might be linked for all.
#include "cpu/float32/functions.h"

extern "C" float powf(float, float) noexcept;

namespace gpueval::cpu {
namespace {

inline float bits_float(int bits) { return __builtin_bit_cast(float, bits); }
inline int float_bits(float x) { return __builtin_bit_cast(int, x); }
inline float power_of(float x, float exponent) { return powf(x, exponent); }
#define GPUEVAL_FLOAT_FUNCTION inline
#include "core/float_functions.inl.h"

template <typename Fn>
inline void loop(const float* src, float* dst, std::int64_t count, Fn&& fn) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) dst[i] = fn(src[i]);
}

template <FunctionKind kKind>
void apply(const Function& caller, const float* src, float* dst, std::int64_t count) {
  const Function function = caller;  // or the stores below could change it
  loop(src, dst, count, [&](float x) { return function_of<kKind>(function, x); });
}

// powf takes one number at a time: clang warns of a loop that is to be vectorised and cannot.
template <>
void apply<FunctionKind::kPower>(const Function& caller, const float* src, float* dst, std::int64_t count) {
  const float exponent = caller.alpha;
  for (std::int64_t i = 0; i < count; ++i) dst[i] = power_of(src[i], exponent);
}

double exp_sum(const float* src, float most, float* dst, std::int64_t count) {
  constexpr std::int64_t kSums = 16;
  double sums[kSums] = {};
  loop(src, dst, count, [=](float x) { return exponential(x - most); });
  for (std::int64_t i = 0; i < count; i += kSums) {
    const std::int64_t left = count - i < kSums ? count - i : kSums;
    for (std::int64_t k = 0; k < left; ++k) sums[k] += double{dst[i + k]};
  }
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace

const FunctionSet GPUEVAL_FUNCTION_SET = {
    .apply = {apply<FunctionKind::kSigmoid>, apply<FunctionKind::kTanh>, apply<FunctionKind::kSilu>,
              apply<FunctionKind::kGelu>, apply<FunctionKind::kGeluTanh>, apply<FunctionKind::kHardSigmoid>,
              apply<FunctionKind::kHardSilu>, apply<FunctionKind::kElu>, apply<FunctionKind::kSelu>,
              apply<FunctionKind::kSoftplus>, apply<FunctionKind::kSoftsign>, apply<FunctionKind::kExp>,
              apply<FunctionKind::kMish>, apply<FunctionKind::kRelu>, apply<FunctionKind::kAbs>,
              apply<FunctionKind::kPower>},
    .exp_sum = exp_sum};

}  // namespace gpueval::cpu
