// SPDX-License-Identifier: Apache-2.0
// The cases of tests/golden/metrics: pictures from a kind and a seed, draw for draw as scripts/make_metric_goldens.py.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/random.h"
#include "gpueval/truth.h"
#include "task/detection/matching.h"

namespace gpueval::test {

inline nlohmann::json metric_golden(const std::string& name) {
  const std::string path = std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/metrics/" + name;
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return nlohmann::json::parse(file);
}

struct CasePicture {
  std::vector<TruthBox> truth;
  std::vector<Detection> detections;
};

class DetectionCase {
 public:
  DetectionCase(const nlohmann::json& kind, std::uint64_t seed) : kind_(kind), random_(seed) {
    const int count = between("pictures");
    categories = between("categories");
    for (int i = 0; i < count; ++i) pictures.push_back(picture());
  }

  std::vector<Score> scores() const {
    std::vector<Score> result;
    for (const CasePicture& picture : pictures) result.push_back(detection_score(picture.detections, picture.truth));
    return result;
  }

  int categories = 0;
  std::vector<CasePicture> pictures;

 private:
  int between(const char* name) {
    const nlohmann::json& range = kind_.at(name);
    return random_.integer(range[0], range[1]);
  }
  bool chance(double probability) { return random_.uniform() < probability; }
  bool chance(const char* name) { return chance(kind_.at(name).get<double>()); }

  double number(int lo, int hi) {
    return kind_.at("whole").get<bool>() ? random_.integer(lo, hi) : random_.uniform(lo, hi);
  }
  double edge() { return number(kind_.at("size")[0], kind_.at("size")[1]); }
  double shift() { return number(-kind_.at("jitter").get<int>(), kind_.at("jitter")); }

  Box random_box() {
    Box box;
    box.x = number(0, kind_.at("places"));
    box.y = number(0, kind_.at("places"));
    box.width = edge();
    box.height = edge();
    return box;
  }

  TruthBox random_truth() {
    TruthBox truth;
    truth.category = random_.integer(0, categories - 1);
    truth.box = random_box();
    if (chance("edge")) truth.box.width = truth.box.height = chance(0.5) ? 32 : 96;
    truth.area = truth.box.area();
    if (chance("mask")) truth.area *= random_.uniform(0.3, 1);
    truth.crowd = chance("crowd");
    truth.difficult = chance("difficult");
    return truth;
  }

  Box near_box(Box box) {
    if (chance("nested")) {
      box.width = box.width * random_.integer(10, 20) / 20;
      return box;
    }
    box.x += shift();
    box.y += shift();
    box.width = std::max(0.0, box.width + shift());
    box.height = std::max(0.0, box.height + shift());
    return box;
  }

  Detection random_detection(const std::vector<TruthBox>& truths) {
    Detection detection;
    if (!truths.empty() && chance("near")) {
      const TruthBox& truth = truths[static_cast<std::size_t>(random_.integer(0, static_cast<int>(truths.size()) - 1))];
      detection.category = truth.category;
      if (chance(0.1)) detection.category = random_.integer(0, categories - 1);
      detection.box = near_box(truth.box);
    } else {
      detection.category = random_.integer(0, categories - 1);
      detection.box = random_box();
    }
    const int steps = kind_.at("score_steps");
    detection.score = steps > 0 ? static_cast<double>(random_.integer(0, steps)) / steps : random_.uniform();
    return detection;
  }

  CasePicture picture() {
    CasePicture result;
    for (int left = between("truth"); left > 0; --left) result.truth.push_back(random_truth());
    for (int left = between("detections"); left > 0; --left)
      result.detections.push_back(random_detection(result.truth));
    return result;
  }

  const nlohmann::json& kind_;
  Random random_;
};

}  // namespace gpueval::test
