// SPDX-License-Identifier: Apache-2.0
// Chooses the kernel of each integer convolution of a network: by time where a GPU measures it (kept in a file), by an
// estimate under the emulator, so that its choice is the same everywhere.
#pragma once

#include <string>
#include <vector>

#include "cuda/runtime/runtime.h"
#include "cuda/select/choice.h"
#include "cuda/select/tuning_cache.h"
#include "cuda/selftest/record.h"

namespace gpueval::cuda {

struct SelectorOptions {
  std::string forced;         // a kernel's name or a part of it; empty: none
  bool timed = false;         // else estimated
  std::string cache_path;     // of the times; empty: not kept
  std::string selftest_path;  // of what the self-test found (selftest/record.h); empty: no kernel is left out
};

class KernelSelector {
 public:
  // Usage error that lists the kernels where nothing has the forced name, or that tells what the self-test found where
  // all that have it failed. stream: timings run on it.
  KernelSelector(Runtime& runtime, const SelectorOptions& options, Stream stream);
  // The best row that did not fail the self-test; a forced one where it does the problem. Error naming layer and
  // problem where no row does it.
  const ConvKernel& choose(const ConvProblem& problem, const std::string& layer);
  // The row that does a problem with its pool, where it is faster than `plain`, the row chosen for the convolution, and
  // the pool one after the other; null: those two. Where nothing is timed, null unless such a row is forced. Where
  // something else is forced, null.
  const ConvKernel* choose_pooled(const ConvProblem& problem, const ConvKernel& plain);
  bool failed(const std::string& kernel) const { return selftest_.failure(kernel).has_value(); }  // the self-test
  TuningCache& times() { return cache_; }
  void save() { cache_.save(); }
  std::vector<std::string> notes() const;

 private:
  void check_forced() const;
  Candidates usable(const ConvProblem& problem) const;  // that did not fail the self-test
  const ConvKernel& fastest(const Candidates& wanted, const ConvProblem& problem);
  double microseconds(const ConvKernel& row, const ConvProblem& problem);
  double pool_microseconds(const ConvProblem& problem);
  // From the cache, else measured and put there.
  template <typename Measure>
  double cached(const std::string& problem, const std::string& kernel, Measure&& measure);

  Runtime& runtime_;
  SelectorOptions options_;
  Stream stream_;
  TuningCache cache_;
  SelftestRecord selftest_;
};

}  // namespace gpueval::cuda
