// SPDX-License-Identifier: Apache-2.0
// A score is label, top-1 class and place of the label; one of a pair whether the top-1 classes are the same and, where
// all logits are finite, signal, noise and KL of LogitError.
#include "gpueval/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gpueval/error.h"
#include "task/bits.h"
#include "task/chance_warning.h"
#include "task/ranking.h"
#include "task/statistics.h"

namespace gpueval {
namespace {

double fraction(std::int64_t count, std::int64_t images) {
  return images == 0 ? 0 : static_cast<double>(count) / static_cast<double>(images);
}

bool whole(double value, double least, double most) {
  return value >= least && value <= most && value == std::floor(value);
}

Score pair_score(std::span<const float> first, std::span<const float> logits) {
  const bool same = rank_classes(first).classes[0] == rank_classes(logits).classes[0];
  LogitError error;
  error.add(first, logits);
  Score score{same ? 1.0 : 0.0};
  if (error.images > 0) score.insert(score.end(), {error.signal, error.noise, error.kl});
  return score;
}

class ClassificationScorer : public Scorer {
 public:
  explicit ClassificationScorer(int classes) : classes_(classes) {}

  void check_truth(const Dataset& data, std::size_t first, std::size_t count) const override {
    for (std::size_t i = first; i < first + count; ++i) {
      const int label = data.label(i);
      if (label < 0 || label >= classes_) {
        fail("{}: {} has class id {}, but the network has classes 0 to {}; is this the right data for it?", data.path(),
             data.name(i), label, classes_ - 1);
      }
    }
  }

  void score(const JudgedImage& image, std::span<const ImageOutputs> outputs, std::span<Score> samples,
             std::span<Score> pairs) const override {
    const int label = image.data.label(image.index);
    for (std::size_t row = 0; row < outputs.size(); ++row) {
      const Ranking ranking = rank_classes(outputs[row][0]);
      samples[row] = to_score({label, ranking.classes[0], ranking.place(label)});
      if (row > 0) pairs[row] = pair_score(outputs[0][0], outputs[row][0]);
    }
  }

  bool possible(const Score& sample, const Dataset& data, std::size_t image) const override {
    if (sample.size() != 3 || !whole(sample[0], 0, 1e9) || !whole(sample[2], 0, 5)) return false;
    if (!whole(sample[1], -1, static_cast<double>(classes_ - 1))) return false;
    const ClassScore score = class_score(sample);
    const bool nan = score.predicted < 0;
    return score.label == data.label(image) && score.top1() == (score.predicted == score.label) &&
           !(nan && score.top5());
  }

  bool possible_pair(const Score& pair) const override {
    if (pair.empty() || !whole(pair[0], 0, 1)) return false;
    if (pair.size() == 1) return true;
    return pair.size() == 4 && pair[1] >= 0 && pair[2] >= 0 && std::isfinite(pair[1]) && std::isfinite(pair[2]) &&
           std::isfinite(pair[3]);
  }

 private:
  int classes_;
};

class ClassificationTask : public Task {
 public:
  std::string name() const override { return "classification"; }
  TruthKind truth() const override { return TruthKind::kClass; }

  std::unique_ptr<Scorer> scorer(const Shape&, std::span<const NetworkOutput> outputs,
                                 const TaskOptions&) const override {
    const int classes = outputs.size() == 1 ? classes_of(outputs[0].shape) : 0;
    if (classes == 0) fail("classification is of networks with one output of one pixel");
    return classification_scorer(classes);
  }

  std::vector<std::string> metric_names() const override { return {"top-1", "top-5"}; }

  bool tells(std::size_t metric, int classes) const override { return metric == 0 || classes == 0 || classes > 5; }

  void summarise(AccuracyResult& result) const override {
    const ClassCounts counts = count_classes(result.samples);
    result.images = counts.images;
    result.nan_images = counts.nan_images;
    result.metrics = {{"top-1", fraction(counts.top1, counts.images), wilson_interval(counts.top1, counts.images)},
                      {"top-5", fraction(counts.top5, counts.images)}};
  }

  std::optional<double> headline(std::span<const Score> samples) const override {
    const ClassCounts counts = count_classes(samples);
    return fraction(counts.top1, counts.images);
  }

