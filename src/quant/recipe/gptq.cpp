// SPDX-License-Identifier: Apache-2.0
// GPTQ rounds column by column and spreads each error over the columns still to come with the inverse's Cholesky
// factor. With the columns in reverse, H = L L^T gives the same steps without an inverse: |L^T e|^2 = e^T H e, and
// row i of L^T e is zero for w_i' = w_i + sum_{j > i} L[j][i] e_j / L[i][i], which is rounded.
#include "quant/recipe/gptq.h"
#include "core/stop_signal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/threads.h"

namespace gpueval {
namespace {

double nearest(double x) { return std::nearbyint(std::clamp(x, -127.0, 127.0)); }

}  // namespace

// kLanes rows in the permuted order; unused lanes hold zeros.
struct CompensatedRounding::Lanes {
  std::size_t n;
  std::array<double, kLanes> scale;
  std::vector<double> w, q;

  explicit Lanes(std::size_t size) : n(size), w(size * kLanes), q(size * kLanes) { scale.fill(1.0); }
  double error(std::size_t at) const { return w[at] - q[at] * scale[at % kLanes]; }
  void round_to_nearest() {
    for (std::size_t at = 0; at < w.size(); ++at) q[at] = nearest(w[at] / scale[at % kLanes]);
  }
};

CompensatedRounding::CompensatedRounding(const SquareMatrix& h, const GptqOptions& options)
    : options_(options), order_(h.n), h_(h.n) {
  double trace = 0;
  for (std::size_t i = 0; i < h.n; ++i) trace += h.row(i)[i];
  damping_ = options.damping * trace / static_cast<double>(h.n) + 1e-12;
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::size_t a, std::size_t b) { return h.row(a)[a] < h.row(b)[b]; });
  for (std::size_t i = 0; i < h.n; ++i) {
    for (std::size_t j = 0; j < h.n; ++j) h_.row(i)[j] = h.row(order_[i])[order_[j]];
    h_.row(i)[i] += damping_;
  }
  lower_ = cholesky(h_);
}

void CompensatedRounding::compensate(Lanes& lanes) const {
  std::vector<double> push(lanes.w.size(), 0.0);  // sum of L[j][i] e_j over what is rounded
  std::array<double, kLanes> e;
  for (std::size_t end = lanes.n; end > 0;) {
    const std::size_t begin = end - std::min(end, LaneRows::kMost);
    LaneRows rounded;
    for (std::size_t i = end; i-- > begin;) {
      const double* row = lower_.row(i);
      for (std::size_t r = 0; r < kLanes; ++r) {
        const std::size_t at = i * kLanes + r;
        lanes.q[at] = nearest((lanes.w[at] + push[at] / row[i]) / lanes.scale[r]);
        e[r] = lanes.error(at);
      }
      axpy_lanes(push.data(), row, e.data(), begin, i);
      rounded.add(row, e.data());
    }
    rounded.apply(push.data(), 0, begin);
    end = begin;
  }
}

std::vector<double> CompensatedRounding::gradient(const Lanes& lanes) const {
  std::vector<double> e(lanes.w.size()), g(lanes.w.size(), 0.0);
  for (std::size_t at = 0; at < e.size(); ++at) e[at] = lanes.error(at);
  multiply_lanes(h_, e.data(), g.data());
  return g;
}

// Weight i of each lane to its best value with the others fixed; the change of e.
std::array<double, kLanes> CompensatedRounding::take_step(Lanes& lanes, std::size_t i, const double* g) const {
  std::array<double, kLanes> step;
  for (std::size_t r = 0; r < kLanes; ++r) {
    const std::size_t at = i * kLanes + r;
    const double q = nearest(lanes.q[at] + g[at] / h_.row(i)[i] / lanes.scale[r]);
    step[r] = -(q - lanes.q[at]) * lanes.scale[r];
    lanes.q[at] = q;
  }
  return step;
}

// Each weight in turn to its best value with the others fixed, until nothing changes.
void CompensatedRounding::descend(Lanes& lanes) const {
  std::vector<double> g = gradient(lanes);
  for (int sweep = 0; sweep < options_.sweeps; ++sweep) {
    bool changed = false;
    for (std::size_t end = lanes.n; end > 0;) {
      const std::size_t begin = end - std::min(end, LaneRows::kMost);
      LaneRows steps;
      for (std::size_t i = end; i-- > begin;) {
        const std::array<double, kLanes> step = take_step(lanes, i, g.data());
        if (std::all_of(step.begin(), step.end(), [](double x) { return x == 0; })) continue;
        axpy_lanes(g.data(), h_.row(i), step.data(), begin, end);
        steps.add(h_.row(i), step.data());
        changed = true;
      }
      steps.apply(g.data(), 0, begin);
      steps.apply(g.data(), end, lanes.n);
      end = begin;
    }
    if (!changed) return;
  }
}

void CompensatedRounding::round_lanes(std::span<const double> weights, std::span<const double> scale,
                                      std::int8_t* result) const {
  const std::size_t n = h_.n;
  Lanes best(n);
  for (std::size_t r = 0; r < scale.size(); ++r) {
    best.scale[r] = scale[r];
    for (std::size_t i = 0; i < n; ++i) best.w[i * kLanes + r] = weights[r * n + order_[i]];
  }
  Lanes plain = best;
  plain.round_to_nearest();
  compensate(best);
  descend(best);
  const auto undamped_errors = [&](const Lanes& lanes) {
    const std::vector<double> g = gradient(lanes);
    std::array<double, kLanes> total{};
    for (std::size_t at = 0; at < g.size(); ++at) {
      total[at % kLanes] += lanes.error(at) * (g[at] - damping_ * lanes.error(at));
    }
    return total;
  };
  const std::array<double, kLanes> compensated = undamped_errors(best), nearest_error = undamped_errors(plain);
  for (std::size_t r = 0; r < scale.size(); ++r) {
    const Lanes& from = compensated[r] <= nearest_error[r] ? best : plain;
    for (std::size_t i = 0; i < n; ++i) {
      result[r * n + order_[i]] = static_cast<std::int8_t>(from.q[i * kLanes + r]);
    }
  }
}

std::vector<std::int8_t> CompensatedRounding::round(std::span<const double> weights,
                                                    std::span<const double> scale) const {
  std::vector<std::int8_t> result(weights.size());
  const std::size_t rows = scale.size(), n = h_.n;
  parallel_for_dynamic(static_cast<std::int64_t>((rows + kLanes - 1) / kLanes), [&](std::int64_t block) {
    if (StopSignal::raised()) return;
    const std::size_t first = static_cast<std::size_t>(block) * kLanes, count = std::min(kLanes, rows - first);
    round_lanes(weights.subspan(first * n, count * n), scale.subspan(first, count), result.data() + first * n);
  });
  stop_point();
  return result;
}

std::vector<std::int8_t> CompensatedRounding::round_row(std::span<const double> weights, double scale) const {
  std::vector<std::int8_t> result(weights.size());
  round_lanes(weights, {&scale, 1}, result.data());
  return result;
}

double quadratic_error(const SquareMatrix& h, std::span<const double> weights, double scale,
                       std::span<const std::int8_t> q) {
  std::vector<double> e(h.n);
  for (std::size_t i = 0; i < h.n; ++i) e[i] = weights[i] - scale * q[i];
  double total = 0;
  for (std::size_t i = 0; i < h.n; ++i) {
    for (std::size_t j = 0; j < h.n; ++j) total += e[i] * h.row(i)[j] * e[j];
  }
  return total;
}

}  // namespace gpueval
