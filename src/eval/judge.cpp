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

std::vector<std::string> image_hashes(const ChunkOutputs& outputs, std::size_t images) {
  std::vector<std::string> hashes(images);
  parallel_for_dynamic(std::ssize(hashes), [&](std::int64_t task) {
    const auto i = static_cast<std::size_t>(task);
    Sha256 sum;
    for (const std::span<const float> output : outputs.of_image(i)) sum.update(std::as_bytes(output));
    hashes[i] = sum.bytes();
  });
  return hashes;
}

}  // namespace

Judge::Judge(const Task& task, const Scorer& scorer, const Dataset& data, std::size_t engines)
    : task_(task), scorer_(scorer), data_(data), rows_(engines), sums_(engines) {}

// Side by side: a label map has as many pixels as its picture.
std::vector<ChunkScores> score_images(const Scorer& scorer, const Dataset& data, std::span<const std::size_t> images,
                                      std::span<const PlacedImage> placed, std::span<const ChunkOutputs> outputs) {
  std::vector<ChunkScores> result(outputs.size());
  for (ChunkScores& scores : result) {
    scores.samples.resize(images.size());
    scores.pairs.resize(images.size());
  }
  parallel_for_dynamic(std::ssize(images), [&](std::int64_t task) {
    const auto i = static_cast<std::size_t>(task);
    const ImageRows rows(outputs, i);
    std::vector<Score> samples(outputs.size()), pairs(outputs.size());
    const auto& [height, width, geometry] = placed[i];
    scorer.score({data, images[i], height, width, geometry}, rows.rows(), samples, pairs);
    for (std::size_t e = 0; e < outputs.size(); ++e) {
      result[e].samples[i] = std::move(samples[e]);
      result[e].pairs[i] = std::move(pairs[e]);
    }
  });
  return result;
}

void Judge::score(ChunkResult& chunk, std::span<const PlacedImage> placed, std::span<const ChunkOutputs> outputs) {
  const std::size_t images = chunk.images.size();
  chunk.engines = score_images(scorer_, data_, chunk.images, placed, outputs);
  for (std::size_t e = 0; e < rows_.size(); ++e) {
    chunk.engines[e].image_sha256 = image_hashes(outputs[e], images);
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
