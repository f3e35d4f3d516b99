// SPDX-License-Identifier: Apache-2.0
// Decoding and greedy suppression within a class, a block a row of candidates. All pairs at once become a matrix of
// bits, row i: which later candidates i would suppress; then one warp goes through the candidates in order. Lane w
// holds the bits of candidates 32 w .. 32 w + 31 that are gone. Of a word's 32 candidates it follows the word itself in
// a register of every lane, so that nothing is passed between lanes but once a word. Shared memory: edges and areas
// (five arrays), the matrix by words (a column each, one longer than a multiple of 32, so that lanes that read a row's
// words meet different banks), the words of the gone.
#include "cuda/ops/detector_math.h"
#include "cuda/ops/device_ops.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/warp.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr int kPairThreads = 256, kMost = cuda::kMostCandidates, kWords = kMost / 32, kColumn = kMost + 1;
static_assert(kWords <= 32, "a warp holds a word a lane");
constexpr std::uint32_t kMatrixAt = 5 * kMost * 4, kGoneAt = kMatrixAt + kWords * kColumn * 4,
                        kSuppressBytes = kGoneAt + kWords * 4;

struct SuppressParams {
  const Candidate* best;
  const int* counts;
  const Prior* priors;
  const float* offsets;
  ScoreKey* kept;
  BoxEdges* boxes;
  int classes, prior_count, candidates;
  float threshold, variances[4];
};

struct SharedBoxes {
  Shared<float> x1{0, kMost}, y1{kMost * 4, kMost}, x2{kMost * 8, kMost}, y2{kMost * 12, kMost},
      area{kMost * 16, kMost};
  GPUEVAL_DEVICE Edges edges(int i) const { return {x1[i], y1[i], x2[i], y2[i]}; }
  GPUEVAL_DEVICE void set(int i, const Edges& box) const {
    x1[i] = box.x1;
    y1[i] = box.y1;
    x2[i] = box.x2;
    y2[i] = box.y2;
    area[i] = area_of(box);
  }
};

GPUEVAL_DEVICE Edges decoded(const SuppressParams& p, std::int64_t image, std::uint32_t prior) {
  const float place[] = {p.priors[prior].cx, p.priors[prior].cy, p.priors[prior].width, p.priors[prior].height};
  return decoded_edges(place, p.offsets + (image * p.prior_count + prior) * 4, p.variances);
}

// Neighbouring threads take neighbouring candidates and the same word: what they compare with is one address.
GPUEVAL_DEVICE void fill_matrix(const SharedBoxes& boxes, const Shared<std::uint32_t>& matrix, int count, int words,
                                float threshold) {
  for (int item = static_cast<int>(thread_index().x); item < count * words; item += kPairThreads) {
    const int i = item % count, w = item / count;
    const Edges box = boxes.edges(i);
    const float area = boxes.area[i];
    const int end = w * 32 + 32 < count ? w * 32 + 32 : count;
    std::uint32_t bits = 0;
    for (int j = i < w * 32 ? w * 32 : i + 1; j < end; ++j) {
      if (overlap(box, area, boxes.edges(j), boxes.area[j], threshold)) bits |= 1u << j % 32;
    }
    matrix[w * kColumn + i] = bits;
  }
}

// Of the calling lane's 32 candidates, which are suppressed.
GPUEVAL_DEVICE std::uint32_t suppressed(const Shared<std::uint32_t>& matrix, int count, int words, int lane) {
  std::uint32_t gone = 0;
  const int column = (lane < words ? lane : 0) * kColumn;
  for (int w = 0; w < words; ++w) {
    auto word = static_cast<std::uint32_t>(shuffle(static_cast<int>(gone), w));
    const int begin = w * 32, end = begin + 32 < count ? begin + 32 : count;
    for (int i = begin; i < end; ++i) {
      const std::uint32_t own = matrix[column + i], of_word = matrix[w * kColumn + i];
      if ((word >> i % 32 & 1) != 0) continue;
      word |= of_word;
      gone |= own;
    }
  }
  return gone;
}

GPUEVAL_KERNEL(kPairThreads)
detector_suppress_kernel(const SuppressParams p) {
  const int thread = static_cast<int>(thread_index().x);
  const std::int64_t row = block_index().x, image = row / p.classes, first = row * p.candidates;
  const int count = p.counts[row], words = (count + 31) / 32;
  const SharedBoxes boxes;
  const Shared<std::uint32_t> matrix(kMatrixAt, kWords * kColumn), all_gone(kGoneAt, kWords);
  for (int i = thread; i < count; i += kPairThreads) {
    const Edges box = decoded(p, image, p.best[first + i].prior);
    boxes.set(i, box);
    p.boxes[first + i] = {{box.x1, box.y1, box.x2, box.y2}};
  }
  block_barrier();
  fill_matrix(boxes, matrix, count, words, p.threshold);
  block_barrier();
  if (thread < 32) {
    const std::uint32_t gone = suppressed(matrix, count, words, thread);
    if (thread < kWords) all_gone[thread] = gone;
  }
  block_barrier();
  for (int i = thread; i < p.candidates; i += kPairThreads) {
    const bool stays = i < count && (all_gone[i / 32] >> i % 32 & 1) == 0;
    p.kept[first + i] = stays ? p.best[first + i].key : 0u;
  }
}

}  // namespace

void detector_suppress(const DetectorPlan& plan, const Candidate* best, const int* counts, const Prior* priors,
                       const float* offsets, ScoreKey* kept, BoxEdges* boxes, Stream stream) {
  const Grid grid{.x = static_cast<unsigned>(plan.images * plan.classes)};
  SuppressParams params{.best = best,
                        .counts = counts,
                        .priors = priors,
                        .offsets = offsets,
                        .kept = kept,
                        .boxes = boxes,
                        .classes = plan.classes,
                        .prior_count = plan.priors,
                        .candidates = plan.candidates,
                        .threshold = plan.nms_threshold,
                        .variances = {}};
  for (int i = 0; i < 4; ++i) params.variances[i] = plan.variances[i];
  launch(stream, "detector_suppress", grid, kPairThreads, kSuppressBytes, detector_suppress_kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
