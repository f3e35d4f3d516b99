// SPDX-License-Identifier: Apache-2.0
// A picture's boxes from those that its classes keep, a block a picture: the best of all, class by class. The rows of a
// picture are one row to RowBest, in which the order of places is by class and then by score.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/row_best.h"
#include "cuda/prim/arithmetic.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct GatherParams {
  const ScoreKey* kept;
  const BoxEdges* boxes;
  FoundBox* found;
  int* counts;
  int classes, candidates, most;
};

GPUEVAL_KERNEL(kRowThreads)
detector_gather_kernel(const GatherParams p) {
  const std::int64_t image = block_index().x;
  const int places = p.classes * p.candidates;
  const RowBest all(p.kept + image * places, places, 0);
  const BoxEdges* boxes = p.boxes + image * places;
  FoundBox* found = p.found + image * p.most;
  const int count = all.for_each(all.cut(p.most), [&](int place, ScoreKey key, int before) {
    const BoxEdges box = boxes[place];
    FoundBox& to = found[before];
    to.category = place / p.candidates;
    to.score = bits_float(static_cast<int>(key));
    to.x1 = box.at[0];
    to.y1 = box.at[1];
    to.x2 = box.at[2];
    to.y2 = box.at[3];
  });
  if (thread_index().x == 0) p.counts[image] = count;
}

}  // namespace

void detector_gather(const DetectorPlan& plan, const ScoreKey* kept, const BoxEdges* boxes, FoundBox* found,
                     int* counts, Stream stream) {
  const GatherParams params{.kept = kept,
                            .boxes = boxes,
                            .found = found,
                            .counts = counts,
                            .classes = plan.classes,
                            .candidates = plan.candidates,
                            .most = plan.found};
  launch(stream, "detector_gather", {.x = static_cast<unsigned>(plan.images)}, kRowThreads, RowBest::kSharedBytes,
         detector_gather_kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
