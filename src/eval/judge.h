// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "core/sha256.h"
#include "eval/journal.h"
#include "gpueval/accuracy.h"

namespace gpueval {

// Turns outputs into scores and hashes, chunk by chunk in order, and keeps those.
class Judge {
 public:
  Judge(const Task& task, const Dataset& data, std::size_t engines);

  // outputs[e]: engine e's of the chunk's images, one behind the other. Fills in chunk.engines, and accepts it.
  void score(ChunkResult& chunk, const std::vector<std::vector<float>>& outputs);
  void accept(const ChunkResult& chunk);  // scored in an earlier run, behind what is accepted
  const std::vector<AccuracyResult>& rows() const { return rows_; }
  std::vector<AccuracyResult> finish();  // ends the hashes, summarises

 private:
  const Task& task_;
  const Dataset& data_;
  std::vector<AccuracyResult> rows_;
  std::vector<Sha256> sums_;
};

}  // namespace gpueval
