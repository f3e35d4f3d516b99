// SPDX-License-Identifier: Apache-2.0
#include "task/detection/decode.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "core/score_bounds.h"
#include "core/threads.h"
#include "task/detection/arithmetic.h"
#include "task/detection/exponentials.h"

namespace gpueval {
namespace {

struct Scored {
  std::uint32_t prior;
  float score;
};

// A class's candidates as they are found: prior by prior.
using ByClass = std::vector<std::vector<Scored>>;

constexpr float kRounding = 1 - 1e-4f;  // of float sums: what passes is computed again

// At most the sum of exp(x - most): (1 + y / 8)^8 <= exp(y) for -8 <= y <= 0.
float least_sum(std::span<const float> logits, float most) {
  float sum = 0;
  for (const float value : logits) {
    float part = 1 + (value - most) * 0.125f;
    part = part > 0 ? part : 0;
    part *= part;
    part *= part;
    sum += part * part;
  }
  return sum;
}

class ScoreReader {
 public:
  ScoreReader(const Priors& priors, double threshold, std::span<const float> scores)
      : priors_(priors),
        threshold_(threshold),
        scores_(scores),
        channels_(static_cast<std::size_t>(priors.score_channels())),
        first_(priors.background == Background::kFirst ? 1 : 0),
        exponentials_(channels_),
        found_(priors.classes.size()) {}

  ByClass read(std::size_t begin, std::size_t end) {
    const float threshold = static_cast<float>(threshold_);
    const float near = logit_bound(threshold_);
    for (std::size_t i = begin; i < end; ++i) {
      const std::span<const float> values = scores_.subspan(i * channels_, channels_);
      if (priors_.scores == ScoreForm::kSoftmax) {
        read_softmax(i, values, near);
        continue;
      }
      const bool logits = priors_.scores == ScoreForm::kSigmoid;
      for (std::size_t c = 0; c < found_.size(); ++c) {
        const float value = values[first_ + c];
        if (!(value > (logits ? near : threshold))) continue;
        add(i, c, logits ? detector::logit_to_probability(value) : value);
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
    const float best = most;
    if (priors_.background != Background::kNone) {
      const float background = priors_.background == Background::kFirst ? logits.front() : logits.back();
      if (!(most - background > near)) return;
      most = std::max(most, background);
    }
    // No exponential of each class where even the best one's probability cannot pass.
    const float least = static_cast<float>(threshold_) * kRounding * least_sum(logits, most);
    if (!(std::exp(best - most) > least)) return;
    exponentials(logits, most, exponentials_.data());
    double sum = 0;
    for (const double part : exponentials_) sum += part;
    const double passing = static_cast<float>(threshold_) * (1 - 1e-6) * sum;  // no division of what is below
    for (std::size_t c = 0; c < found_.size(); ++c) {
      const double part = exponentials_[first_ + c];
      if (part > passing) add(prior, c, static_cast<float>(part / sum));
    }
  }

  void add(std::size_t prior, std::size_t category, float score) {
    if (score > static_cast<float>(threshold_)) found_[category].push_back({static_cast<std::uint32_t>(prior), score});
  }

  const Priors& priors_;
  double threshold_;
  std::span<const float> scores_;
  std::size_t channels_, first_;
  std::vector<double> exponentials_;  // of a prior
  ByClass found_;
};

// Many priors of one picture on all threads; where pictures lie side by side on these already, on the caller's.
ByClass read_scores(const Priors& priors, double threshold, std::span<const float> scores) {
  constexpr std::size_t kWorthThreads = 1 << 15;  // scores
  const std::size_t count = priors.boxes.size();
  const std::size_t parts = scores.size() < kWorthThreads ? 1 : static_cast<std::size_t>(threads());
  std::vector<ByClass> found(parts);
  parallel_for(static_cast<std::int64_t>(parts), [&](std::int64_t task) {
    const auto part = static_cast<std::size_t>(task);
    found[part] = ScoreReader(priors, threshold, scores).read(part * count / parts, (part + 1) * count / parts);
  });
  for (std::size_t part = 1; part < parts; ++part) {
    for (std::size_t c = 0; c < found[part].size(); ++c)
      found[0][c].insert(found[0][c].end(), found[part][c].begin(), found[part][c].end());
  }
  return std::move(found[0]);
}

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

std::vector<Candidates> candidates(const Priors& priors, double score_threshold, std::span<const float> offsets,
                                   std::span<const float> scores) {
  std::vector<Candidates> result(priors.classes.size());
  ByClass found = read_scores(priors, score_threshold, scores);
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

}  // namespace gpueval
