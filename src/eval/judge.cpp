// SPDX-License-Identifier: Apache-2.0
#include "eval/judge.h"

#include <span>
#include <utility>

namespace gpueval {
namespace {

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Judge::Judge(const Task& task, const Dataset& data, std::size_t engines)
    : task_(task), data_(data), rows_(engines), sums_(engines) {}

void Judge::score(ChunkResult& chunk, const std::vector<std::vector<float>>& outputs) {
  chunk.engines.assign(rows_.size(), {});
  const std::size_t images = chunk.images.size();
  for (std::size_t e = 0; e < rows_.size(); ++e) {
    ChunkScores& scores = chunk.engines[e];
    const std::size_t elements = images == 0 ? 0 : outputs[e].size() / images;
    for (std::size_t i = 0; i < images; ++i) {
      const auto of = [&](std::size_t engine) { return std::span(outputs[engine]).subspan(i * elements, elements); };
      const std::span<const float> first = of(0), own = of(e);
      scores.samples.push_back(task_.score(data_, chunk.images[i], {&own, 1}));
      scores.pairs.push_back(e == 0 ? Score{} : task_.pair_score({&first, 1}, {&own, 1}));
      Sha256 sum;
      sum.update(std::as_bytes(own));
      scores.image_sha256.push_back(sum.bytes());
    }
    sums_[e].update(std::as_bytes(std::span(outputs[e])));
    scores.sum = sums_[e].state();
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
