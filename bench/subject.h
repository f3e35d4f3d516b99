// SPDX-License-Identifier: Apache-2.0
// What is timed: one convolution by one kernel on one device, ready to run.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench_row.h"
#include "cuda/runtime/runtime.h"
#include "gpueval/conv_desc.h"
#include "gpueval/error.h"
#include "problem.h"

namespace gpueval::bench {

// There is no kernel for the shape: a row that says why, not an error.
class Unsupported : public Error {
 public:
  explicit Unsupported(const std::string& why) : Error(why) {}
};

class Subject {
 public:
  virtual ~Subject() = default;
  // Seconds of one run, data and weights as the run before left them in the caches (mean of bundle() runs timed as
  // one).
  virtual double hot() = 0;
  virtual int bundle() const { return 1; }
  // Seconds of one run behind a flush of the last-level cache.
  virtual double cold() = 0;
  // Empty, or what is wrong with the last result.
  virtual std::string verify() const = 0;
  // The algorithm that a library chose; empty for our own kernels.
  virtual std::string describe() const { return ""; }
};

// A row of the table with the means to measure it. No `make`: the row says why in its note.
struct Case {
  Row row;
  std::function<std::unique_ptr<Subject>()> make;
};

// CPU: our int8 kernels, oneDNN's float32 and int8.
std::vector<Case> cpu_cases(const std::string& network, const ConvDesc& desc, int threads);
// A device that runs the kernels of cuda/: rows of kernels.inc, and on a GPU the libraries' convolutions.
std::vector<Case> device_cases(cuda::Runtime& runtime, const std::string& device, const std::string& network,
                               const ConvDesc& desc);

}  // namespace gpueval::bench
