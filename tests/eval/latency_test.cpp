// SPDX-License-Identifier: Apache-2.0
#include "gpueval/latency.h"

#include <gtest/gtest.h>

#include "fakes.h"
#include "gpueval/detector.h"

namespace gpueval {
namespace {

using test::FakeEngine;

// Engines that advance a clock of their own: every number can be told beforehand.
class Latency : public ::testing::Test {
 protected:
  Latency() {
    options_.now = [this] { return clock_; };
    fast_.on_run = [this] { clock_ += 0.010; };
    slow_.on_run = [this] { clock_ += 0.025; };
  }
  std::vector<SpeedResult> run(std::vector<Engine*> engines) { return run_speed(engines, inputs_, options_); }

  double clock_ = 0;
  FakeEngine fast_, slow_;
  SpeedOptions options_;
  std::vector<std::vector<float>> inputs_{std::vector<float>(48)};
};

TEST_F(Latency, CountsOnlyWhatFollowsTheWarmUp) {
  options_.batch = 4;
  options_.duration_s = 0.995;
  const SpeedResult result = run({&fast_}).front();
  EXPECT_EQ(result.warm_up_iterations, 20);  // 200 ms
  EXPECT_EQ(result.samples, 100);
  EXPECT_NEAR(result.seconds, 1.0, 1e-9);
  EXPECT_NEAR(result.images_per_second, 400, 1e-6);
  EXPECT_NEAR(result.mean_ms, 10, 1e-6);
  EXPECT_NEAR(result.percentile_ms(99), 10, 1e-6);
  EXPECT_NEAR(result.cv, 0, 1e-6);
  EXPECT_TRUE(result.valid);
  EXPECT_TRUE(result.reasons.empty());
  EXPECT_FALSE(result.vs_first);
}

TEST_F(Latency, MinimumCountLengthensAShortRun) {
  options_.duration_s = 0.01;
  options_.iterations = 60;
  const SpeedResult result = run({&fast_}).front();
  EXPECT_GE(result.samples, 60);
  EXPECT_TRUE(result.valid);
}

TEST_F(Latency, PercentilesOfKnownLatencies) {
  int runs = 0;  // 1, 2, ..., 100 ms, again and again
  fast_.on_run = [&] { clock_ += 0.001 * (runs++ % 100 + 1); };
  options_.warm_up_ms = 5049;  // one whole turn: 5050 ms
  options_.duration_s = 5.049;
  options_.slice_ms = 5049;
  const SpeedResult result = run({&fast_}).front();
  ASSERT_EQ(result.samples, 100);
  EXPECT_NEAR(result.percentile_ms(50), 50, 1e-6);
  EXPECT_NEAR(result.percentile_ms(90), 90, 1e-6);
  EXPECT_NEAR(result.percentile_ms(99), 99, 1e-6);
  EXPECT_NEAR(result.min_ms, 1, 1e-6);
  EXPECT_NEAR(result.max_ms, 100, 1e-6);
  EXPECT_EQ(result.warnings.size(), 1u) << "a varying latency is a warning";
  EXPECT_TRUE(result.valid) << "the minimum time and count were reached";
  EXPECT_EQ(result.verdict(), SpeedVerdict::kNoisy) << "57% of variation";
  ASSERT_EQ(result.noise.size(), 1u);
  EXPECT_NE(result.noise[0].find("latency varies by 57."), std::string::npos) << result.noise[0];
}

// The engine refuses to run without room for each.
TEST_F(Latency, NetworksMayHaveSeveralOutputs) {
  FakeEngine several({}, {{"pixels", 0}, {"logits", 1}});
  several.on_run = [this] { clock_ += 0.010; };
  options_.batch = 4;
  EXPECT_NEAR(run({&several}).front().mean_ms, 10, 1e-6);
  EXPECT_EQ(time_layers(several, std::vector<float>(48), 4, 3).size(), 2u);
}

TEST_F(Latency, SeveralEnginesTakeTurns) {
  const std::vector<SpeedResult> results = run({&slow_, &fast_});
  ASSERT_TRUE(results[1].vs_first);
  EXPECT_NEAR(results[1].vs_first->ratio, 2.5, 1e-9);
  EXPECT_NEAR(results[1].vs_first->spread.low, 2.5, 1e-9);
  EXPECT_NEAR(results[1].vs_first->spread.high, 2.5, 1e-9);
  EXPECT_GE(results[0].seconds, 3);
  EXPECT_GE(results[1].seconds, 3);
  EXPECT_LT(results[1].seconds, 3.5) << "the session ends when both have enough";
}

TEST_F(Latency, ADisturbanceMeetsBothAlike) {
  const auto run_for = [this](double seconds) {  // from the fifth second on the machine is half as fast
    clock_ += clock_ > 5 ? 2 * seconds : seconds;
  };
  slow_.on_run = [&] { run_for(0.025); };
  fast_.on_run = [&] { run_for(0.010); };
  options_.duration_s = 5;
  EXPECT_NEAR(run({&slow_, &fast_})[1].vs_first->ratio, 2.5, 0.15);
}

TEST_F(Latency, SteadyTimesAreValid) {
  int runs = 0;  // 9.2 and 10.8 ms: a deviation of 8% of the mean, each round the same
  fast_.on_run = [&] { clock_ += runs++ % 2 == 0 ? 0.0092 : 0.0108; };
  const SpeedResult result = run({&fast_}).front();
  EXPECT_NEAR(result.cv, 0.08, 0.001);
  EXPECT_EQ(result.verdict(), SpeedVerdict::kValid);
  EXPECT_EQ(result.warnings.size(), 1u) << "the variation is still told";
}

TEST_F(Latency, RoundsThatLieApartAreNoisy) {
  fast_.on_run = [&] { clock_ += clock_ < 1.7 ? 0.010 : 0.0115; };  // half of the time 15% slower: a deviation of 7%
  const SpeedResult result = run({&fast_}).front();
  EXPECT_LT(result.cv, kNoiseBounds.latency_cv);
  EXPECT_TRUE(result.valid);
  EXPECT_EQ(result.verdict(), SpeedVerdict::kNoisy);
  ASSERT_EQ(result.noise.size(), 1u);
  EXPECT_NE(result.noise[0].find("rounds lie 1"), std::string::npos) << result.noise[0];
}

TEST_F(Latency, StoppedEarlyIsInvalidWithReasons) {
  options_.stop = [this] { return clock_ > 0.25; };
  const SpeedResult result = run({&fast_}).front();
  EXPECT_FALSE(result.valid);
  EXPECT_EQ(result.verdict(), SpeedVerdict::kInvalid);
  ASSERT_EQ(result.reasons.size(), 2u);
  EXPECT_NE(result.reasons[0].find("at least 3 s"), std::string::npos);
  EXPECT_NE(result.reasons[1].find("at least 10"), std::string::npos);
}

TEST_F(Latency, StoppedInTheWarmUpHasNoSamples) {
  options_.stop = [] { return true; };
  const SpeedResult result = run({&fast_}).front();
  EXPECT_EQ(result.samples, 0);
  EXPECT_EQ(result.percentile_ms(50), 0);
  EXPECT_FALSE(result.valid);
}

TEST_F(Latency, FewSamplesForAPercentileIsAWarning) {
  options_.duration_s = 0.1;
  options_.slice_ms = 1;
  const SpeedResult result = run({&fast_}).front();
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_NE(result.warnings[0].find("p99 of only"), std::string::npos);
}

// Copies of 5 and 2 ms around a pass of 10 ms, by a clock of its own.
class FakeDeviceEngine : public FakeEngine, DeviceClock {
 public:
  explicit FakeDeviceEngine(double* clock) : clock_(clock) {
    on_run = [this] { *clock_ += 0.040; };  // the host's time of the three, and more
  }
  DeviceClock* device_clock() override { return this; }
  double load(std::span<const float>, int n) override {
    ++loads;
    loaded_ = n;
    return spend(0.005);
  }
  double run_loaded() override {
    EXPECT_GT(loaded_, 0);
    ++passes;
    return spend(0.010);
  }
  double fetch(Outputs) override { return spend(0.002); }
  int loads = 0, passes = 0;

