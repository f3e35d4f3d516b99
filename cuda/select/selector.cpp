// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/selector.h"

#include <fmt/ranges.h>

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
  const Candidates wanted = prefer(all, options_.forced);
  if (wanted.size() == 1) return *wanted.front();
  std::optional<KernelTimer> timer;
  return *cheapest(wanted, [&](const ConvKernel& row) {
    return options_.timed ? measured(row, problem, timer) : emulated_cost(row, problem);
  });
}

double KernelSelector::measured(const ConvKernel& row, const ConvProblem& problem, std::optional<KernelTimer>& timer) {
  const std::string text = to_string(problem);
  if (const auto known = cache_.find(text, row.name)) return *known;
  if (!timer) timer.emplace(runtime_, problem, stream_);
  const double microseconds = timer->microseconds(row);
  cache_.store(text, row.name, microseconds);
  return microseconds;
}

}  // namespace gpueval::cuda
