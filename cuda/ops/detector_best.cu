// SPDX-License-Identifier: Apache-2.0
// A class's best candidates, a block a row of keys. RowBest takes them by their priors' order; then each one's rank is
// how many of the others stand before it: at most 512 comparisons, two candidates a thread, without a barrier.
// Shared memory: RowBest, the candidates' keys, their priors.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/row_best.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct BestParams {
  const ScoreKey* keys;
  Candidate* best;
  int* counts;
  int priors, candidates;
};

constexpr std::uint32_t kKeysAt = RowBest::kSharedBytes, kPriorsAt = kKeysAt + cuda::kMostCandidates * 4,
                        kBestBytes = kPriorsAt + cuda::kMostCandidates * 4;

GPUEVAL_KERNEL(kRowThreads)
detector_best_kernel(const BestParams p) {
  const int thread = static_cast<int>(thread_index().x);
  const std::int64_t row = block_index().x;
  const Shared<ScoreKey> keys(kKeysAt, cuda::kMostCandidates);
  const Shared<std::uint32_t> priors(kPriorsAt, cuda::kMostCandidates);
  const RowBest all(p.keys + row * p.priors, p.priors, 0);
  const int count = all.for_each(all.cut(p.candidates), [&](int place, ScoreKey key, int before) {
    keys[before] = key;
    priors[before] = static_cast<std::uint32_t>(place);
  });
  block_barrier();
  for (int i = thread; i < count; i += kRowThreads) {
    const ScoreKey key = keys[i];
    int rank = 0;
    for (int j = 0; j < count; ++j) rank += keys[j] > key || (keys[j] == key && j < i) ? 1 : 0;
    p.best[row * p.candidates + rank] = {key, priors[i]};
  }
  if (thread == 0) p.counts[row] = count;
}

}  // namespace

void detector_best(const DetectorPlan& plan, const ScoreKey* keys, Candidate* best, int* counts, Stream stream) {
  const Grid grid{.x = static_cast<unsigned>(plan.images * plan.classes)};
  const BestParams params{
      .keys = keys, .best = best, .counts = counts, .priors = plan.priors, .candidates = plan.candidates};
  launch(stream, "detector_best", grid, kRowThreads, kBestBytes, detector_best_kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
