// SPDX-License-Identifier: Apache-2.0
// Shards of a measurement, joined: the very result of the undivided one.
#include <gtest/gtest.h>

#include <algorithm>

#include "gpueval/error.h"
#include "gpueval/session.h"

namespace gpueval::test {
namespace {

class Merge : public testing::Test {
 protected:
  static Report measured(std::optional<Shard> shard, std::uint64_t limit = 50) {
    Plan plan;
    plan.model.name = "demo";
    plan.device = "cpu";
    plan.data.limit = limit;
    plan.calibration.images = 16;
    plan.rows = {{Precision::kFloat32}, {.precision = Precision::kInt8, .recipe = {.scheme = Scheme::kMaxAbs}}};
    plan.accuracy.emplace();
    plan.shard = shard;
    Observer silent;
    return measure(plan, silent);
  }
  static void SetUpTestSuite() {
    shards_ = new std::vector<Report>;
    for (const int index : {1, 2, 3}) shards_->push_back(measured(Shard{index, 3}));
  }
  static void TearDownTestSuite() { delete shards_; }
  static std::string refusal(std::vector<Report> shards) {
    try {
      merge(std::move(shards));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  inline static std::vector<Report>* shards_ = nullptr;
};

TEST_F(Merge, GivesTheUndividedResult) {
  const Report whole = measured({});
  EXPECT_EQ((*shards_)[0].runs[0].accuracy->images, 16);  // 50 images: 16, 17, 17
  EXPECT_EQ((*shards_)[2].runs[0].accuracy->images, 17);
  const Report merged = merge({(*shards_)[2], (*shards_)[0], (*shards_)[1]});
  EXPECT_FALSE(merged.shard);
  EXPECT_EQ(merged.warnings, whole.warnings);
  EXPECT_EQ(merged.notes, whole.notes);
  EXPECT_EQ(merged.data->indices_sha256, whole.data->indices_sha256);
  ASSERT_EQ(merged.runs.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const AccuracyResult &a = *merged.runs[i].accuracy, &b = *whole.runs[i].accuracy;
    EXPECT_EQ(a.images, 50);
    EXPECT_EQ(a.samples, b.samples);
    EXPECT_EQ(a.pairs, b.pairs);
    EXPECT_EQ(a.logits_tree_sha256, b.logits_tree_sha256);
    EXPECT_EQ(a.logits_tree_sha256.size(), 64u);
    EXPECT_EQ(a.logits_sha256, "");
    EXPECT_EQ(a.headline(), b.headline());
  }
  const PairedComparison &a = *merged.runs[1].vs_first, &b = *whole.runs[1].vs_first;
  EXPECT_EQ(a.images, 50);
  EXPECT_EQ(a.p, b.p);
  EXPECT_EQ(a.diff, b.diff);
  EXPECT_EQ(a.agreement, b.agreement);
  EXPECT_EQ(a.logits.sqnr_db(), b.logits.sqnr_db());
}

TEST_F(Merge, WhatDoesNotBelongTogetherIsRefused) {
  const std::vector<Report>& s = *shards_;
  EXPECT_EQ(refusal({}), "merge: there is no shard");
  EXPECT_EQ(refusal({s[0], s[1]}), "merge: shard 3 of 3 is missing");
  EXPECT_EQ(refusal({s[0], s[1], s[1], s[2]}), "merge: shard 2 of 3 is there twice");
  EXPECT_EQ(refusal({measured({})}), "merge: a result is of no shard of an accuracy run");
  Report other = s[2];
  other.interrupted = true;
  EXPECT_EQ(refusal({s[0], s[1], other}), "merge: shard 3 of 3 was interrupted; finish it first");
  other = s[2];
  other.model.weights_sha256 = "another";
  EXPECT_EQ(refusal({s[0], s[1], other}),
            "merge: shard 3 of 3 is of another measurement: network, weights, rows, images or preprocessing differ");
  other = s[2];
  other.runs[1].quantization->calibration_images = 17;
  EXPECT_NE(refusal({s[0], s[1], other}), "");
  EXPECT_NE(refusal({s[0], s[1], measured(Shard{3, 3}, 49)}), "");
}

TEST_F(Merge, ShardsThatCannotBe) {
  const auto message = [](Shard shard) {
    try {
      measured(shard, 2);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message({0, 3}), "shard 0 of 3: they count from 1");
  EXPECT_EQ(message({4, 3}), "shard 4 of 3: they count from 1");
  EXPECT_EQ(message({1, 3}), "shard 1 of 3 has none of the 2 judged images");
}

}  // namespace
}  // namespace gpueval::test
