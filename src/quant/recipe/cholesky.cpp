// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/cholesky.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/round_up.h"
#include "core/stop_signal.h"
#include "core/threads.h"
#include "gpueval/error.h"
#include "quant/recipe/wide.h"

namespace gpueval {
namespace {

constexpr std::size_t kBlock = 64, kRows = 4, kColumns = 16;
constexpr std::size_t kDepth = 256;  // so much of a panel stays in the second-level cache

// rows[r][column + c] -= sum_k rows[r][begin + k] * panel[k][c] for kRows rows and kColumns columns.
GPUEVAL_WIDE void subtract_products(const std::array<double*, kRows>& rows, std::size_t begin, std::size_t depth,
                                    const double* panel, std::size_t column) {
  std::array<std::array<double, kColumns>, kRows> sum{};
  for (std::size_t k = 0; k < depth; ++k) {
    const double* p = panel + k * kBlock;
    for (std::size_t r = 0; r < kRows; ++r) {
      const double x = rows[r][begin + k];
      for (std::size_t c = 0; c < kColumns; ++c) sum[r][c] += x * p[c];
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t c = 0; c < kColumns; ++c) rows[r][column + c] -= sum[r][c];
  }
}

// Columns [first, first + kBlock) of the rows from `first` on, minus what the columns before contribute.
void update_block(SquareMatrix& a, std::size_t first) {
  std::vector<double> panel(first * kBlock);
  for (std::size_t c = 0; c < kBlock; ++c) {
    for (std::size_t k = 0; k < first; ++k) panel[k * kBlock + c] = a.row(first + c)[k];
  }
  // The diagonal block's rows are the panel's source, copied above: all rows may change at once.
  for (std::size_t begin = 0; begin < first; begin += kDepth) {
    const std::size_t depth = std::min(kDepth, first - begin);
    parallel_for(static_cast<std::int64_t>((a.n - first) / kRows), [&](std::int64_t group) {
      std::array<double*, kRows> rows;
      for (std::size_t r = 0; r < kRows; ++r) rows[r] = a.row(first + static_cast<std::size_t>(group) * kRows + r);
      for (std::size_t c = 0; c < kBlock; c += kColumns) {
        subtract_products(rows, begin, depth, panel.data() + begin * kBlock + c, first + c);
      }
    });
  }
}

// a[row][first .. last) with everything before `first` already subtracted: forward substitution by the block's rows.
void finish_row(SquareMatrix& a, std::size_t row, std::size_t first, std::size_t last) {
  double* x = a.row(row);
  for (std::size_t c = first; c < last; ++c) {
    const double* l = a.row(c);
    double sum = x[c];
    for (std::size_t k = first; k < c; ++k) sum -= x[k] * l[k];
    x[c] = sum / l[c];
  }
}

void factor_diagonal(SquareMatrix& a, std::size_t first, std::size_t last) {
  for (std::size_t r = first; r < last; ++r) {
    finish_row(a, r, first, r);
    double* x = a.row(r);
    double sum = x[r];
    for (std::size_t k = first; k < r; ++k) sum -= x[k] * x[k];
    if (!(sum > 0)) fail("a matrix of {} rows is not positive definite at row {}: {}", a.n, r, sum);
    x[r] = std::sqrt(sum);
  }
}

// With identity rows behind, so that its size is a multiple of the block.
SquareMatrix padded(const SquareMatrix& a, std::size_t n) {
  SquareMatrix wide(n);
  for (std::size_t i = 0; i < n; ++i) {
    if (i < a.n) {
      std::copy_n(a.row(i), a.n, wide.row(i));
    } else {
      wide.row(i)[i] = 1;
    }
  }
  return wide;
}

GPUEVAL_WIDE void axpy_loop(double* x, const double* row, const double* factor, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t r = 0; r < kLanes; ++r) x[i * kLanes + r] += row[i] * factor[r];
  }
}

GPUEVAL_WIDE void dot_lanes(const double* row, const double* x, double* sum, std::size_t count) {
  std::array<double, kLanes> total{};
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t r = 0; r < kLanes; ++r) total[r] += row[i] * x[i * kLanes + r];
  }
  std::copy(total.begin(), total.end(), sum);
}

}  // namespace

SquareMatrix cholesky(SquareMatrix a) {
  const std::size_t n = a.n, wide = round_up(n, kBlock);
  // Small matrices (depthwise: 9 x 9) need no blocks.
  if (n <= kBlock) {
    factor_diagonal(a, 0, n);
    return a;
  }
  SquareMatrix l = wide == n ? std::move(a) : padded(a, wide);
  for (std::size_t first = 0; first < wide; first += kBlock) {
    stop_point();
    update_block(l, first);
    factor_diagonal(l, first, first + kBlock);
    const std::size_t below = first + kBlock;
    parallel_for(static_cast<std::int64_t>(wide - below),
                 [&](std::int64_t i) { finish_row(l, below + static_cast<std::size_t>(i), first, below); });
  }
  if (wide == n) return l;
  SquareMatrix cut(n);
  for (std::size_t i = 0; i < n; ++i) std::copy_n(l.row(i), n, cut.row(i));
  return cut;
}

void axpy_lanes(double* x, const double* row, const double* factor, std::size_t count) {
  axpy_loop(x, row, factor, count);
}

void solve_lanes(const SquareMatrix& lower, double* b) {
  std::array<double, kLanes> sum;
  for (std::size_t i = 0; i < lower.n; ++i) {
    dot_lanes(lower.row(i), b, sum.data(), i);
    for (std::size_t r = 0; r < kLanes; ++r) b[i * kLanes + r] = (b[i * kLanes + r] - sum[r]) / lower.row(i)[i];
  }
  for (std::size_t i = lower.n; i-- > 0;) {
    for (std::size_t r = 0; r < kLanes; ++r) {
      b[i * kLanes + r] /= lower.row(i)[i];
      sum[r] = -b[i * kLanes + r];
    }
    axpy_loop(b, lower.row(i), sum.data(), i);
  }
}

}  // namespace gpueval
