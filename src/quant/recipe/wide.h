// SPDX-License-Identifier: Apache-2.0
// GPUEVAL_WIDE: compiles a function for AVX-512, AVX2 and the baseline, chosen when the program starts. Only for loops
// whose lanes never meet (no reduction across them): with -ffp-contract=off every clone then gives the same bits.
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define GPUEVAL_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define GPUEVAL_WIDE
#endif

namespace gpueval {

// Eight lanes, written as such: left to itself g++ 12 vectorises the rows of small tiles with shuffles.
using Doubles [[gnu::vector_size(64)]] = double;
using StoredDoubles [[gnu::vector_size(64), gnu::aligned(8), gnu::may_alias]] = double;  // anywhere in memory
inline const StoredDoubles* lanes_at(const double* at) { return reinterpret_cast<const StoredDoubles*>(at); }
inline StoredDoubles* lanes_at(double* at) { return reinterpret_cast<StoredDoubles*>(at); }

}  // namespace gpueval
