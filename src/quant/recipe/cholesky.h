// SPDX-License-Identifier: Apache-2.0
// Dense symmetric systems in double. Every sum has one fixed order: results do not depend on threads or instruction
// set.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace gpueval {

// Right-hand sides and rows of weights are worked on in blocks of this many, element i of row r at [i * kLanes + r].
constexpr std::size_t kLanes = 8;

// A symmetric n x n matrix, row-major; both halves stored unless said otherwise.
struct SquareMatrix {
  std::size_t n = 0;
  std::vector<double> values;

  explicit SquareMatrix(std::size_t size = 0) : n(size), values(size * size, 0.0) {}
  double* row(std::size_t i) { return values.data() + i * n; }
  const double* row(std::size_t i) const { return values.data() + i * n; }
};

// a = L L^T, L in the lower half (the upper half keeps a's). Throws Error where a is not positive definite.
SquareMatrix cholesky(SquareMatrix a);

// x[i] += row[i] * factor, for each of the kLanes right-hand sides; begin <= i < end.
void axpy_lanes(double* x, const double* row, const double* factor, std::size_t begin, std::size_t end);

// x += a e for each of them.
void multiply_lanes(const SquareMatrix& a, const double* e, double* x);

// Several rows and their factors, to be applied at once: x is read and written once for all. Each element's sum has the
// order in which the rows were added, and the bits of one row after the other.
class LaneRows {
 public:
  void add(const double* row, const double* factor);
  void apply(double* x, std::size_t begin, std::size_t end) const;  // to elements [begin, end)
  static constexpr std::size_t kMost = 16;

 private:
  std::size_t count_ = 0;
  std::array<const double*, kMost> row_;
  std::array<double, kMost * kLanes> factor_;
};

// Solves L L^T x = b in place for kLanes right-hand sides.
void solve_lanes(const SquareMatrix& lower, double* b);

}  // namespace gpueval
