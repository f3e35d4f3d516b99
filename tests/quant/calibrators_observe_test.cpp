// SPDX-License-Identifier: Apache-2.0
// Histograms and ranges of an engine whose tensors are known.
#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"
#include "gpueval/error.h"
#include "quant/calibrators/calibrators.h"

namespace gpueval {
namespace {

constexpr int kElements = 4 * 4 * 3;

// "input" (as given), "signed" = 2 * input and "positive" = max(input, 0), with a wide pitch.
class FakeEngine : public Engine {
 public:
  FakeEngine() {
    GraphBuilder g("fake");
    const int x = g.relu("positive", g.conv2d("signed", g.input(4, 4, 3), 3, 1, 1, {}));
    graph_ = g.finish(x);
  }
  void run(std::span<const float>, int, Outputs) override {}
  void run_timed(std::span<const float>, int, Outputs, std::span<double>) override {}
  void run_tapped(std::span<const float> input, int n, Outputs, const LayerTap& tap) override {
    constexpr std::int64_t kPitch = 5;
    const Shape shape{n, 4, 4, 3};
    const auto pixels = static_cast<std::size_t>(shape.pixels());
    for (int node = 0; node < 3; ++node) {
      std::vector<float> tensor(pixels * kPitch, 1e9f);  // what lies between the pixels must not count
      for (std::size_t i = 0; i < pixels * 3; ++i) {
        const float x = input[i];
        tensor[i / 3 * kPitch + i % 3] = node == 0 ? x : node == 1 ? 2 * x : std::max(x, 0.0f);
      }
      tap(node, {tensor.data(), DType::kF32, shape, kPitch});
    }
  }
  const std::vector<LayerInfo>& layers() const override { return layers_; }
  const Graph& graph() const override { return graph_; }
  std::string device() const override { return "fake"; }
  std::size_t arena_bytes() const override { return 0; }

 private:
  Graph graph_;
  std::vector<LayerInfo> layers_;
};

constexpr int kImages = 23;

std::vector<float> values() {
  Random random(3);
  std::vector<float> x(kImages * kElements);
  for (float& v : x) v = static_cast<float>(random.normal());
  x[5] = -4.5f;  // the largest magnitude is negative: not in "positive"
  x[6] = 0.0f;
  return x;
}

CalibrationImages images(const std::vector<float>& data) {
  return [&data] {
    return [&data, next = 0](std::vector<float>& batch, int most) mutable {
      const int n = std::min(most, kImages - next);
      const auto first = data.begin() + next * kElements;
      batch.assign(first, first + n * kElements);
      next += n;
      return n;
    };
  };
}

class Observe : public testing::Test {
 protected:
  void TearDown() override { set_threads(0); }
};

TEST_F(Observe, HistogramsCountEveryMagnitudeOnce) {
  const std::vector<float> data = values();
  FakeEngine engine;
  const auto max_abs = observe_ranges(engine, images(data)(), 4);
  EXPECT_EQ(max_abs.at("signed"), 9.0f);
  const auto histograms = collect_histograms(engine, images(data), 4, max_abs);
  const Histogram& input = histograms.at("input");
  EXPECT_EQ(input.max, 4.5f);
  EXPECT_EQ(input.zeros, 1u);
  EXPECT_EQ(input.total(), data.size());
  EXPECT_EQ(input.counts.back(), 1u);
  EXPECT_EQ(histograms.at("signed").counts, input.counts);  // a factor of 2 is exact
  std::uint64_t below_one = 0;
  for (const float x : data) below_one += std::abs(x) <= 2.25f && x != 0 ? 1 : 0;
  std::uint64_t counted = 0;
  for (int i = 0; i < Histogram::kBins / 2; ++i) counted += input.counts[static_cast<std::size_t>(i)];
  EXPECT_EQ(counted, below_one);
}

TEST_F(Observe, RangesDoNotDependOnBatchOrThreads) {
  const std::vector<float> data = values();
  FakeEngine engine;
  for (const Scheme scheme : {Scheme::kMaxAbs, Scheme::kPercentile, Scheme::kEntropy, Scheme::kMse}) {
    QuantOptions options;
    options.scheme = scheme;
    options.percentile = 99;
    set_threads(1);
    const auto expected = calibrated_ranges(engine, images(data), 1, options);
    ASSERT_EQ(expected.size(), 3u);
    for (const int workers : {1, 2, 3}) {
      set_threads(workers);
      for (const int batch : {1, 4, 23}) {
        EXPECT_EQ(calibrated_ranges(engine, images(data), batch, options), expected) << workers << " " << batch;
      }
    }
  }
}

// The method sees u8 for what cannot be negative, s8 elsewhere and where asked for.
TEST_F(Observe, TypesFollowTheGraph) {
  const std::vector<float> data = values();
  FakeEngine engine;
  QuantOptions options;
  options.scheme = Scheme::kMse;
  const auto ranges = calibrated_ranges(engine, images(data), 4, options);
  const auto histograms = collect_histograms(engine, images(data), 4, observe_ranges(engine, images(data)(), 4));
  const auto mse = [&](const char* name, DType dtype) {
    return calibrator_of(Scheme::kMse).range(histograms.at(name), dtype, options);
  };
  EXPECT_EQ(ranges.at("positive"), mse("positive", DType::kU8));
  EXPECT_EQ(ranges.at("signed"), mse("signed", DType::kS8));
  ASSERT_NE(mse("positive", DType::kU8), mse("positive", DType::kS8));
  options.activations = DType::kS8;
  EXPECT_EQ(calibrated_ranges(engine, images(data), 4, options).at("positive"), mse("positive", DType::kS8));
}

TEST_F(Observe, InfiniteValuesAreAnError) {
  std::vector<float> data = values();
  data[9] = INFINITY;
  FakeEngine engine;
  QuantOptions options;
  options.scheme = Scheme::kEntropy;
  EXPECT_THROW(calibrated_ranges(engine, images(data), 4, options), Error);
}

TEST_F(Observe, DeadTensorsHaveRangeZero) {
  const std::vector<float> data(kImages * kElements, -0.0f);
  FakeEngine engine;
  for (const CalibratorSpec& method : calibrators()) {
    QuantOptions options;
    options.scheme = method.scheme;
    EXPECT_EQ(calibrated_ranges(engine, images(data), 4, options).at("signed"), 0.0f) << method.name;
  }
}

}  // namespace
}  // namespace gpueval
