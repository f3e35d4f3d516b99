// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "gpueval/accuracy.h"
#include "gpueval/classification.h"
#include "gpueval/report.h"

namespace gpueval::test {

// Classes of 500 images; which of them have the label in the first place, and how many among five.
inline AccuracyResult classified(const std::vector<bool>& correct, std::size_t top5) {
  AccuracyResult result;
  for (const bool right : correct)
    result.samples.push_back(to_score({.label = 1, .predicted = right ? 1 : 2, .place = right ? 1 : 0}));
  std::size_t others = top5 - static_cast<std::size_t>(std::count(correct.begin(), correct.end(), true));
  for (Score& sample : result.samples) {
    if (others == 0) break;
    if (class_score(sample).place == 0) {
      sample = to_score({.label = 1, .predicted = 2, .place = 3});
      --others;
    }
  }
  result.image_sha256.assign(correct.size(), std::string(32, 'x'));
  summarise(classification_task(), result);
  result.logits_sha256 = std::string(64, 'c');
  return result;
}

// 500 images, 100 + 1 discordant; float32 and int8, accuracy and speed.
inline Report sample_report() {
  Report report;
  report.tool = {"0.1.0", "0123456789ab"};
  report.host = {"Some CPU @ 3 GHz", 2, 2, "Linux", "gcc"};
  report.command = "gpu_eval --model mobilenet";
  report.device_description = "Some CPU @ 3 GHz, 2 threads, int8: avx2";
  report.model = {"mobilenet",          0.25, true, "", {1, 224, 224, 3}, 1000, 475544, 41030272, "weights.h5",
                  std::string(64, 'a'), {}};
  report.data = DataReport{"val.pkl",
                           "pickle",
                           "crop224_tf",
                           100,
                           502,
                           std::string(64, 'b'),
                           {{117, "image 117", "cut off"}, {118, "image 118", "empty"}},
                           0,
                           3.25};
  report.calibration = CalibrationReport{"data", "val.pkl", 100, true, {}};
  report.speed_input = "data";
  for (const char* precision : {"float32", "int8"}) {
    RunReport run;
    run.precision = precision;
    run.device = "cpu";
    std::vector<bool> correct(500, false);
    std::fill_n(correct.begin(), 282, true);
    if (precision == std::string("int8")) {
      std::fill_n(correct.begin(), 3, false);
      correct[400] = true;
    }
    run.accuracy = classified(correct, 393);
    run.speed = SpeedResult{};
    run.speed->samples = 3000;
    run.speed->seconds = 3;
    run.speed->images_per_second = 1000;
    run.speed->percentiles_ms = {{50, 1}, {90, 1.25}, {99, 2.5}};
    run.speed->valid = true;
    run.layers = {{{"conv1", "Conv2D", "some_kernel", "n1h224", 2'000'000, 4096}, 0.5}};
    report.runs.push_back(run);
  }
  RunReport& int8 = report.runs[1];
  int8.scheme = "maxabs";
  int8.activations = "u8";
  int8.vs_first = PairedComparison{.images = 500,
                                   .diff = -0.004,
                                   .diff_ci95 = {-0.012, 0.004},
                                   .p = 0.625,
                                   .agreement = 0.95,
                                   .discordant_up = 1,
                                   .discordant_down = 3};
  int8.speed->images_per_second = 3100;
  int8.speed->vs_first = SpeedRatio{3.1, {3.0, 3.25}};
  return report;
}

}  // namespace gpueval::test
