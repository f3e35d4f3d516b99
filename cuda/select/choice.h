// SPDX-License-Identifier: Apache-2.0
// Which kernel runs a convolution: candidates -> cost of each -> the cheapest. Pure functions; where costs come from
// (timings on a GPU, an estimate for the emulator) is the selector's business.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "cuda/conv/conv_kernel.h"

namespace gpueval::cuda {

using Candidates = std::vector<const ConvKernel*>;

// The rows that do the problem on that compute capability, in the table's order: of a problem with a pool those that
// have it, of others those that have none.
Candidates candidates(std::span<const ConvKernel> rows, const ConvProblem& problem, int sm);

// --kernel: a row's name or a part of it ("dp4a", "mma", "naive").
bool matches(const ConvKernel& row, std::string_view forced);
// Those of the candidates that match; all of them where none does or nothing is forced.
Candidates prefer(const Candidates& all, std::string_view forced);
// All but the naive kernels, which take seconds to time where others take microseconds; those where nothing else is.
Candidates without_naive(const Candidates& all);

// The candidate of least cost, the first of equals. Null for none.
const ConvKernel* cheapest(const Candidates& all, const std::function<double(const ConvKernel&)>& cost);

// Reproducible stand-in for a timing under the emulator, in arbitrary units: the products of all tiles, padded ones
// included, weighted by what a product costs in a kernel of that family.
double emulated_cost(const ConvKernel& row, const ConvProblem& problem);

}  // namespace gpueval::cuda
