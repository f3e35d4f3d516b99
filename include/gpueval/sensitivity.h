// SPDX-License-Identifier: Apache-2.0
// Which layers lose the accuracy of a static int8 network, and which few to leave in float32 for a given loss.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/quant.h"

namespace gpueval {

// Images to judge by: not those that the table was calibrated on. Held in memory, preprocessed (0.6 MB each at 224).
struct JudgedImages {
  CalibrationImages images;
  std::vector<int> labels = {};  // in their order; empty: no top-1
};

struct SensitivityOptions {
  std::string device = "auto", kernel;
  int batch = 16;
  std::function<void(int done, int total)> progress = {};  // networks measured
};

// A network against the float32 one on the judged images.
struct Trial {
  double agreement = 1;        // share of images with the same top-1 class
  double sqnr_db = 0;          // of the logits, each image's mean removed; infinite if equal
  double kl = 0;               // mean of KL(softmax(float32) || softmax(trial))
  std::optional<double> top1;  // fraction
};

struct LayerSensitivity {
  std::string name, op;
  std::int64_t multiply_adds = 0;
  Trial alone;  // only this layer int8
  Trial rest;   // all but this layer int8
};

struct Sensitivity {
  int images = 0;
  std::optional<double> float_top1;
  Trial all_int8;
  // Most sensitive first: by noise(alone) + noise(all_int8) - noise(rest), noise = 10^(-sqnr_db / 10) being the error's
  // share of the logits' power: what the layer brings by itself and what it takes along if it leaves.
  std::vector<LayerSensitivity> layers;
  int unmeasured = 0;  // layers that an interrupted run left out
};

// Measures every convolution and dense layer of lower_float's graph. options: as for lower_static; its float_layers are
// replaced. "Int8" includes the tensors in front of and behind a layer; a layer in float32 next to others in float32
// exchanges float32 with them. table holds corrections made for the network with every layer int8, and they stay.
Sensitivity measure_sensitivity(const Graph& bound, const CalibrationTable& table, const QuantOptions& options,
                                const JudgedImages& judged, const SensitivityOptions& how = {});

struct MixedPrecision {
  std::vector<std::string> float_layers;  // most sensitive first; empty: int8 throughout is good enough
  double loss = 0;                        // measured: float32's top-1 - the mixed network's, fraction
  Trial trial;
};

// The fewest layers in float32 with which top-1 is at most target_loss (fraction, >= 0) below float32's on the judged
// images: takes layers by the ranking until that is measured, then gives back each that is not needed. Greedy: fewer
// might do. Labels are needed.
// The layers are chosen by these very images, so with few of them the loss on others is larger: judge the result on
// others, with judge_network().
MixedPrecision find_mixed_precision(const Graph& bound, const CalibrationTable& table, const QuantOptions& options,
                                    const JudgedImages& judged, const Sensitivity& ranking, double target_loss,
                                    const SensitivityOptions& how = {});

// One network, options.float_layers in float32, on images that had no part in choosing it.
struct Verdict {
  int images = 0;
  std::optional<double> float_top1;
  Trial all_int8, trial;  // of every layer int8, of the network
};
Verdict judge_network(const Graph& bound, const CalibrationTable& table, const QuantOptions& options,
                      const JudgedImages& judged, const SensitivityOptions& how = {});

}  // namespace gpueval
