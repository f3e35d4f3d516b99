// SPDX-License-Identifier: Apache-2.0
// Calibration methods: the range [0, r] that a tensor's integers cover, from a histogram of its |x|. s8 and u8 tensors
// are treated alike but for their number of levels: 127 or 255 steps of r / 127 or r / 255.
// A method is one file and one line in calibrators.inc.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gpueval/quant.h"

namespace gpueval {

// |x| of a tensor over all calibration images. Bin i counts x with i * max / bins < |x| <= (i + 1) * max / bins, up to
// the rounding of float32. Exact zeros, which every scale represents, are counted apart.
struct Histogram {
  static constexpr int kBins = 8192;
  float max = 0;
  std::vector<std::uint64_t> counts = {};
  std::uint64_t zeros = 0;

  double width() const { return static_cast<double>(max) / static_cast<double>(counts.size()); }
  std::uint64_t total() const;  // with zeros
};

struct CalibratorSpec {
  std::string name;  // as --scheme has it
  std::string description;
  Scheme scheme;
  bool needs_histogram;  // false: the largest magnitude is enough
  // In (0, max]; 0 only where max is 0. dtype is kS8 or kU8.
  float (*range)(const Histogram& histogram, DType dtype, const QuantOptions& options);
};

const std::vector<CalibratorSpec>& calibrators();    // every row of calibrators.inc, in its order
const CalibratorSpec& calibrator_of(Scheme scheme);  // kBest: mse
int largest_integer(DType dtype);                    // 127 or 255

// Range of every node's tensor of the float32 engine (of lower_float's graph) by name. One pass over the images for the
// largest magnitudes, a second one for histograms where the method needs them: kBins counts a tensor and thread are
// held, no tensor. Counts are integers, so the result does not depend on the number of threads.
std::map<std::string, float> calibrated_ranges(Engine& float_engine, const CalibrationImages& images, int batch,
                                               const QuantOptions& options);

// The second pass alone: a histogram for each name in max_abs (as observe_ranges found them).
std::map<std::string, Histogram> collect_histograms(Engine& float_engine, const CalibrationImages& images, int batch,
                                                    const std::map<std::string, float>& max_abs);

}  // namespace gpueval
