// SPDX-License-Identifier: Apache-2.0
// Choosing a recipe by measurement. Each candidate is calibrated on some images and its outputs are compared with
// float32's on others; no label is used.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/accuracy.h"
#include "gpueval/engine.h"
#include "gpueval/quant.h"

namespace gpueval {

struct SchemeResult {
  LogitError error;  // of a classifier's logits, else of all outputs, with KL 0
  std::int64_t images = 0;
  std::optional<std::int64_t> same_class;  // of a classifier: as float32's top-1
};

struct SchemeImages {
  CalibrationImages calibration, held_out;  // disjoint
};

struct SchemeDevice {
  std::string device = "auto", kernel;
};

// One result a candidate, in order. progress(candidate, done, total) may be empty.
std::vector<SchemeResult> try_schemes(const Graph& bound, const SchemeImages& images,
                                      const std::vector<QuantOptions>& candidates, const SchemeDevice& device,
                                      const std::function<void(std::size_t candidate, int done, int total)>& progress);

// The one with the highest SQNR; of equal ones the first.
std::size_t best_scheme(const std::vector<SchemeResult>& results);

}  // namespace gpueval
