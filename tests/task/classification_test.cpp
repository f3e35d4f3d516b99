// SPDX-License-Identifier: Apache-2.0
#include "gpueval/classification.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gpueval {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

class Labels : public Dataset {
 public:
  explicit Labels(std::vector<int> labels) : labels_(std::move(labels)) {}
  std::size_t size() const override { return labels_.size(); }
  int label(std::size_t index) const override { return labels_[index]; }
  Image decode(std::size_t) const override { return {}; }
  std::string name(std::size_t index) const override { return "image " + std::to_string(index); }
  std::string path() const override { return "labels"; }
  std::string kind() const override { return "folder"; }
  bool images_are_cropped() const override { return true; }
  std::string state() const override { return ""; }

 private:
  std::vector<int> labels_;
};

Graph classes(int count) {
  GraphBuilder g("classes");
  return g.finish(g.dense("logits", g.input(1, 1, 3), count));
}

struct Scores {
  std::vector<Score> samples, pairs;
};
Scores scores_of(const std::vector<float>& first, const std::vector<float>& second, int label) {
  const std::span<const float> a = first, b = second;
  const std::vector<ImageOutputs> rows{{&a, 1}, {&b, 1}};
  Scores scores{std::vector<Score>(2), std::vector<Score>(2)};
  const Labels data({label});
  classification_scorer(10)->score({.data = data}, rows, scores.samples, scores.pairs);
  EXPECT_TRUE(scores.pairs[0].empty());
  return scores;
}

Score score_of(const std::vector<float>& logits, int label) { return scores_of(logits, logits, label).samples[0]; }

Score pair_of(const std::vector<float>& first, const std::vector<float>& second) {
  return scores_of(first, second, 0).pairs[1];
}

AccuracyResult result_of(std::vector<Score> samples, std::vector<Score> pairs = {}) {
  AccuracyResult result{.samples = std::move(samples), .pairs = std::move(pairs)};
  classification_task().summarise(result);
  return result;
}

TEST(ClassificationTask, IsInTheTable) {
  EXPECT_EQ(&find_task("classification"), &classification_task());
  EXPECT_THROW(find_task("clasification"), Error);
}

TEST(ClassificationTask, ScoresLabelAnswerAndPlace) {
  EXPECT_EQ(score_of({0, 5, 1, 4}, 1), (Score{1, 1, 1}));
  EXPECT_EQ(score_of({0, 5, 1, 4}, 2), (Score{2, 1, 3}));
  EXPECT_EQ(score_of({0, 6, 5, 4, 3, 2, 1}, 0), (Score{0, 1, 0}));
  EXPECT_EQ(score_of({0, 5, kNan, 4}, 1), (Score{1, -1, 0}));
}

// A sigmoid's logit: class 1 above 0, class 0 at and below it.
TEST(ClassificationTask, OneLogitTellsTwoClasses) {
  EXPECT_EQ(classes_of(classes(1)), 2);
  EXPECT_EQ(classes_of(classes(2)), 2);
  EXPECT_EQ(classes_of(classes(7)), 7);
  EXPECT_EQ(score_of({0.5f}, 1), (Score{1, 1, 1}));
  EXPECT_EQ(score_of({0.5f}, 0), (Score{0, 1, 2}));
  EXPECT_EQ(score_of({-0.5f}, 0), (Score{0, 0, 1}));
  EXPECT_EQ(score_of({0}, 0), (Score{0, 0, 1}));
  EXPECT_EQ(score_of({-0.0f}, 0), (Score{0, 0, 1}));
  EXPECT_EQ(score_of({kNan}, 0), (Score{0, -1, 0}));
  EXPECT_EQ(pair_of({kNan}, {1}), (Score{0}));
  for (const auto& [x, y] : {std::pair{3.0f, 1.0f}, {-2.0f, 2.0f}, {0.0f, 0.25f}})
    EXPECT_EQ(pair_of({x}, {y}), pair_of({0, x}, {0, y})) << x << ' ' << y;
  const Score pair = pair_of({2}, {-1});
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const double p = sigmoid(2), q = sigmoid(-1);
  ASSERT_EQ(pair.size(), 4u);
  EXPECT_EQ(pair[0], 0);
  EXPECT_NEAR(pair[3], p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q)), 1e-12);
  const Labels ones({1});
  EXPECT_NO_THROW(classification_scorer(2)->check_truth(ones, 0, 1));
  EXPECT_THROW(classification_scorer(2)->check_truth(Labels({2}), 0, 1), Error);
  EXPECT_TRUE(classification_scorer(2)->possible({1, 1, 1}, ones, 0));
  EXPECT_FALSE(classification_scorer(2)->possible({1, 2, 0}, ones, 0));
}

TEST(ClassificationTask, TopFiveTellsNothingOfFiveClasses) {
  const Task& task = classification_task();
  for (const int count : {2, 5}) {
    EXPECT_TRUE(task.tells(0, count));
    EXPECT_FALSE(task.tells(1, count));
  }
  for (const int count : {0, 6, 1000}) EXPECT_TRUE(task.tells(1, count)) << count;
}

