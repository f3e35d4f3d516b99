// SPDX-License-Identifier: Apache-2.0
// A detector's boxes found by a device against src/task/detection, bit for bit. It guards against ties that fall
// another way at a cut, lists that end at a block's or a word's border, scores and boxes that are no numbers, and
// pictures of a batch that mix.
#include <cmath>
#include <limits>

#include "cuda/engine/detection_pass.h"
#include "ops_case.h"
#include "support/found_boxes.h"

namespace gpueval::cuda {
namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();

struct Case {
  std::size_t priors = 300;
  int classes = 3;
  ScoreForm form = ScoreForm::kSoftmax;
  Background background = Background::kFirst;
  double score_threshold = 0.01, nms_threshold = 0.45;
  std::size_t keep_before_nms = 400, keep = 0;
  int images = 1;
  int steps = 0;           // different logits, offsets and priors: ties; 0: as they come
  double lo = -6, hi = 6;  // logits
  bool hostile = false;    // numbers that are none, or infinite, or huge among them
};

class DetectorOps : public OpsTest {
 protected:
  float number(const Case& c, double lo, double hi) {
    if (c.hostile && random_.integer(0, 15) == 0) {
      constexpr float kHostile[] = {kInfinite, -kInfinite, 3e38f, -3e38f, 1e-40f, -0.0f, 500.0f, -500.0f};
      const int which = random_.integer(0, 8);
      return which == 8 ? std::nanf("") : kHostile[which];
    }
    if (c.steps == 0) return static_cast<float>(random_.uniform(lo, hi));
    return static_cast<float>(lo + (hi - lo) * random_.integer(0, c.steps) / c.steps);
  }
  std::vector<float> numbers(const Case& c, std::size_t count, double lo, double hi) {
    std::vector<float> values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(number(c, lo, hi));
    return values;
  }
  Detector detector(const Case& c) {
    Priors priors{.background = c.background, .scores = c.form};
    priors.score_threshold = c.score_threshold;
    priors.nms_threshold = c.nms_threshold;
    priors.keep_before_nms = c.keep_before_nms;
    priors.keep = c.keep;
    for (int k = 0; k < c.classes; ++k) priors.classes.push_back(std::to_string(k));
    Case finite = c;
    finite.hostile = false;
    for (std::size_t i = 0; i < c.priors; ++i) {
      priors.boxes.push_back(
          {number(finite, 0, 1), number(finite, 0, 1), number(finite, 0.1, 0.4), number(finite, 0.1, 0.4)});
    }
    return {priors, {0, 1}};
  }

  std::vector<std::vector<FoundBox>> found_by_device(const DetectionPass& pass, const DeviceBuffer& offsets,
                                                     const DeviceBuffer& scores, int images) {
    ops();  // another order of execution
    pass.enqueue(offsets.data(), scores.data(), images, {});
    pass.enqueue_copy(images, {});
    runtime().synchronize(Stream{});
    std::vector<std::vector<FoundBox>> found(static_cast<std::size_t>(images));
    pass.read(found);
    return found;
  }