 protected:
  double spend(double seconds) {
    *clock_ += seconds;
    return seconds;
  }

 private:
  double* clock_;
  int loaded_ = 0;
};

TEST_F(Latency, OfADeviceIsThatOfThePassAlone) {
  FakeDeviceEngine device(&clock_);
  options_.duration_s = 0.995;
  const std::vector<SpeedResult> results = run({&slow_, &device});
  const SpeedResult& result = results[1];
  EXPECT_FALSE(result.includes_transfers);
  EXPECT_NEAR(result.mean_ms, 10, 1e-6);
  EXPECT_NEAR(result.images_per_second, 100, 1e-6);
  ASSERT_TRUE(result.device_times);
  EXPECT_NEAR(result.device_times->to_device_ms, 5, 1e-6);
  EXPECT_NEAR(result.device_times->compute_ms, 10, 1e-6);
  EXPECT_NEAR(result.device_times->to_host_ms, 2, 1e-6);
  EXPECT_EQ(device.runs, 0);
  EXPECT_EQ(device.loads, 1 + 4);  // the warm-up, and each slice of 250 ms
  EXPECT_NEAR(result.vs_first->ratio, 2.5, 1e-6);
  EXPECT_FALSE(results[0].device_times);
}

TEST_F(Latency, OfADeviceIncludesCopiesIfAskedTo) {
  FakeDeviceEngine device(&clock_);
  options_.include_transfers = true;
  options_.duration_s = 0.995;
  const std::vector<SpeedResult> results = run({&fast_, &device});
  EXPECT_TRUE(results[1].includes_transfers);
  EXPECT_FALSE(results[0].includes_transfers);  // nothing is copied there
  EXPECT_NEAR(results[1].mean_ms, 40, 1e-6);
  EXPECT_NEAR(results[1].device_times->compute_ms, 10, 1e-6);
  EXPECT_EQ(device.passes, device.loads);
}

// Boxes in 3 ms more than the pass, which come back in 1 ms.
class FakeDetectingEngine : public FakeDeviceEngine, DeviceDetection {
 public:
  explicit FakeDetectingEngine(double* clock) : FakeDeviceEngine(clock) {}
  DeviceDetection* detection() override { return this; }
  std::string prepare(const Detector&) override { return ""; }
  void detect(std::span<const float>, int n, std::span<std::vector<FoundBox>> found) override {
    EXPECT_EQ(std::ssize(found), n);
    spend(0.044);
  }
  double detect_loaded() override { return spend(0.013); }
  double fetch_found(std::span<std::vector<FoundBox>>) override { return spend(0.001); }
};

TEST_F(Latency, OfADetectingDeviceHasNoWorkOnTheHost) {
  FakeDetectingEngine device(&clock_), other(&clock_);
  int behind = 0;
  options_.behind = [&](const OutputBuffers&, int) {
    ++behind;
    clock_ += 0.006;
  };
  options_.detections = {device.detection(), nullptr};
  options_.batch = 2;
  options_.duration_s = 0.995;
  std::vector<SpeedResult> results = run({&device, &other});
  EXPECT_NEAR(results[0].mean_ms, 13, 1e-6);
  EXPECT_NEAR(results[0].device_times->compute_ms, 13, 1e-6);
  EXPECT_NEAR(results[0].device_times->to_host_ms, 1, 1e-6);
  EXPECT_NEAR(results[1].mean_ms, 16, 1e-6) << "the pass and the host's work";
  EXPECT_EQ(device.passes, 0);
  behind = 0;
  options_.include_transfers = true;
  EXPECT_NEAR(run({&device}).front().mean_ms, 44, 1e-6);
  EXPECT_EQ(behind, 0);
}

TEST_F(Latency, LayerTimesAreMediansWithoutTheFirstRun) {
  const std::vector<double> ms = time_layers(fast_, inputs_.front(), 1, 5);
  ASSERT_EQ(ms.size(), 2u);
  EXPECT_DOUBLE_EQ(ms[0], 4);  // runs 2 to 6 take 2 to 6 ms
  EXPECT_DOUBLE_EQ(ms[1], 500);
}

}  // namespace
}  // namespace gpueval
