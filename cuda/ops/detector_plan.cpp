// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/score_bounds.h"
#include "cuda/ops/detector.h"

namespace gpueval::cuda {

DetectorPlan detector_plan(const Priors& priors) {
  const std::size_t all = priors.boxes.size(), most = priors.keep_before_nms;
  const std::size_t candidates = most == 0 ? all : std::min(most, all), places = priors.classes.size() * candidates;
  DetectorPlan plan{.priors = static_cast<int>(all),
                    .classes = static_cast<int>(priors.classes.size()),
                    .channels = priors.score_channels(),
                    .background = priors.background,
                    .scores = priors.scores,
                    .score_threshold = static_cast<float>(priors.score_threshold),
                    .log_threshold = log_bound(priors.score_threshold),
                    .logit_threshold = logit_bound(priors.score_threshold),
                    .nms_threshold = static_cast<float>(priors.nms_threshold),
                    .candidates = static_cast<int>(candidates),
                    .found = static_cast<int>(priors.keep == 0 ? places : std::min(places, priors.keep))};
  std::copy(priors.variances.begin(), priors.variances.end(), plan.variances);
  return plan;
}

}  // namespace gpueval::cuda
