// SPDX-License-Identifier: Apache-2.0
// The task `classification`: top-1, top-5, 95% intervals (Wilson 1927), exact McNemar test (McNemar 1947), interval of
// the difference (Bonett and Price 2012). The network's one output is its classes' logits, or a single logit of the
// second of two classes; an image whose logits hold a NaN counts as wrong. Of five classes or fewer every image has its
// label among the five, so that top-5 tells nothing and tables leave it out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gpueval/task.h"

namespace gpueval {

// The elements of the network's one output; of a single one, a logit of the second class, 2: the answer is class 1
// where it is above 0. 0 of networks that are no classifiers: several outputs, or one of several pixels.
int classes_of(const Graph& graph);
int classes_of(const Shape& output);

// What the score of an image says.
struct ClassScore {
  std::int32_t label = 0;
  std::int32_t predicted = -1;  // top-1 class; -1 where a logit is NaN
  std::int32_t place = 0;       // of the label among the five largest logits, from 1; 0: it is none of them

  bool top1() const { return place == 1; }
  bool top5() const { return place > 0; }
};
ClassScore class_score(const Score& sample);
Score to_score(const ClassScore& score);

struct ClassCounts {
  std::int64_t images = 0, top1 = 0, top5 = 0, nan_images = 0;
  std::int64_t one_below = 0;  // predictions that are the label - 1: many where labels count from 1
};
ClassCounts count_classes(std::span<const Score> samples);
std::vector<bool> correct_images(std::span<const Score> samples);

const Task& classification_task();
std::unique_ptr<Scorer> classification_scorer(int classes);

}  // namespace gpueval
