// SPDX-License-Identifier: Apache-2.0
// The calibration methods against an independent implementation (scripts/make_calibrator_goldens.py) on histograms that
// both make from the same integers, and against brute force.
#include "quant/calibrators/calibrators.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "core/random.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

std::uint64_t power(std::uint64_t base, int exponent) { return exponent == 0 ? 1 : base * power(base, exponent - 1); }

// One count; the script has the same formulas.
std::uint64_t count_of(const std::string& kind, std::uint64_t i, std::uint64_t bins, Random& random) {
  const bool last = i + 1 == bins;
  if (kind == "uniform") return 1000;
  if (kind == "heavy_tail") return 1'000'000'000 / power(i + 1, 2);
  if (kind == "triangle") return (i < bins / 2 ? 3 * (bins / 2 - i) : 0) + random.next() % 3;
  if (kind == "one_outlier") return i < bins / 100 ? 5000 + random.next() % 1000 : (last ? 1 : 0);
  if (kind == "single_bin") return last ? 123456 : 0;
  if (kind == "two_bins") return last || i == bins / 3 ? 1000 : 0;
  if (kind == "sparse") {
    // Python evaluates the condition first.
    const bool occupied = random.next() % 10 == 0;
    const std::uint64_t count = occupied ? random.next() % 100000 : 0;
    return last ? 1 : count;
  }
  if (kind == "cap") {
    const std::uint64_t count = 200000 * bins / (bins + 20 * i) + random.next() % 50;
    return last ? 40 * bins : count;
  }
  if (kind == "power") return 1'000'000'000'000 / power(i + 50, 4) + random.next() % 2 + (last ? 1 : 0);
  throw Error("no histogram '" + kind + "'");
}

Histogram make_histogram(const std::string& kind, std::uint64_t bins, float max, std::uint64_t zeros) {
  Random random(bins + kind.size());
  Histogram histogram{.max = max, .counts = {}, .zeros = zeros};
  for (std::uint64_t i = 0; i < bins; ++i) histogram.counts.push_back(count_of(kind, i, bins, random));
  return histogram;
}

struct Golden {
  std::string kind, dtype_name;
  std::uint64_t bins = 0, zeros = 0, checksum = 0;
  float max = 0;
  double entropy = 0, percentile99 = 0, percentile9999 = 0, mse = 0, mse_error = 0;

  DType dtype() const { return dtype_name == "u8" ? DType::kU8 : DType::kS8; }
  Histogram histogram() const { return make_histogram(kind, bins, max, zeros); }
};

std::vector<Golden> goldens() {
  std::ifstream file(std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/quant/calibrators.txt");
  std::vector<Golden> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    Golden g;
    std::istringstream(line) >> g.kind >> g.bins >> g.zeros >> g.max >> g.dtype_name >> g.checksum >> g.entropy >>
        g.percentile99 >> g.percentile9999 >> g.mse >> g.mse_error;
    rows.push_back(g);
  }
  return rows;
}

float range_of(Scheme scheme, const Histogram& histogram, DType dtype, double percentile = 99.99) {
  QuantOptions options;
  options.percentile = percentile;
  return calibrator_of(scheme).range(histogram, dtype, options);
}

// Squared error of a clip, by 32 samples a bin.
double sampled_error(const Histogram& histogram, double clip, DType dtype) {
  const double step = clip / largest_integer(dtype);
  double sum = 0;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    if (histogram.counts[i] == 0) continue;
    double bin = 0;
    for (int j = 0; j < 32; ++j) {
      const double x = (static_cast<double>(i) + (j + 0.5) / 32) * histogram.width();
      bin += std::pow(x - step * std::min(std::nearbyint(x / step), double(largest_integer(dtype))), 2);
    }
    sum += bin / 32 * static_cast<double>(histogram.counts[i]);
  }
  return sum;
}

class Calibrators : public testing::TestWithParam<Golden> {};

TEST_P(Calibrators, HistogramIsTheScripts) {
  std::uint64_t sum = 0, i = 0;
  for (const std::uint64_t count : GetParam().histogram().counts) sum += ++i * count;
  EXPECT_EQ(sum, GetParam().checksum);
}

TEST_P(Calibrators, Entropy) {
  EXPECT_FLOAT_EQ(range_of(Scheme::kEntropy, GetParam().histogram(), GetParam().dtype()),
                  static_cast<float>(GetParam().entropy));
}