  // Returns how many boxes there are.
  std::size_t expect_like_host(const Case& c) {
    const Detector wanted = detector(c);
    const auto images = static_cast<std::size_t>(c.images);
    const auto channels = static_cast<std::size_t>(wanted.priors.score_channels());
    const std::vector<float> offsets = numbers(c, images * c.priors * 4, -2, 2);
    const bool parts = c.form == ScoreForm::kProbabilities;
    const std::vector<float> scores = numbers(c, images * c.priors * channels, parts ? 0 : c.lo, parts ? 1 : c.hi);
    const DeviceBuffer device_offsets = upload_all(runtime(), offsets), device_scores = upload_all(runtime(), scores);
    const DetectionPass pass(runtime(), wanted, c.images + 1, {});  // made for more
    std::size_t count = 0;
    for (int order = 0; order < (emulated() ? kOrders : 1); ++order) {
      const auto found = found_by_device(pass, device_offsets, device_scores, c.images);
      for (std::size_t i = 0; i < images; ++i) {
        const auto want = test::found_by_host(wanted.priors, offsets, scores, i);
        test::expect_equal_boxes(found[i], want, "image " + std::to_string(i));
        count += want.size();
      }
    }
    return count;
  }
};

TEST_P(DetectorOps, EveryFormOfScores) {
  for (const ScoreForm form : {ScoreForm::kProbabilities, ScoreForm::kSigmoid, ScoreForm::kSoftmax}) {
    for (const Background background : {Background::kNone, Background::kFirst, Background::kLast}) {
      for (const double threshold : {0.0, 0.01, 0.5, 0.999}) {
        SCOPED_TRACE(threshold);
        const std::size_t count = expect_like_host(
            {.priors = 90, .form = form, .background = background, .score_threshold = threshold, .images = 2});
        EXPECT_TRUE(threshold > 0.9 || count > 0);
      }
      EXPECT_EQ(expect_like_host({.priors = 40, .form = form, .background = background, .score_threshold = 1}), 0u);
    }
  }
}

// Few values: scores, boxes and what lies at a cut are tied many times over.
TEST_P(DetectorOps, TiesFallAsOnTheHost) {
  for (const int steps : {1, 2, 7}) {
    for (const std::size_t cut : {1u, 5u, 32u, 33u, 100u}) {
      SCOPED_TRACE(std::to_string(steps) + " steps, " + std::to_string(cut));
      EXPECT_GT(expect_like_host({.form = ScoreForm::kSigmoid,
                                  .background = Background::kNone,
                                  .keep_before_nms = cut,
                                  .keep = 2 * cut,
                                  .images = 2,
                                  .steps = steps}),
                0u);
      expect_like_host({.classes = 5, .nms_threshold = 0.9, .keep_before_nms = cut, .keep = cut + 1, .steps = steps});
    }
  }
}

TEST_P(DetectorOps, ListsEndAnywhere) {
  for (const std::size_t priors : {1u, 2u, 31u, 32u, 33u, 255u, 256u, 257u, 513u}) {
    for (const double overlap : {0.0, 0.45, 1.0}) {
      SCOPED_TRACE(std::to_string(priors) + " priors, IoU " + std::to_string(overlap));
      expect_like_host({.priors = priors,
                        .classes = 1,
                        .form = ScoreForm::kProbabilities,
                        .background = Background::kNone,
                        .nms_threshold = overlap,
                        .keep_before_nms = priors > 512 ? 512u : 0u,
                        .images = 2});
    }
  }
}

TEST_P(DetectorOps, NumbersThatAreNone) {
  std::size_t count = 0;
  for (const ScoreForm form : {ScoreForm::kProbabilities, ScoreForm::kSigmoid, ScoreForm::kSoftmax}) {
    for (const Background background : {Background::kNone, Background::kLast}) {
      count += expect_like_host(
          {.priors = 120, .form = form, .background = background, .keep = 50, .images = 3, .hostile = true});
      count += expect_like_host({.priors = 120, .classes = 1, .form = form, .background = background, .hostile = true});
    }
  }
  EXPECT_GT(count, 100u);
}

// An SSD's 8,732 priors and 20 classes: with scores that few pass, and with such that all would.
TEST_P(DetectorOps, OfAnSsd) {
  const Case usual{.priors = 8732, .classes = 20, .keep = 200, .lo = -6, .hi = 4};
  EXPECT_GT(expect_like_host(usual), 0u);
  Case crowded = usual;
  crowded.score_threshold = 0.001;
  crowded.nms_threshold = 0.95;
  EXPECT_EQ(expect_like_host(crowded) % 200, 0u);
}

TEST_P(DetectorOps, WhatTheKernelsDoNotTakeIsSaid) {
  EXPECT_EQ(DetectionPass::refusal(detector({.priors = 512, .keep_before_nms = 0})), "");
  EXPECT_EQ(DetectionPass::refusal(detector({.priors = 513, .keep_before_nms = 0})),
            "513 boxes of a class may go through suppression, its kernels take 512");
  EXPECT_NE(DetectionPass::refusal(detector({.score_threshold = -0.5})), "");
}

INSTANTIATE_TEST_SUITE_P(, DetectorOps, testing::Values("emu", "gpu"), op_device);

}  // namespace
}  // namespace gpueval::cuda
