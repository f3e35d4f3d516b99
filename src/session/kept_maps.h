// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gpueval/plan.h"
#include "gpueval/task.h"

namespace gpueval {

// The label maps of the pictures that the first row and the last one answer most differently, kept while the outputs
// are there: scores have none.
class KeptMaps {
 public:
  struct Maps {
    std::size_t picture = 0;  // in the judged set
    double difference = 0;
    LabelMap first, last;  // as small as the picture is shown
  };

  KeptMaps() = default;  // keeps none
  KeptMaps(const Task& task, const Scorer& scorer, const GalleryPlan& plan)
      : task_(&task), scorer_(&scorer), plan_(plan) {}

  // Pictures in order. pair: of the last row's outputs.
  void take(const JudgedImage& image, const Score& pair, std::span<const ImageOutputs> rows);
  const Maps* of(std::size_t picture) const;  // null: not kept

 private:
  const Task* task_ = nullptr;
  const Scorer* scorer_ = nullptr;
  GalleryPlan plan_;
  std::vector<Maps> kept_;  // by falling difference, equal ones in the pictures' order
};

}  // namespace gpueval
