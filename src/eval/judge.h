// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "core/sha256.h"
#include "eval/journal.h"
#include "gpueval/accuracy.h"

namespace gpueval {

// Counts right and wrong answers and sums the logits' hash, chunk by chunk in order.
class Judge {
 public:
  Judge(const Dataset& data, std::size_t engines, std::size_t classes);
  void add(const ChunkResult& chunk);
  std::vector<double> running_top1() const;
  std::vector<AccuracyResult> finish();  // ends the hashes

 private:
  const Dataset& data_;
  std::size_t classes_;
  std::vector<AccuracyResult> rows_;
  std::vector<Sha256> sums_;
};

}  // namespace gpueval
