// SPDX-License-Identifier: Apache-2.0
#include "eval/judge.h"

#include <span>
#include <utility>

#include "eval/ranking.h"

namespace gpueval {

Judge::Judge(const Dataset& data, std::size_t engines, std::size_t classes)
    : data_(data), classes_(classes), rows_(engines), sums_(engines) {}

void Judge::add(const ChunkResult& chunk) {
  for (std::size_t e = 0; e < rows_.size(); ++e) {
    AccuracyResult& row = rows_[e];
    const std::span<const float> logits(chunk.logits[e]);
    for (std::size_t i = 0; i < chunk.images.size(); ++i) {
      const Ranking ranking = rank_classes(logits.subspan(i * classes_, classes_));
      const int label = data_.label(chunk.images[i]);
      ++row.images;
      row.top1 += ranking.top1(label) ? 1 : 0;
      row.top5 += ranking.top5(label) ? 1 : 0;
      row.one_below += !ranking.has_nan && ranking.classes[0] == label - 1 ? 1 : 0;
      row.nan_images += ranking.has_nan ? 1 : 0;
      row.predicted.push_back(ranking.classes[0]);
      row.correct.push_back(ranking.top1(label));
      if (e > 0) {
        row.against_first.add(std::span(chunk.logits.front()).subspan(i * classes_, classes_),
                              logits.subspan(i * classes_, classes_));
      }
    }
    sums_[e].update(std::as_bytes(logits));
  }
}

std::vector<double> Judge::running_top1() const {
  std::vector<double> result;
  for (const AccuracyResult& row : rows_) result.push_back(row.top1_fraction());
  return result;
}

std::vector<AccuracyResult> Judge::finish() {
  for (std::size_t e = 0; e < rows_.size(); ++e) rows_[e].logits_sha256 = sums_[e].hex();
  return std::move(rows_);
}

}  // namespace gpueval