TEST(ClassificationTask, PairsLeaveOutWhatIsNotFinite) {
  EXPECT_EQ(pair_of({1, 3}, {1, 3}), (Score{1, 2, 0, 0}));  // less their mean: -1, 1
  EXPECT_EQ(pair_of({1, kNan}, {1, 3}), (Score{0}));
  EXPECT_EQ(pair_of({1, kNan}, {kNan, 3}), (Score{1}));  // both give no answer
  const Score pair = pair_of({1, 3}, {3, 1});
  ASSERT_EQ(pair.size(), 4u);
  EXPECT_EQ(pair[0], 0);
  EXPECT_EQ(pair[2], 8);
}

TEST(ClassificationTask, ComparesImageByImage) {
  const Score right{1, 1, 1}, wrong{1, 2, 2}, far{1, 3, 0}, nan{1, -1, 0};
  const AccuracyResult first = result_of({right, right, wrong, nan, far});
  const AccuracyResult second =
      result_of({right, wrong, right, nan, wrong}, {{1, 10, 1, 0.5}, {0, 10, 2, 0.5}, {0}, {1}, {0, 5, 1, 0}});
  EXPECT_EQ(first.images, 5);
  EXPECT_EQ(first.nan_images, 1);
  EXPECT_EQ(first.metrics[0].value, 0.4);
  EXPECT_EQ(first.metrics[1].value, 0.6);
  EXPECT_EQ(classification_task().headline(second.samples), 0.4);
  const PairedComparison paired = classification_task().compare(first, second);
  EXPECT_EQ(paired.images, 5);
  EXPECT_EQ(paired.discordant_up, 1);
  EXPECT_EQ(paired.discordant_down, 1);
  EXPECT_EQ(paired.diff, 0);
  EXPECT_EQ(paired.p, 1);
  EXPECT_EQ(paired.agreement, 0.4);  // the first image, and the NaN
  EXPECT_EQ(paired.logits.images, 3);
  EXPECT_NEAR(paired.logits.sqnr_db(), 10 * std::log10(25.0 / 4), 1e-12);
  EXPECT_NEAR(paired.logits.mean_kl(), 1.0 / 3, 1e-12);
}

TEST(ClassificationTask, TruthMustBeAClass) {
  const auto scorer = classification_scorer(10);
  EXPECT_NO_THROW(scorer->check_truth(Labels({0, 9}), 0, 2));
  EXPECT_THROW(scorer->check_truth(Labels({0, 10}), 0, 2), Error);
  EXPECT_NO_THROW(scorer->check_truth(Labels({0, 10}), 0, 1));
  EXPECT_THROW(scorer->check_truth(Labels({-1}), 0, 1), Error);
}

TEST(ClassificationTask, ForgedScoresAreImpossible) {
  const auto scorer = classification_scorer(10);
  const Labels data({3});
  const auto possible = [&](const Score& score) { return scorer->possible(score, data, 0); };
  for (const Score& score : {Score{3, 3, 1}, Score{3, 9, 0}, Score{3, 0, 5}, Score{3, -1, 0}})
    EXPECT_TRUE(possible(score)) << score[1];
  const double nan = std::nan("");
  for (const Score& score : {Score{}, Score{3, 3}, Score{4, 3, 0}, Score{3, 3, 0}, Score{3, 2, 1}, Score{3, 10, 0},
                             Score{3, 2, 6}, Score{3, -1, 2}, Score{3, 2.5, 0}, Score{3, nan, 0}, Score{3, -2, 0},
                             Score{3, 1e30, 0}, Score{nan, 3, 1}, Score{3, 2, nan}, Score{3, 3, 1, 0}})
    EXPECT_FALSE(possible(score)) << testing::PrintToString(score);
  EXPECT_TRUE(scorer->possible_pair({1}));
  EXPECT_TRUE(scorer->possible_pair({0, 1, 2, -1e-12}));
  for (const Score& pair : {Score{}, Score{2}, Score{1, 2}, Score{1, -1, 0, 0}, Score{1, nan, 0, 0},
                            Score{1, 1, HUGE_VAL, 0}, Score{1, 1, 1, nan}, Score{nan}})
    EXPECT_FALSE(scorer->possible_pair(pair)) << testing::PrintToString(pair);
}

// As they always were.
TEST(ClassificationTask, FieldsOfAResult) {
  const AccuracyResult result = result_of({{1, 1, 1}, {1, 2, 2}});
  std::string names;
  for (const ResultField& field : classification_task().fields(result)) names += field.name + ' ';
  EXPECT_EQ(names, "images top1 top5 top1_ci95 top1_count top5_count nan_images correct_bits ");
  names.clear();
  for (const ResultField& field : classification_task().fields(classification_task().compare(result, result)))
    names += field.name + ' ';
  EXPECT_EQ(names, "top1_diff top1_diff_ci95 discordant_up discordant_down mcnemar_p agreement ");
}

}  // namespace
}  // namespace gpueval
