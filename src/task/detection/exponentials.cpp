// SPDX-License-Identifier: Apache-2.0
#include "task/detection/exponentials.h"

#include "task/detection/arithmetic.h"

namespace gpueval {
namespace {

using Exponentials = void (*)(const float* logits, std::size_t count, float most, double* dst);

// One loop, which the compiler vectorises for what each function may use. Nothing is contracted (-ffp-contract=off).
#define GPUEVAL_EXPONENTIALS(NAME, ...)                                                                      \
  __VA_ARGS__ void NAME(const float* logits, std::size_t count, float most, double* dst) {                   \
    for (std::size_t i = 0; i < count; ++i) dst[i] = detector::double_exponential(double{logits[i]} - most); \
  }

GPUEVAL_EXPONENTIALS(exponentials_portable)
#if defined(__x86_64__)
GPUEVAL_EXPONENTIALS(exponentials_avx2, __attribute__((target("avx2"))))
GPUEVAL_EXPONENTIALS(exponentials_avx512, __attribute__((target("avx512f,avx512dq,avx512vl"))))
#endif
#undef GPUEVAL_EXPONENTIALS

Exponentials choose() {
#if defined(__x86_64__)
  const bool dq = __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (__builtin_cpu_supports("avx512f") && dq) return exponentials_avx512;
  if (__builtin_cpu_supports("avx2")) return exponentials_avx2;
#endif
  return exponentials_portable;
}

}  // namespace

void exponentials(std::span<const float> logits, float most, double* dst) {
  static const Exponentials chosen = choose();
  chosen(logits.data(), logits.size(), most, dst);
}

}  // namespace gpueval
