// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/selector.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "cuda/select/kernel_timer.h"
#include "cuda/select/problem_text.h"
#include "gpueval/error.h"

namespace gpueval::cuda {

KernelSelector::KernelSelector(Runtime& runtime, const SelectorOptions& options, Stream stream)
    : runtime_(runtime),
      options_(options),
      stream_(stream),
      cache_(options.timed ? options.cache_path : "",
             tuning_key(runtime.properties(), runtime.conv_kernels(), build_revision())) {
  if (options.forced.empty() || any_matches(runtime.conv_kernels(), options.forced)) return;
  std::vector<std::string> names;
  for (const ConvKernel& row : runtime.conv_kernels()) names.emplace_back(row.name);
  fail_usage("--kernel {}: no kernel of this device has that in its name; it has: {}", options.forced,
             fmt::join(names, ", "));
}

const ConvKernel& KernelSelector::choose(const ConvProblem& problem, const std::string& layer) {
  const Candidates all = candidates(runtime_.conv_kernels(), problem, runtime_.properties().sm);
  if (all.empty()) {
    fail("layer '{}': no CUDA kernel does {} with compute capability {}", layer, to_string(problem),
         runtime_.properties().sm);
  }
  const Candidates wanted =
      options_.forced.empty() && options_.timed ? without_naive(all) : prefer(all, options_.forced);
  if (wanted.size() == 1) return *wanted.front();
  if (!options_.timed) return *cheapest(wanted, [&](const ConvKernel& row) { return emulated_cost(row, problem); });
  return fastest(wanted, problem);
}

const ConvKernel& KernelSelector::fastest(const Candidates& wanted, const ConvProblem& problem) {
  constexpr double kHopeless = 3;  // times the best so far: not worth a second sample
  const std::string text = to_string(problem);
  std::optional<KernelTimer> timer;
  double least = std::numeric_limits<double>::infinity();
  const ConvKernel& best = *cheapest(wanted, [&](const ConvKernel& row) {
    std::optional<double> microseconds = cache_.find(text, row.name);
    if (!microseconds) {
      if (!timer) timer.emplace(runtime_, problem, stream_);
      microseconds = timer->microseconds(row, kHopeless * least);
      cache_.store(text, row.name, *microseconds);
    }
    least = std::min(least, *microseconds);
    return *microseconds;
  });
  return best;
}

}  // namespace gpueval::cuda
