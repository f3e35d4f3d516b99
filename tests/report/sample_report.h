// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpueval/report.h"

namespace gpueval::test {

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
    run.accuracy = AccuracyResult{500, 282, 393, 0, {}, std::vector<bool>(500, false), std::string(64, 'c')};
    for (std::size_t i = 0; i < 282; ++i) run.accuracy->correct[i] = true;
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
  int8.accuracy->top1 = 280;
  int8.accuracy->correct[0] = int8.accuracy->correct[1] = int8.accuracy->correct[2] = false;
  int8.accuracy->correct[400] = true;
  int8.vs_first = PairedComparison{500, -0.004, {-0.012, 0.004}, 1, 3, 0.625, 0.95};
  int8.speed->images_per_second = 3100;
  int8.speed->vs_first = SpeedRatio{3.1, {3.0, 3.25}};
  return report;
}

}  // namespace gpueval::test
