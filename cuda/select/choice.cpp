// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/choice.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

namespace gpueval::cuda {
namespace {

struct TileSize {
  int pixels = 1, channels = 1, depth = 1;
};

// The last "_AxBxC" of a name; 1x1x1 where there is none.
TileSize tile_of(std::string_view name) {
  const std::string text(name);
  for (std::size_t at = text.rfind('_'); at != std::string::npos && at > 0; at = text.rfind('_', at - 1)) {
    TileSize tile;
    if (std::sscanf(text.c_str() + at, "_%dx%dx%d", &tile.pixels, &tile.channels, &tile.depth) == 3) return tile;
  }
  return {};
}

double padded(std::int64_t size, int tile) {
  const std::int64_t unit = std::max(tile, 1);
  return static_cast<double>((size + unit - 1) / unit * unit);
}

// What a product costs on the host, naive = 1. Split-depth kernels add atomics and a second pass.
double family_weight(std::string_view name) {
  const auto has = [name](std::string_view part) { return name.find(part) != std::string_view::npos; };
  double weight = 1;
  if (has("mma")) {
    weight = 0.2;
  } else if (has("dp4a")) {
    weight = 0.3;
  }
  if (has("naive")) weight = 1;
  return has("split") ? weight * 1.5 : weight;
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
    if (row.runs_on(sm) && row.supports(problem)) result.push_back(&row);
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
  return those_or_all(all, [](const ConvKernel& row) { return !matches(row, "naive"); });
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
  const TileSize tile = tile_of(row.name);
  const double products =
      padded(d.output_pixels(), tile.pixels) * padded(d.k, tile.channels) * padded(d.depth(), tile.depth);
  return products * family_weight(row.name);
}

}  // namespace gpueval::cuda
