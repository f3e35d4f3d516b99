// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/sha256.h"
#include "eval/chunk_outputs.h"
#include "eval/journal.h"
#include "eval/loader.h"
#include "gpueval/accuracy.h"

namespace gpueval {

// Scores of images by every engine, without hashes. placed: one of each; outputs: every engine's of them.
std::vector<ChunkScores> score_images(const Scorer& scorer, const Dataset& data, std::span<const std::size_t> images,
                                      std::span<const PlacedImage> placed, std::span<const ChunkOutputs> outputs);

// Turns outputs into scores and hashes, chunk by chunk in order, and keeps those.
class Judge {
 public:
  Judge(const Task& task, const Scorer& scorer, const Dataset& data, std::size_t engines);

  // outputs: every engine's of the chunk's images. Fills in chunk.engines, and accepts it.
  void score(ChunkResult& chunk, std::span<const PlacedImage> placed, std::span<const ChunkOutputs> outputs);
  void accept(const ChunkResult& chunk);  // scored in an earlier run, behind what is accepted
  const std::vector<AccuracyResult>& rows() const { return rows_; }
  std::vector<AccuracyResult> finish();  // ends the hashes, summarises

 private:
  const Task& task_;
  const Scorer& scorer_;
  const Dataset& data_;
  std::vector<AccuracyResult> rows_;
  std::vector<Sha256> sums_;
};

}  // namespace gpueval
