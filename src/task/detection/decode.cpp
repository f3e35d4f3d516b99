// SPDX-License-Identifier: Apache-2.0
#include "task/detection/decode.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

namespace gpueval {
namespace {

struct Scored {
  std::uint32_t prior;
  float score;
};

// A class's candidates as they are found: prior by prior.
using ByClass = std::vector<std::vector<Scored>>;

// The probability is above the threshold where the logit is above this.
float logit_of(double threshold) {
  if (threshold <= 0) return -std::numeric_limits<float>::infinity();
  return threshold >= 1 ? std::numeric_limits<float>::infinity()
                        : static_cast<float>(std::log(threshold / (1 - threshold)));
}

float sigmoid(float x) { return static_cast<float>(1 / (1 + std::exp(-double{x}))); }

class ScoreReader {
 public:
  ScoreReader(const Priors& priors, double threshold, std::span<const float> scores)
      : priors_(priors),
        threshold_(threshold),
        scores_(scores),
        channels_(static_cast<std::size_t>(priors.score_channels())),
        first_(priors.background == Background::kFirst ? 1 : 0),
        found_(priors.classes.size()) {}

  ByClass read() {
    const float threshold = static_cast<float>(threshold_);
    // A little below, so that rounding leaves none out: what passes is compared again.
    const float near = logit_of(threshold_) - 1e-3f;
    for (std::size_t i = 0; i < priors_.boxes.size(); ++i) {
      const std::span<const float> values = scores_.subspan(i * channels_, channels_);
      if (priors_.scores == ScoreForm::kSoftmax) {
        read_softmax(i, values, near);
        continue;
      }
      const bool logits = priors_.scores == ScoreForm::kSigmoid;
      for (std::size_t c = 0; c < found_.size(); ++c) {
        const float value = values[first_ + c];
        if (!(value > (logits ? near : threshold))) continue;
        add(i, c, logits ? sigmoid(value) : value);
      }
    }
    return std::move(found_);
  }

 private:
  // No class's probability is above 1 / (1 + exp(another's logit - its own)).
  void read_softmax(std::size_t prior, std::span<const float> logits, float near) {
    const std::span<const float> classes = logits.subspan(first_, found_.size());
    float most = classes[0];
    for (const float value : classes) most = value > most ? value : most;
    if (priors_.background != Background::kNone) {
      const float background = priors_.background == Background::kFirst ? logits.front() : logits.back();
      if (!(most - background > near)) return;
      most = std::max(most, background);
    }
    double sum = 0;
    for (const float value : logits) sum += std::exp(double{value} - most);
    for (std::size_t c = 0; c < found_.size(); ++c)
      add(prior, c, static_cast<float>(std::exp(double{classes[c]} - most) / sum));
  }

  void add(std::size_t prior, std::size_t category, float score) {
    if (score > static_cast<float>(threshold_)) found_[category].push_back({static_cast<std::uint32_t>(prior), score});
  }

  const Priors& priors_;
  double threshold_;
  std::span<const float> scores_;
  std::size_t channels_, first_;
  ByClass found_;
};

void keep_best(std::vector<Scored>& found, std::size_t most) {
  const auto before = [](const Scored& a, const Scored& b) {
    return a.score > b.score || (a.score == b.score && a.prior < b.prior);
  };
  if (most != 0 && found.size() > most) {
    std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(most), found.end(), before);
    found.resize(most);
  }
  std::sort(found.begin(), found.end(), before);
}

}  // namespace

FoundBox decode_box(const Prior& prior, std::span<const float, 4> offsets, const std::array<float, 4>& variances) {
  const float cx = offsets[0] * variances[0] * prior.width + prior.cx;
  const float cy = offsets[1] * variances[1] * prior.height + prior.cy;
  const float width = std::exp(offsets[2] * variances[2]) * prior.width;
  const float height = std::exp(offsets[3] * variances[3]) * prior.height;
  return {0, 0, cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2};
}

std::vector<Candidates> candidates(const Priors& priors, double score_threshold, std::span<const float> offsets,
                                   std::span<const float> scores) {
  std::vector<Candidates> result(priors.classes.size());
  ByClass found = ScoreReader(priors, score_threshold, scores).read();
  for (std::size_t c = 0; c < found.size(); ++c) {
    keep_best(found[c], priors.keep_before_nms);
    Candidates& boxes = result[c];
    for (const auto& [prior, score] : found[c]) {
      const FoundBox box =
          decode_box(priors.boxes[prior], offsets.subspan(std::size_t{4} * prior).first<4>(), priors.variances);
      boxes.score.push_back(score);
      boxes.x1.push_back(box.x1);
      boxes.y1.push_back(box.y1);
      boxes.x2.push_back(box.x2);
      boxes.y2.push_back(box.y2);
    }
  }
  return result;
}

std::vector<std::size_t> non_maximum_suppression(const Candidates& boxes, float threshold) {
  const std::size_t count = boxes.size();
  std::vector<float> area(count);
  for (std::size_t i = 0; i < count; ++i) area[i] = (boxes.x2[i] - boxes.x1[i]) * (boxes.y2[i] - boxes.y1[i]);
  // Whole numbers as wide as the floats, so that the loop vectorises.
  std::vector<std::int32_t> gone(count, 0);
  const float *x1 = boxes.x1.data(), *y1 = boxes.y1.data(), *x2 = boxes.x2.data(), *y2 = boxes.y2.data();
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < count; ++i) {
    if (gone[i] != 0) continue;
    kept.push_back(i);
    const float left = x1[i], top = y1[i], right = x2[i], bottom = y2[i], own = area[i];
    std::int32_t* out = gone.data();
    const float* areas = area.data();
    for (std::size_t j = i + 1; j < count; ++j) {
      const float w = (right < x2[j] ? right : x2[j]) - (left > x1[j] ? left : x1[j]);
      const float h = (bottom < y2[j] ? bottom : y2[j]) - (top > y1[j] ? top : y1[j]);
      const float inter = (w > 0 ? w : 0) * (h > 0 ? h : 0);
      out[j] |= inter > threshold * (own + areas[j] - inter) ? 1 : 0;
    }
  }
  return kept;
}

std::vector<FoundBox> detect(const Priors& priors, const Thresholds& thresholds, std::span<const float> offsets,
                             std::span<const float> scores) {
  std::vector<FoundBox> found;
  const std::vector<Candidates> classes = candidates(priors, thresholds.score, offsets, scores);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const Candidates& boxes = classes[c];
    for (const std::size_t i : non_maximum_suppression(boxes, static_cast<float>(thresholds.nms)))
      found.push_back({static_cast<int>(c), boxes.score[i], boxes.x1[i], boxes.y1[i], boxes.x2[i], boxes.y2[i]});
  }
  if (priors.keep == 0 || found.size() <= priors.keep) return found;
  std::stable_sort(found.begin(), found.end(), [](const FoundBox& a, const FoundBox& b) { return a.score > b.score; });
  found.resize(priors.keep);
  std::stable_sort(found.begin(), found.end(),
                   [](const FoundBox& a, const FoundBox& b) { return a.category < b.category; });
  return found;
}

}  // namespace gpueval
