// SPDX-License-Identifier: Apache-2.0
// Activation clips with the least mean squared rounding error, and what other clips of a channel cost, in two passes of
// the float32 network.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gpueval/quant.h"
#include "quant/recipe/zero_points.h"

namespace gpueval {

constexpr int kStepsAnOctave = 8;                   // a ninth more or less
constexpr int kClipSteps = 6 * kStepsAnOctave + 6;  // down to about a hundredth
constexpr int kMostFolds = 8;                       // parts that the images are dealt into: first ones, next ones, ...
// A channel's clip at a step, in units of its tensor's largest value: 2^(-step / 8).
float clip_ratio(int step);

// [step][channel]: squared rounding and clipping errors of a u8 tensor over some images.
using StepErrors = std::vector<std::vector<double>>;

struct Clips {
  float tensor = 0;                    // what all of it is clipped at
  float largest = 0;                   // magnitude
  std::vector<StepErrors> folds = {};  // where channels were asked for; one of a single image
  ZeroPoint codes = {};                // where a zero point was asked for, and a search
};

struct ClipRequest {
  int levels = 127;         // 255 (u8) or 127 (s8)
  bool channels = false;    // each channel's errors too
  bool zero_point = false;  // range and zero point with the least error behind `functions`, or of the tensor itself
  std::vector<Function> functions = {};
};

// Images that are `copies` versions of the same ones, one version after the other: those of one are in one fold.
struct ClipImages {
  const CalibrationImages& images;
  int copies = 1;
};

// request: per node of lower_float(bound). search: the best of kClipGrid times the largest magnitude, over some 25,000
// evenly spread pixels; else the largest magnitude itself. By node name.
std::map<std::string, Clips> find_clips(Engine& float_engine, const ClipImages& images,
                                        const std::vector<ClipRequest>& request, bool search, int batch);

}  // namespace gpueval
