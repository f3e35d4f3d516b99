// SPDX-License-Identifier: Apache-2.0
// Which layers lose the accuracy of a static int8 network, and which few to leave in float32 for a given loss.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/accuracy.h"
#include "gpueval/quant.h"

namespace gpueval {

// Images to judge by: not those that the table was calibrated on.
struct JudgedImages {
  const Dataset& images;  // all of them
  Preprocessing preprocessing;
  const Task* task = nullptr;      // null: classification
  const Scorer* scorer = nullptr;  // the task's, of the network; null: of a classifier
};

struct SensitivityOptions {
  std::string device = "auto", kernel;
  int batch = 16;
  std::function<void(int done, int total)> progress = {};  // networks measured
};

// A network against the float32 one on the judged images.
struct Trial {
  double agreement = 1;            // share of the answers that are the same, as the task counts them
  double sqnr_db = 0;              // of the outputs, of logits each image's mean removed; infinite if equal
  std::optional<double> kl;        // of a classifier: mean of KL(softmax(float32) || softmax(trial))
  std::optional<double> headline;  // the task's first metric, a fraction; absent: nothing that it is of was judged
};

// What networks of mixed precision are tried on. The images are held in memory, preprocessed, and float32's outputs of
// them.
class Trials {
 public:
  // options: as for lower_static; its float_layers are replaced. All references must outlive the trials. Error where no
  // image can be decoded.
  Trials(const Graph& bound, const CalibrationTable& table, const QuantOptions& options, const JudgedImages& judged,
         SensitivityOptions how = {});
  ~Trials();

  const Graph& bound() const;
  const SensitivityOptions& how() const;
  const std::vector<SkippedImage>& skipped() const;  // could not be decoded
  const AccuracyResult& float32() const;             // by the same scores
  std::optional<double> float32_headline() const;    // absent: nothing that it is of was judged
  double loss(const Trial& trial) const;  // of the headline, a fraction; what a trial has none of is all lost
  // The int8 network with these layers in float32.
  Trial measure(const std::vector<std::string>& float_layers);

 private:
  class Images;
  const Graph& bound_;
  const CalibrationTable& table_;
  QuantOptions options_;
  const SensitivityOptions how_;
  std::unique_ptr<Images> images_;
};

// Bytes that Trials hold an image: its pixels and the float32 outputs.
std::size_t trial_bytes(const Graph& bound);

struct LayerSensitivity {
  std::string name, op;
  std::int64_t multiply_adds = 0;
  Trial alone;  // only this layer int8
  Trial rest;   // all but this layer int8
};

struct Sensitivity {
  Trial all_int8;
  // Most sensitive first: by noise(alone) + noise(all_int8) - noise(rest), noise = 10^(-sqnr_db / 10) being the error's
  // share of the outputs' power: what the layer brings by itself and what it takes along if it leaves.
  std::vector<LayerSensitivity> layers;
  int unmeasured = 0;  // layers that an interrupted run left out
};

// Measures every convolution and dense layer of lower_float's graph. "Int8" includes the tensors in front of and behind
// a layer; a layer in float32 next to others in float32 exchanges float32 with them. The trials' table holds
// corrections made for the network with every layer int8, and they stay.
Sensitivity measure_sensitivity(Trials& trials);

struct MixedPrecision {
  std::vector<std::string> float_layers;  // most sensitive first; empty: int8 throughout is good enough
  double loss = 0;                        // measured: float32's headline - the mixed network's, fraction
  Trial trial;
};

// The fewest layers in float32 with which the headline is at most target_loss (fraction, >= 0) below float32's: takes
// layers by the ranking until that is measured, then gives back each that is not needed. Greedy: fewer might do.
// The layers are chosen by these very images, so with few of them the loss on others is larger: judge the result by
// trials on others.
MixedPrecision find_mixed_precision(Trials& trials, const Sensitivity& ranking, double target_loss);

}  // namespace gpueval
