// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/selector.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "cuda/runtime/tables.h"
#include "cuda/select/kernel_timer.h"
#include "cuda/select/problem_text.h"
#include "cuda/selftest/check.h"
#include "gpueval/error.h"

namespace gpueval::cuda {

KernelSelector::KernelSelector(Runtime& runtime, const SelectorOptions& options, Stream stream)
    : runtime_(runtime),
      options_(options),
      stream_(stream),
      cache_(options.timed ? options.cache_path : "",
             tuning_key(runtime.properties(), conv_kernels_of(runtime), build_revision())),
      selftest_(options.selftest_path, tuning_key(runtime.properties(), conv_kernels_of(runtime), build_revision())) {
  if (!options.forced.empty()) check_forced();
}

void KernelSelector::check_forced() const {
  const auto rows = conv_kernels_of(runtime_);
  const ConvKernel* refused = nullptr;
  for (const ConvKernel& row : rows) {
    if (!matches(row, options_.forced)) continue;
    if (!failed(row.name)) return;
    if (refused == nullptr) refused = &row;
  }
  if (refused != nullptr) {
    fail_usage("--kernel {}: {} failed the self-test on this device ({}); `gpu_eval selftest` tests it again",
               options_.forced, refused->name, *selftest_.failure(refused->name));
  }
  std::vector<std::string> names;
  for (const ConvKernel& row : rows) names.emplace_back(row.name);
  fail_usage("--kernel {}: no kernel of this device has that in its name; it has: {}", options_.forced,
             fmt::join(names, ", "));
}

std::vector<std::string> KernelSelector::notes() const {
  std::vector<std::string> notes = cache_.notes();
  notes.insert(notes.end(), selftest_.notes().begin(), selftest_.notes().end());
  std::vector<std::string> kernels, operations;
  for (const ConvKernel& row : conv_kernels_of(runtime_)) {
    if (failed(row.name)) kernels.emplace_back(row.name);
  }
  for (const OperationCheck& row : operation_checks()) {
    if (failed(row.name) && !row.replaced) operations.emplace_back(row.name);
  }
  constexpr const char* kAgain = "`gpu_eval selftest` tests again";
  if (!kernels.empty()) {
    notes.push_back(fmt::format("Left out, because they failed the self-test on this device: {}; {}.",
                                fmt::join(kernels, ", "), kAgain));
  }
  if (!operations.empty()) {
    notes.push_back(fmt::format("Failed the self-test on this device, so that results may be wrong: {}; {}.",
                                fmt::join(operations, ", "), kAgain));
  }
  return notes;
}

Candidates KernelSelector::usable(const ConvProblem& problem) const {
  Candidates all = candidates(conv_kernels_of(runtime_), problem, runtime_.properties().sm);
  std::erase_if(all, [&](const ConvKernel* row) { return failed(row->name); });
  return all;
}

const ConvKernel& KernelSelector::choose(const ConvProblem& problem, const std::string& layer) {
  const Candidates all = usable(problem);
  if (all.empty() && !candidates(conv_kernels_of(runtime_), problem, runtime_.properties().sm).empty()) {
    fail("layer '{}': every CUDA kernel that does {} failed the self-test on this device; `gpu_eval selftest` has more",
         layer, to_string(problem));
  }
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

const ConvKernel* KernelSelector::choose_pooled(const ConvProblem& problem, const ConvKernel& plain) {
  Candidates wanted = usable(problem);
  if (!options_.forced.empty()) {
    std::erase_if(wanted, [&](const ConvKernel* row) { return !matches(*row, options_.forced); });
  } else if (!options_.timed) {
    return nullptr;
  }
  if (wanted.empty()) return nullptr;
  if (!options_.timed) return cheapest(wanted, [&](const ConvKernel& row) { return emulated_cost(row, problem); });
  const ConvKernel& best = wanted.size() == 1 ? *wanted.front() : fastest(wanted, problem);
  if (!options_.forced.empty() && !matches(plain, options_.forced)) return &best;
  ConvProblem apart = problem;
  apart.pool.reset();
  return microseconds(best, problem) < microseconds(plain, apart) + pool_microseconds(problem) ? &best : nullptr;
}

template <typename Measure>
double KernelSelector::cached(const std::string& problem, const std::string& kernel, Measure&& measure) {
  const std::optional<double> known = cache_.find(problem, kernel);
  if (known) return *known;
  const double measured = measure();
  cache_.store(problem, kernel, measured);
  return measured;
}

double KernelSelector::microseconds(const ConvKernel& row, const ConvProblem& problem) {
  return cached(to_string(problem), row.name,
                [&] { return KernelTimer(runtime_, problem, stream_).microseconds(row); });
}

double KernelSelector::pool_microseconds(const ConvProblem& problem) {
  return cached(to_string(problem), "max_pool",
                [&] { return KernelTimer(runtime_, problem, stream_).pool_microseconds(); });
}

const ConvKernel& KernelSelector::fastest(const Candidates& wanted, const ConvProblem& problem) {
  constexpr double kHopeless = 3;  // times the best so far: not worth a second sample
  const std::string text = to_string(problem);
  std::optional<KernelTimer> timer;
  double least = std::numeric_limits<double>::infinity();
  const ConvKernel& best = *cheapest(wanted, [&](const ConvKernel& row) {
    const double found = cached(text, row.name, [&] {
      if (!timer) timer.emplace(runtime_, problem, stream_);
      return timer->microseconds(row, kHopeless * least);
    });
    least = std::min(least, found);
    return found;
  });
  return best;
}

}  // namespace gpueval::cuda
