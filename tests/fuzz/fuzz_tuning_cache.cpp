// SPDX-License-Identifier: Apache-2.0
// What is kept of a device, of any text. Tuning caches: what is read are positive times or nothing, and storing one
// more leaves a cache that reads. The self-test's record: a failure has a sentence, and one that failed was tested.
#include <cmath>
#include <cstdlib>

#include "cuda/select/tuning_cache.h"
#include "cuda/selftest/record.h"
#include "temporary_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  constexpr const char *kKey = "GPU, driver 1, kernels 0", *kProblem = "n1h1w1c1_k1r1s1_st1_pad0,0,0,0";
  static const gpueval::fuzz::TemporaryFile file("tuning.json");
  file.write(bytes, size);
  const gpueval::cuda::SelftestRecord record(file.path(), kKey);
  if (const auto failure = record.failure("conv"); failure && (failure->empty() || !record.tested("conv")))
    std::abort();
  gpueval::cuda::TuningCache cache(file.path(), kKey);
  if (const auto time = cache.find(kProblem, "conv"); time && !(std::isfinite(*time) && *time > 0)) std::abort();
  cache.store(kProblem, "conv", 1.5);
  cache.save();
  if (gpueval::cuda::TuningCache(file.path(), kKey).find(kProblem, "conv") != 1.5) std::abort();
  return 0;
}
