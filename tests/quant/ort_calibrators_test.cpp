// SPDX-License-Identifier: Apache-2.0
// Our calibrators beside ONNX Runtime's own (scripts/make_ort_calibrator_goldens.py) on the same tensors. Min-max is
// the same; percentile is the same but for their rounding down to a bin; entropy is another definition
// (docs/quantization.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/random.h"
#include "quant/calibrators/calibrators.h"

namespace gpueval {
namespace {

// Multiples of 2^-16, exact in float32; the script has the same formulas.
std::int64_t value_of(const std::string& kind, std::uint64_t bits) {
  const auto part = [&](int shift) { return static_cast<std::int64_t>(bits >> shift & 0xFFFF); };
  const std::int64_t bell = part(0) + part(16) + part(32) + part(48) - 2 * 0xFFFF;
  if (kind == "bell") return bell;
  if (kind == "relu") return std::max<std::int64_t>(bell, 0);
  if (kind == "cap") return std::min<std::int64_t>(std::max<std::int64_t>(2 * bell, 0), 6 << 14);
  if (kind == "tail") return bell * (part(0) % 512 == 0 ? 41 : 1);
  return part(0);  // uniform
}

struct Golden {
  std::string kind, method;
  std::size_t values = 0;
  std::int64_t checksum = 0;
  double range = 0, width = 0;

  std::vector<std::int64_t> magnitudes() const {
    Random random(kind.size());
    std::vector<std::int64_t> x(values);
    for (std::int64_t& v : x) v = std::abs(value_of(kind, random.next()));
    return x;
  }

  Histogram histogram() const {
    const std::vector<std::int64_t> x = magnitudes();
    const std::int64_t most = *std::max_element(x.begin(), x.end());
    Histogram result{.max = static_cast<float>(most) / 65536, .counts = {}, .zeros = 0};
    result.counts.resize(Histogram::kBins);
    for (const std::int64_t v : x) {
      if (v == 0) {
        ++result.zeros;
      } else {
        ++result.counts[static_cast<std::size_t>((v * Histogram::kBins + most - 1) / most - 1)];
      }
    }
    return result;
  }

  double ours(Scheme scheme, double percentile = 100) const {
    QuantOptions options;
    options.percentile = percentile;
    return calibrator_of(scheme).range(histogram(), DType::kS8, options);
  }
};

void PrintTo(const Golden& g, std::ostream* out) { *out << g.kind << " " << g.method; }

std::vector<Golden> goldens() {
  std::ifstream file(std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/quant/ort_calibrators.txt");
  std::vector<Golden> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    Golden g;
    std::istringstream(line) >> g.kind >> g.values >> g.checksum >> g.method >> g.range >> g.width;
    rows.push_back(g);
  }
  return rows;
}

class OrtCalibrators : public testing::TestWithParam<Golden> {};

TEST_P(OrtCalibrators, OursIsTheSameOrNear) {
  const Golden& g = GetParam();
  std::int64_t checksum = 0;
  for (const std::int64_t v : g.magnitudes()) checksum += v;
  ASSERT_EQ(checksum, g.checksum) << "not the script's tensor";
  if (g.method == "minmax") {
    EXPECT_FLOAT_EQ(static_cast<float>(g.ours(Scheme::kMaxAbs)), static_cast<float>(g.range));
  } else if (g.method.starts_with("percentile")) {
    // Theirs is the lower edge of the bin in which the share is reached, ours lies in it.
    const double ours = g.ours(Scheme::kPercentile, std::stod(g.method.substr(10)));
    EXPECT_GE(ours, g.range - 1e-5 * g.range);
    EXPECT_LE(ours, g.range + 1.001 * g.width);
  } else if (g.method == "entropy-default") {
    EXPECT_FLOAT_EQ(static_cast<float>(g.ours(Scheme::kMaxAbs)), static_cast<float>(g.range));
  } else {
    // 255 levels of x there, 128 of |x| here; they count zeros, merge with a remainder and cut counts to integers. Ours
    // clips less on each of these tensors.
    const double ours = g.ours(Scheme::kEntropy);
    EXPECT_GE(ours, g.range);
    EXPECT_LE(ours, g.ours(Scheme::kMaxAbs));
    EXPECT_LT(ours, 4 * g.range);
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, OrtCalibrators, testing::ValuesIn(goldens()), [](const auto& row) {
  std::string name = row.param.kind + "_" + row.param.method;
  std::erase_if(name, [](char c) { return c == '-' || c == '.'; });
  return name;
});

}  // namespace
}  // namespace gpueval
