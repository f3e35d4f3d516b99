// SPDX-License-Identifier: Apache-2.0
// TensorRT's calibration (Migacz, "8-bit inference with TensorRT", GTC 2017): the clip whose quantized distribution
// has the least Kullback-Leibler divergence from the original one. The publication leaves details open; ours:
//   - 2048 bins of |x|; exact zeros, which no scale changes, are not counted (they are most of a tensor behind ReLU);
//   - candidates i = levels, levels + 1, ..., 2048 bins; levels = 128 for s8, 256 for u8 (values 0..127 and 0..255);
//   - reference P: bins [0, i), all magnitudes beyond in bin i - 1;
//   - Q: bins [0, i) *without* the outliers, merged to `levels` groups, group j = bins [j * i / levels, (j + 1) * i /
//     levels) rounded down, each group's sum spread evenly over its bins that are not empty in P; both normalised;
//   - bins with P > 0 and Q = 0 (bin i - 1, if its group is empty but for the outliers) take a Q of 1e-10 before it is
//   normalised: finite, but costly;
//   - the least divergence wins, the larger clip in a tie (1e-12): nothing is clipped for nothing;
//   - range = (m + 0.5) * bin width as published, but never beyond the largest magnitude.
#include <algorithm>
#include <cmath>

#include "quant/calibrators/calibrators.h"

namespace gpueval {
namespace {

constexpr std::size_t kBins = 2048;
constexpr double kUnlikely = 1e-10;  // share of all magnitudes
constexpr double kTie = 1e-12;

std::vector<double> merged(const Histogram& histogram) {
  std::vector<double> bins(kBins, 0.0);
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    bins[i * kBins / histogram.counts.size()] += static_cast<double>(histogram.counts[i]);
  }
  return bins;
}

// Sums over the first i bins.
struct Prefix {
  std::vector<double> count, p_log_p;
  std::vector<int> occupied;
};

double x_log_x(double x) { return x > 0 ? x * std::log(x) : 0; }

Prefix prefix_sums(const std::vector<double>& bins) {
  Prefix sums{{0.0}, {0.0}, {0}};
  for (const double count : bins) {
    sums.count.push_back(sums.count.back() + count);
    sums.p_log_p.push_back(sums.p_log_p.back() + x_log_x(count));
    sums.occupied.push_back(sums.occupied.back() + (count > 0 ? 1 : 0));
  }
  return sums;
}

// KL(P || Q) of the candidate of `size` bins. With p and q in counts, t and u their sums:
// sum p/t log((p/t) / (q/u)) = (sum p log p - sum p log q) / t + log(u / t); q is the same for a whole group.
double divergence(const Prefix& sums, std::size_t size, std::size_t levels) {
  const double total = sums.count.back(), outliers = total - sums.count[size];
  const double last = sums.count[size] - sums.count[size - 1];
  const double own = sums.p_log_p[size - 1] + x_log_x(last + outliers);
  double cross = 0, q_total = 0;
  for (std::size_t level = 0; level < levels; ++level) {
    const std::size_t begin = level * size / levels, end = (level + 1) * size / levels;
    const bool has_outliers = end == size && outliers > 0;
    const double sum = sums.count[end] - sums.count[begin];
    const int occupied = sums.occupied[end] - sums.occupied[begin] + (has_outliers && last == 0 ? 1 : 0);
    if (occupied == 0) continue;
    const double q = std::max(sum / occupied, kUnlikely * total);
    q_total += q * occupied;
    cross += (sum + (has_outliers ? outliers : 0.0)) * std::log(q);
  }
  return (own - cross) / total + std::log(q_total / total);
}

float range(const Histogram& histogram, DType dtype, const QuantOptions&) {
  const Prefix sums = prefix_sums(merged(histogram));
  if (sums.count.back() == 0) return histogram.max;
  const std::size_t levels = static_cast<std::size_t>(largest_integer(dtype)) + 1;
  double best = INFINITY;
  std::size_t best_size = kBins;
  for (std::size_t size = kBins; size >= levels; --size) {
    const double kl = divergence(sums, size, levels);
    if (kl < best - kTie) {
      best = kl;
      best_size = size;
    }
  }
  const double width = static_cast<double>(histogram.max) / kBins;
  return std::min(static_cast<float>((static_cast<double>(best_size) + 0.5) * width), histogram.max);
}

}  // namespace

CalibratorSpec entropy_calibrator();

CalibratorSpec entropy_calibrator() {
  return {.name = "entropy",
          .description = "least Kullback-Leibler divergence, as TensorRT's entropy calibration",
          .scheme = Scheme::kEntropy,
          .needs_histogram = true,
          .range = range};
}

}  // namespace gpueval
