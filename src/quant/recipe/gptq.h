// SPDX-License-Identifier: Apache-2.0
// Rounding of weights that keeps the layer's output, not each weight: minimises e^T H e over integers q, e = w - s q,
// H the covariance of the layer's inputs. Frantar et al. 2022 (GPTQ, arXiv 2210.17323), then coordinate descent.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "quant/recipe/cholesky.h"

namespace gpueval {

struct GptqOptions {
  double damping = 0.01;  // of H's mean diagonal, added to its diagonal
  int sweeps = 3;         // of coordinate descent, at most
};

// The part that all rows of one layer share. A row's result depends on nothing but H and the row.
class CompensatedRounding {
 public:
  CompensatedRounding(const SquareMatrix& h, const GptqOptions& options);
  // rows of h.n weights in units of the inputs' steps, one scale a row; q = rint within -127..127, [rows][h.n].
  // A row is never worse than rounded to the nearest under the undamped H. Uses every thread.
  std::vector<std::int8_t> round(std::span<const double> weights, std::span<const double> scale) const;
  std::vector<std::int8_t> round_row(std::span<const double> weights, double scale) const;  // on this thread

 private:
  struct Lanes;
  void round_lanes(std::span<const double> weights, std::span<const double> scale, std::int8_t* result) const;
  void compensate(Lanes& lanes) const;
  std::vector<double> gradient(const Lanes& lanes) const;  // damped H times e
  std::array<double, kLanes> take_step(Lanes& lanes, std::size_t i, const double* g) const;
  void descend(Lanes& lanes) const;

  GptqOptions options_;
  double damping_ = 0;              // absolute
  std::vector<std::size_t> order_;  // position -> column, ascending diagonal: the last position is rounded first
  SquareMatrix h_;                  // damped, permuted
  SquareMatrix lower_;              // h_ = L L^T
};

// (w - s q)^T H (w - s q)
double quadratic_error(const SquareMatrix& h, std::span<const double> weights, double scale,
                       std::span<const std::int8_t> q);

}  // namespace gpueval
