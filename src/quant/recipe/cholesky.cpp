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

constexpr std::size_t kBlock = 64, kRows = 4, kColumns = 8;
constexpr std::size_t kDepth = 256;  // so much of a panel stays in the second-level cache

// rows[r][column + c] -= sum_k rows[r][begin + k] * panel[k][c] for kRows rows and kColumns columns.
GPUEVAL_WIDE void subtract_products(const std::array<double*, kRows>& rows, std::size_t begin, std::size_t depth,
                                    const double* panel, std::size_t column) {
  static_assert(kRows == 4 && kColumns == kLanes);
  const double *x0 = rows[0] + begin, *x1 = rows[1] + begin, *x2 = rows[2] + begin, *x3 = rows[3] + begin;
  Doubles sum0{}, sum1{}, sum2{}, sum3{};
  for (std::size_t k = 0; k < depth; ++k) {
    const Doubles p = *lanes_at(panel + k * kBlock);
    sum0 += x0[k] * p;
    sum1 += x1[k] * p;
    sum2 += x2[k] * p;
    sum3 += x3[k] * p;
  }
  *lanes_at(rows[0] + column) -= sum0;
  *lanes_at(rows[1] + column) -= sum1;
  *lanes_at(rows[2] + column) -= sum2;
  *lanes_at(rows[3] + column) -= sum3;
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

GPUEVAL_WIDE void axpy_one(double* x, const double* row, const double* factor, std::size_t begin, std::size_t end) {
  const Doubles f = *lanes_at(factor);
  for (std::size_t i = begin; i < end; ++i) *lanes_at(x + i * kLanes) += row[i] * f;
}

// Four rows: x is read and written once for all. Each element's sum has the order of one row after the other.
GPUEVAL_WIDE void axpy_four(double* x, const double* const* row, const double* factor, std::size_t begin,
                            std::size_t end) {
  const double *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];
  const Doubles f0 = *lanes_at(factor), f1 = *lanes_at(factor + kLanes), f2 = *lanes_at(factor + 2 * kLanes),
                f3 = *lanes_at(factor + 3 * kLanes);
  for (std::size_t i = begin; i < end; ++i) {
    Doubles sum = *lanes_at(x + i * kLanes);
    sum += r0[i] * f0;
    sum += r1[i] * f1;
    sum += r2[i] * f2;
    sum += r3[i] * f3;
    *lanes_at(x + i * kLanes) = sum;
  }
}

GPUEVAL_WIDE void dot_lanes(const double* row, const double* x, double* sum, std::size_t count) {
  Doubles total{};
  for (std::size_t i = 0; i < count; ++i) total += row[i] * *lanes_at(x + i * kLanes);
  *lanes_at(sum) = total;
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

void axpy_lanes(double* x, const double* row, const double* factor, std::size_t begin, std::size_t end) {
  axpy_one(x, row, factor, begin, end);
}

void LaneRows::add(const double* row, const double* factor) {
  row_[count_] = row;
  std::copy_n(factor, kLanes, factor_.data() + count_++ * kLanes);
}

void LaneRows::apply(double* x, std::size_t begin, std::size_t end) const {
  std::size_t r = 0;
  for (; r + 4 <= count_; r += 4) axpy_four(x, row_.data() + r, factor_.data() + r * kLanes, begin, end);
  for (; r < count_; ++r) axpy_one(x, row_[r], factor_.data() + r * kLanes, begin, end);
}

void multiply_lanes(const SquareMatrix& a, const double* e, double* x) {
  for (std::size_t begin = 0; begin < a.n; begin += LaneRows::kMost) {
    LaneRows rows;
    for (std::size_t i = begin; i < std::min(a.n, begin + LaneRows::kMost); ++i) rows.add(a.row(i), e + i * kLanes);
    rows.apply(x, 0, a.n);
  }
}

void solve_lanes(const SquareMatrix& lower, double* b) {
  std::array<double, kLanes> sum;
  for (std::size_t i = 0; i < lower.n; ++i) {
    dot_lanes(lower.row(i), b, sum.data(), i);
    for (std::size_t r = 0; r < kLanes; ++r) b[i * kLanes + r] = (b[i * kLanes + r] - sum[r]) / lower.row(i)[i];
  }
  for (std::size_t end = lower.n; end > 0;) {
    const std::size_t begin = end - std::min(end, LaneRows::kMost);
    LaneRows rows;
    for (std::size_t i = end; i-- > begin;) {
      for (std::size_t r = 0; r < kLanes; ++r) {
        b[i * kLanes + r] /= lower.row(i)[i];
        sum[r] = -b[i * kLanes + r];
      }
      rows.add(lower.row(i), sum.data());
      axpy_lanes(b, lower.row(i), sum.data(), begin, i);
    }
    rows.apply(b, 0, begin);
    end = begin;
  }
}

}  // namespace gpueval
