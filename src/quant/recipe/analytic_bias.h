// SPDX-License-Identifier: Apache-2.0
// Analytic bias correction (Nagel et al. 2019, arXiv 1906.04721, section 4.2): the mean error that rounded weights put
// on a layer's output, (q * step - w) E[x], without images. E[x] follows from batch-norm statistics: in front of its
// activation a channel is normal with mean beta and variance gamma^2, behind ReLU or ReLU6 a clipped normal.
#pragma once

#include <vector>

#include "gpueval/quant.h"

namespace gpueval {

struct Moments {
  double mean = 0, variance = 0;
};
// Of min(max(x, low), high), x normal; high may be infinite.
Moments clipped_normal(const Moments& normal, double low, double high);

// Each node's channels in a graph with its batch norms (of expand_separable). Sums of tensors count as sums of
// independent normals; average pools keep moments, which is exact for the mean. Empty where no batch norm tells: the
// input, layers without one, max pools, and what depends on those.
std::vector<std::vector<Moments>> batch_norm_moments(const Graph& expanded);

// Corrects the biases of all integer layers whose input's moments are known, in the table: on top of its corrected
// weights, in place of its corrected biases. Usage error if there is no such layer.
void correct_biases_analytically(const Graph& bound, const QuantOptions& options, CalibrationTable& table);

}  // namespace gpueval
