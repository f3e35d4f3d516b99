// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/choice.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>

#include "core/round_up.h"

namespace gpueval::cuda {
namespace {

double padded(std::int64_t size, int tile) { return static_cast<double>(round_up(size, tile)); }

// What a product costs on the host, naive = 1.
double family_weight(ConvFamily family) {
  switch (family) {
    case ConvFamily::kNaive:
      return 1;
    case ConvFamily::kDp4a:
      return 0.3;
    case ConvFamily::kMma:
    case ConvFamily::kMmaM8N8K16:
    case ConvFamily::kWgmma:
      break;
  }
  return 0.2;
}

template <typename Wanted>
Candidates those_or_all(const Candidates& all, Wanted&& wanted) {
  Candidates result;
  std::copy_if(all.begin(), all.end(), std::back_inserter(result), [&](const ConvKernel* row) { return wanted(*row); });
  return result.empty() ? all : result;
}

}  // namespace

Candidates candidates(std::span<const ConvKernel> rows, const ConvProblem& problem, int sm) {
  Candidates result;
  for (const ConvKernel& row : rows) {
    if (row.runs_on(sm) && row.does(problem)) result.push_back(&row);
  }
  return result;
}

bool matches(const ConvKernel& row, std::string_view forced) {
  return std::string_view(row.name).find(forced) != std::string_view::npos;
}

Candidates prefer(const Candidates& all, std::string_view forced) {
  if (forced.empty()) return all;
  return those_or_all(all, [&](const ConvKernel& row) { return matches(row, forced); });
}

Candidates without_naive(const Candidates& all) {
  return those_or_all(all, [](const ConvKernel& row) { return row.family != ConvFamily::kNaive; });
}

const ConvKernel* cheapest(const Candidates& all, const std::function<double(const ConvKernel&)>& cost) {
  const ConvKernel* best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const ConvKernel* row : all) {
    const double found = cost(*row);
    if (best == nullptr || found < least) {
      best = row;
      least = found;
    }
  }
  return best;
}

double emulated_cost(const ConvKernel& row, const ConvProblem& problem) {
  const ConvDesc& d = problem.desc;
  const ConvTile& tile = row.tile;
  const double products =
      padded(d.output_pixels(), tile.pixels) * padded(d.k, tile.channels) * padded(d.depth(), tile.depth);
  constexpr double kSplit = 1.5;  // atomics and a second pass
  return products * family_weight(row.family) * (tile.split_depth ? kSplit : 1);
}

}  // namespace gpueval::cuda
