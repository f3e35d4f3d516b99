// SPDX-License-Identifier: Apache-2.0
#include "eval/judge.h"

#include <span>
#include <utility>

#include "core/threads.h"

namespace gpueval {
namespace {

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Judge::Judge(const Task& task, const Scorer& scorer, const Dataset& data, std::size_t engines)
    : task_(task), scorer_(scorer), data_(data), rows_(engines), sums_(engines) {}

// Side by side: a label map has as many pixels as its picture.
void Judge::score_images(ChunkResult& chunk, std::span<const PlacedImage> placed,
                         std::span<const ChunkOutputs> outputs) {
  parallel_for_dynamic(std::ssize(chunk.images), [&](std::int64_t task) {
    const auto i = static_cast<std::size_t>(task);
    std::vector<std::vector<std::span<const float>>> parts;
    for (const ChunkOutputs& of_engine : outputs) parts.push_back(of_engine.of_image(i));
    const std::vector<ImageOutputs> rows(parts.begin(), parts.end());
    std::vector<Score> samples(rows.size()), pairs(rows.size());
    const auto& [height, width, geometry] = placed[i];
    scorer_.score({data_, chunk.images[i], height, width, geometry}, rows, samples, pairs);
    for (std::size_t e = 0; e < rows.size(); ++e) {
      ChunkScores& scores = chunk.engines[e];
      scores.samples[i] = std::move(samples[e]);
      scores.pairs[i] = std::move(pairs[e]);
      Sha256 sum;
      for (const std::span<const float> output : rows[e]) sum.update(std::as_bytes(output));
      scores.image_sha256[i] = sum.bytes();
    }
  });
}

void Judge::score(ChunkResult& chunk, std::span<const PlacedImage> placed, std::span<const ChunkOutputs> outputs) {
  const std::size_t images = chunk.images.size();
  chunk.engines.assign(rows_.size(), {});
  for (ChunkScores& scores : chunk.engines) {
    scores.samples.resize(images);
    scores.pairs.resize(images);
    scores.image_sha256.resize(images);
  }
  score_images(chunk, placed, outputs);
  for (std::size_t e = 0; e < rows_.size(); ++e) {
    for (std::size_t i = 0; i < images; ++i) {
      for (const std::span<const float> output : outputs[e].of_image(i)) sums_[e].update(std::as_bytes(output));
    }
    chunk.engines[e].sum = sums_[e].state();
  }
  accept(chunk);
}

void Judge::accept(const ChunkResult& chunk) {
  for (std::size_t e = 0; e < rows_.size(); ++e) {
    const ChunkScores& scores = chunk.engines[e];
    append(rows_[e].samples, scores.samples);
    append(rows_[e].image_sha256, scores.image_sha256);
    if (e > 0) append(rows_[e].pairs, scores.pairs);
    sums_[e].set_state(scores.sum);
  }
}

std::vector<AccuracyResult> Judge::finish() {
  for (std::size_t e = 0; e < rows_.size(); ++e) {
    rows_[e].logits_sha256 = sums_[e].hex();
    summarise(task_, rows_[e]);
  }
  return std::move(rows_);
}

void summarise(const Task& task, AccuracyResult& row) {
  task.summarise(row);
  Sha256 sum;
  for (const std::string& hash : row.image_sha256) sum.update(hash);
  row.logits_tree_sha256 = sum.hex();
}

}  // namespace gpueval