  PairedComparison compare(const AccuracyResult& first, const AccuracyResult& second) const override {
    GPUEVAL_CHECK(first.samples.size() == second.samples.size(), "{} images against {}", first.samples.size(),
                  second.samples.size());
    PairedComparison result;
    result.images = std::ssize(first.samples);
    for (std::size_t i = 0; i < first.samples.size(); ++i) {
      const ClassScore a = class_score(first.samples[i]), b = class_score(second.samples[i]);
      if (b.top1() && !a.top1()) ++result.discordant_up;
      if (a.top1() && !b.top1()) ++result.discordant_down;
    }
    result.diff = fraction(result.discordant_up - result.discordant_down, result.images);
    result.diff_ci95 = paired_difference_interval(result.discordant_up, result.discordant_down, result.images);
    result.p = mcnemar_exact(result.discordant_up, result.discordant_down);
    const Agreement found = agreement(second.pairs);
    result.agreement = found.share;
    result.logits = found.logits;
    return result;
  }

  Agreement agreement(std::span<const Score> pairs) const override {
    Agreement result;
    std::int64_t agreed = 0;
    for (const Score& pair : pairs) {
      agreed += pair[0] != 0 ? 1 : 0;
      if (pair.size() == 4) result.logits.add({pair[1], pair[2], pair[3], 1});
    }
    if (!pairs.empty()) result.share = fraction(agreed, std::ssize(pairs));
    return result;
  }

  std::optional<std::string> doubt(const std::string& row, const AccuracyResult& result, int classes) const override {
    const ClassCounts counts = count_classes(result.samples);
    return chance_warning({row, counts.images, counts.top1, counts.one_below, classes});
  }

  std::string same_answer() const override { return "same top-1 class"; }
  std::string legend(const std::string& first) const override {
    return fmt::format("diff: points of top-1 against {}; p: exact McNemar test; agree: {}; 95% CI: Wilson.", first,
                       same_answer());
  }

  std::vector<ResultField> fields(const AccuracyResult& result) const override {
    const ClassCounts counts = count_classes(result.samples);
    return {{"images", result.images},
            {"top1", fraction(counts.top1, counts.images)},
            {"top5", fraction(counts.top5, counts.images)},
            {"top1_ci95", wilson_interval(counts.top1, counts.images)},
            {"top1_count", counts.top1},
            {"top5_count", counts.top5},
            {"nan_images", result.nan_images},
            {"correct_bits", bits_to_hex(correct_images(result.samples))}};
  }

  std::vector<ResultField> fields(const PairedComparison& paired) const override {
    return {{"top1_diff", paired.diff},
            {"top1_diff_ci95", paired.diff_ci95},
            {"discordant_up", paired.discordant_up},
            {"discordant_down", paired.discordant_down},
            {"mcnemar_p", *paired.p},
            {"agreement", paired.agreement}};
  }
};

}  // namespace

int classes_of(const Shape& output) { return output.pixels() == 1 ? std::max(output.c, 2) : 0; }
int classes_of(const Graph& graph) { return graph.outputs.size() == 1 ? classes_of(graph.output_node().shape) : 0; }

ClassScore class_score(const Score& sample) {
  GPUEVAL_CHECK(sample.size() == 3, "{} numbers are no score of a classification", sample.size());
  return {static_cast<std::int32_t>(sample[0]), static_cast<std::int32_t>(sample[1]),
          static_cast<std::int32_t>(sample[2])};
}

Score to_score(const ClassScore& score) {
  return {static_cast<double>(score.label), static_cast<double>(score.predicted), static_cast<double>(score.place)};
}

ClassCounts count_classes(std::span<const Score> samples) {
  ClassCounts counts;
  for (const Score& sample : samples) {
    const ClassScore score = class_score(sample);
    ++counts.images;
    counts.top1 += score.top1() ? 1 : 0;
    counts.top5 += score.top5() ? 1 : 0;
    counts.nan_images += score.predicted < 0 ? 1 : 0;
    counts.one_below += score.predicted >= 0 && score.predicted == score.label - 1 ? 1 : 0;
  }
  return counts;
}

std::vector<bool> correct_images(std::span<const Score> samples) {
  std::vector<bool> correct(samples.size());
  std::transform(samples.begin(), samples.end(), correct.begin(),
                 [](const Score& sample) { return class_score(sample).top1(); });
  return correct;
}

std::unique_ptr<Scorer> classification_scorer(int classes) { return std::make_unique<ClassificationScorer>(classes); }

const Task& classification_task() {
  static const ClassificationTask task;
  return task;
}

}  // namespace gpueval