TEST_P(Calibrators, Percentile) {
  const Histogram histogram = GetParam().histogram();
  EXPECT_FLOAT_EQ(range_of(Scheme::kPercentile, histogram, GetParam().dtype(), 99),
                  static_cast<float>(GetParam().percentile99));
  EXPECT_FLOAT_EQ(range_of(Scheme::kPercentile, histogram, GetParam().dtype(), 99.99),
                  static_cast<float>(GetParam().percentile9999));
  std::size_t occupied = histogram.counts.size();  // 100%: the end of the last bin that is not empty
  while (histogram.counts[occupied - 1] == 0) --occupied;
  EXPECT_FLOAT_EQ(range_of(Scheme::kPercentile, histogram, GetParam().dtype(), 100),
                  static_cast<float>(static_cast<double>(occupied) * histogram.width()));
}

// Samples and integrals differ a little, so equally good clips may be chosen: the error counts.
TEST_P(Calibrators, Mse) {
  const Histogram histogram = GetParam().histogram();
  const float clip = range_of(Scheme::kMse, histogram, GetParam().dtype());
  EXPECT_NEAR(sampled_error(histogram, GetParam().mse, GetParam().dtype()), GetParam().mse_error,
              1e-6 * GetParam().mse_error);
  EXPECT_LE(sampled_error(histogram, clip, GetParam().dtype()), 1.002 * GetParam().mse_error) << clip;
}

TEST_P(Calibrators, MseBeatsEveryClipOfAFineGrid) {
  const Histogram histogram = GetParam().histogram();
  if (histogram.counts.size() > 2048) return;  // time
  const double ours =
      sampled_error(histogram, range_of(Scheme::kMse, histogram, GetParam().dtype()), GetParam().dtype());
  for (int i = 1; i <= 300; ++i) {
    const double clip = i / 300.0 * histogram.max;
    EXPECT_LE(ours, 1.002 * sampled_error(histogram, clip, GetParam().dtype())) << clip;
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, Calibrators, testing::ValuesIn(goldens()), [](const auto& row) {
  return row.param.kind + "_" + std::to_string(row.param.bins) + "_" + row.param.dtype_name;
});

TEST(CalibratorTable, EveryMethodStaysWithinTheTensor) {
  Random random(7);
  for (int trial = 0; trial < 40; ++trial) {
    Histogram histogram{.max = static_cast<float>(std::exp(random.uniform(-20, 20))), .counts = {}, .zeros = 0};
    histogram.counts.resize(Histogram::kBins);
    const int occupied = 1 << random.integer(0, 12);
    for (int i = 0; i < occupied; ++i) {
      histogram.counts[static_cast<std::size_t>(random.integer(0, Histogram::kBins - 1))] += random.next() % 1000;
    }
    histogram.counts.back() += 1;
    histogram.zeros = random.next() % 3000;
    for (const CalibratorSpec& method : calibrators()) {
      for (const DType dtype : {DType::kS8, DType::kU8}) {
        const float range = method.range(histogram, dtype, {});
        EXPECT_GT(range, 0.0f) << method.name << ", trial " << trial;
        EXPECT_LE(range, histogram.max) << method.name << ", trial " << trial;
      }
    }
  }
}

TEST(CalibratorTable, FindsMethodsByScheme) {
  EXPECT_EQ(calibrator_of(Scheme::kMaxAbs).name, "maxabs");
  EXPECT_EQ(calibrator_of(Scheme::kPercentile).name, "percentile");
  EXPECT_EQ(calibrator_of(Scheme::kEntropy).name, "entropy");
  EXPECT_EQ(calibrator_of(Scheme::kMse).name, "mse");
  EXPECT_EQ(calibrator_of(Scheme::kBest).name, "mse");
  EXPECT_THROW(calibrator_of(Scheme::kReference), Error);
}

TEST(Percentile, HandComputed) {
  const Histogram histogram{.max = 4.0f, .counts = {10, 20, 0, 10}, .zeros = 60};  // bins of width 1
  EXPECT_FLOAT_EQ(range_of(Scheme::kPercentile, histogram, DType::kU8, 80), 1.5f);
  EXPECT_FLOAT_EQ(range_of(Scheme::kPercentile, histogram, DType::kU8, 90), 2.0f);
  EXPECT_FLOAT_EQ(range_of(Scheme::kPercentile, histogram, DType::kU8, 95), 3.5f);
  EXPECT_FLOAT_EQ(range_of(Scheme::kPercentile, histogram, DType::kU8, 50), 4.0f);  // zeros alone are that many
  EXPECT_THROW(range_of(Scheme::kPercentile, histogram, DType::kU8, 0), Error);
  EXPECT_THROW(range_of(Scheme::kPercentile, histogram, DType::kU8, 100.5), Error);
  EXPECT_THROW(range_of(Scheme::kPercentile, histogram, DType::kU8, NAN), Error);
}

}  // namespace
}  // namespace gpueval
