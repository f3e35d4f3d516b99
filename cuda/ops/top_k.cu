// SPDX-License-Identifier: Apache-2.0
// The k largest logits of each image and their softmax probabilities; one block an image. Each of k rounds finds the
// largest (value, class) that comes after the last one found: every thread goes through its part of the logits, warps
// reduce by shuffles, blocks through shared memory. Nothing is marked or sorted, and with k <= 16 all rounds together
// read less than one layer does. The maximum is known after the first round, so the sum of exp(x - maximum) cannot
// overflow; its order is fixed, two runs are equal.
// Shared memory: float value[8], int index[8], float sum[8] (one a warp).
#include <limits>

#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/warp.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr int kWarps = kOpThreads / 32, kMaxK = 16;
constexpr std::size_t kSharedBytes = kWarps * (2 * sizeof(float) + sizeof(int));

struct TopKParams {
  const float* logits;
  int class_count, k;
  int* classes;
  float* probabilities;
};

// A logit and its class; NaN ranks lowest.
struct Candidate {
  float value;
  int index;
};
GPUEVAL_DEVICE bool before(const Candidate& a, const Candidate& b) {
  return a.value > b.value || (a.value == b.value && a.index < b.index);
}
GPUEVAL_DEVICE Candidate lowest_candidate() {
  return {.value = -std::numeric_limits<float>::infinity(), .index = std::numeric_limits<int>::max()};
}

GPUEVAL_DEVICE Candidate best_of_warp(Candidate mine) {
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const Candidate other = {.value = shuffle_xor(mine.value, lanes), .index = shuffle_xor(mine.index, lanes)};
    if (before(other, mine)) mine = other;
  }
  return mine;
}

// The best of the block, known to all its threads.
GPUEVAL_DEVICE Candidate best_of_block(const Candidate& mine) {
  const Shared<float> value(0, kWarps);
  const Shared<int> index(sizeof(float) * kWarps, kWarps);
  const Candidate of_warp = best_of_warp(mine);
  block_barrier();  // everyone is done with the round before
  if (thread_index().x % 32 == 0) {
    value[thread_index().x / 32] = of_warp.value;
    index[thread_index().x / 32] = of_warp.index;
  }
  block_barrier();
  Candidate best = {.value = value[0], .index = index[0]};
  for (int i = 1; i < kWarps; ++i) {
    const Candidate other = {.value = value[i], .index = index[i]};
    if (before(other, best)) best = other;
  }
  return best;
}

GPUEVAL_DEVICE float sum_of_block(float mine) {
  const Shared<float> part((sizeof(float) + sizeof(int)) * kWarps, kWarps);
  for (int lanes = 16; lanes > 0; lanes /= 2) mine += shuffle_xor(mine, lanes);
  if (thread_index().x % 32 == 0) part[thread_index().x / 32] = mine;
  block_barrier();
  float sum = 0.0f;
  for (int i = 0; i < kWarps; ++i) sum += part[i];
  return sum;
}

GPUEVAL_KERNEL(kOpThreads)
top_k_kernel(const TopKParams a) {
  const int image = static_cast<int>(block_index().x), thread = static_cast<int>(thread_index().x);
  constexpr int kStep = static_cast<int>(kOpThreads);
  const float* logits = a.logits + static_cast<std::int64_t>(image) * a.class_count;
  Candidate last = {.value = std::numeric_limits<float>::infinity(), .index = -1};
  float maximum = 0.0f, sum = 0.0f;
  for (int round = 0; round < a.k; ++round) {
    Candidate best = lowest_candidate();
    for (int i = thread; i < a.class_count; i += kStep) {
      const float x = logits[i];
      const Candidate here = {.value = x == x ? x : -std::numeric_limits<float>::infinity(), .index = i};
      if (before(last, here) && before(here, best)) best = here;
    }
    last = best_of_block(best);
    if (round == 0) {
      maximum = last.value;
      float mine = 0.0f;
      for (int i = thread; i < a.class_count; i += kStep) mine += exp_of(logits[i] - maximum);
      sum = sum_of_block(mine);
    }
    if (thread == 0) {
      const std::int64_t at = static_cast<std::int64_t>(image) * a.k + round;
      a.classes[at] = last.index;
      a.probabilities[at] = divide_rn(exp_of(last.value - maximum), sum);
    }
  }
}

}  // namespace

void top_k(const float* logits, int n, int class_count, int k, int* classes, float* probabilities, Stream stream) {
  constexpr const char* kName = "top_k";
  cuda::expect_top_k(kName, n, class_count, k, kMaxK);
  launch(stream, kName, Grid{.x = static_cast<unsigned>(n)}, kOpThreads, kSharedBytes, top_k_kernel,
         TopKParams{
             .logits = logits, .class_count = class_count, .k = k, .classes = classes, .probabilities = probabilities});
}

}  // namespace gpueval::GPUEVAL_TARGET
