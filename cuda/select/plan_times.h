// SPDX-License-Identifier: Apache-2.0
// Times of a library's plans for one problem: measured once, then taken from the tuning cache.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "cuda/select/tuning_cache.h"

namespace gpueval::cuda {

class PlanTimes {
 public:
  // cache: null = every time is measured. problem: all that the times depend on, the library's version too.
  PlanTimes(TuningCache* cache, std::string problem)
      : cache_(cache), problem_(std::move(problem)), known_(cache != nullptr && cache->has(problem_)) {}

  // measure() gives the plan's seconds, or nothing where the library refuses it. A plan without a time in a problem
  // that was measured before is one that was refused.
  template <typename Measure>
  std::optional<double> seconds(const std::string& plan, Measure&& measure) {
    if (known_) {
      const std::optional<double> microseconds = cache_->find(problem_, plan);
      return microseconds ? std::optional(*microseconds * 1e-6) : std::nullopt;
    }
    const std::optional<double> measured = measure();
    if (measured && cache_ != nullptr) cache_->store(problem_, plan, *measured * 1e6);
    return measured;
  }

 private:
  TuningCache* cache_;
  std::string problem_;
  bool known_;
};

}  // namespace gpueval::cuda
