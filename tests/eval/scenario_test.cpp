// SPDX-License-Identifier: Apache-2.0
#include "gpueval/scenario.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fakes.h"
#include "task/statistics.h"

namespace gpueval {
namespace {

using test::FakeEngine;

// An engine with a clock of its own: 10 ms a run, whatever the batch.
class ServerScenario : public ::testing::Test {
 protected:
  ServerScenario() {
    options_.now = [this] { return clock_; };
    options_.sleep_until = [this](double time) { clock_ = time; };
    options_.duration_s = 50;
    engine_.on_run = [this] {
      clock_ += 0.010;
      ++runs_;
    };
  }
  ServerResult run() { return find_server_rate(engine_, inputs_, options_); }

  double clock_ = 0;
  int runs_ = 0;
  FakeEngine engine_;
  ServerOptions options_;
  std::vector<std::vector<float>> inputs_{std::vector<float>(12)};
};

TEST(Arrivals, GapsAreExponential) {
  const std::vector<double> times = arrival_times(200, 100000, 7);
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.size(); ++i) gaps.push_back(times[i] - times[i - 1]);
  // Mean and deviation of an exponential gap are both 1 / rate; 5 standard errors.
  EXPECT_NEAR(mean(gaps), 0.005, 5 * 0.005 / std::sqrt(1e5));
  EXPECT_NEAR(coefficient_of_variation(gaps), 1, 0.03);
  EXPECT_EQ(times, arrival_times(200, 100000, 7));
  EXPECT_NE(times, arrival_times(200, 100000, 8));
}

TEST_F(ServerScenario, FindsTheRateThatQueueingTheoryGives) {
  options_.latency_bound_ms = 1e6;
  const ServerResult generous = run();
  EXPECT_NEAR(generous.capacity, 100, 1e-6);
  EXPECT_GT(generous.queries_per_second, 95) << "any rate below the capacity meets a bound without end";
  // One server, constant service time D = 10 ms: M/D/1. P(wait > x D) = (1 - rho) / (rho e^t - 1) e^(-t x) for large x,
  // t > 0 solving rho (e^t - 1) = t (Erlang's tail). A latency of 40 ms is a wait of 3 D: 1% of them at rho = 0.463.
  options_.latency_bound_ms = 40;
  options_.duration_s = 2000;
  const ServerResult result = run();
  ASSERT_NE(result.best(), nullptr);
  const ServerTrial& best = *result.best();
  EXPECT_LE(best.p99_ms, 40);
  EXPECT_NEAR(result.queries_per_second, 46.3, 3);
  const double rho = best.rate * 0.010;
  EXPECT_NEAR(best.mean_ms, 10 + 10 * rho / (2 * (1 - rho)), 0.3) << "Pollaczek and Khinchine";
  EXPECT_TRUE(result.valid);
  EXPECT_TRUE(result.warnings.empty());
}

TEST_F(ServerScenario, LatencyContainsTheWait) {
  options_.latency_bound_ms = 25;
  const ServerResult result = run();
  ASSERT_NE(result.best(), nullptr);
  EXPECT_GE(result.best()->p50_ms, 10 - 1e-9);
  EXPECT_GT(result.best()->max_ms, 20) << "some query waited for a whole run of another one";
}

TEST_F(ServerScenario, BatchesAnswerWhoWaits) {
  options_.latency_bound_ms = 40;
  const double alone = run().queries_per_second;
  options_.batch = 8;
  const ServerResult batched = run();
  EXPECT_NEAR(batched.capacity, 800, 1e-6);
  EXPECT_GT(batched.queries_per_second, 4 * alone);
  EXPECT_GT(batched.best()->mean_batch, 2);
  EXPECT_LE(batched.best()->mean_batch, 8);
}

TEST_F(ServerScenario, AnImpossibleBoundIsInvalidAndSaysSo) {
  options_.latency_bound_ms = 5;
  const ServerResult result = run();
  EXPECT_EQ(result.queries_per_second, 0);
  EXPECT_FALSE(result.valid);
  ASSERT_EQ(result.reasons.size(), 1u);
  EXPECT_NE(result.reasons[0].find("within 5 ms"), std::string::npos) << result.reasons[0];
  EXPECT_LT(runs_, 1000) << "a trial ends as soon as too many queries are late";
}

TEST_F(ServerScenario, StopEndsTheSearch) {
  options_.stop = [this] { return runs_ > 100; };
  const ServerResult result = run();
  EXPECT_FALSE(result.valid);
  EXPECT_EQ(result.reasons.at(0), "the search was interrupted");
}

TEST_F(ServerScenario, AThousandQueriesConfirmTheRate) {
  options_.duration_s = 0.5;
  options_.latency_bound_ms = 60;
  const ServerResult result = run();
  ASSERT_NE(result.best(), nullptr);
  EXPECT_GE(result.best()->queries, 1000);
  EXPECT_TRUE(result.best()->met);
  EXPECT_EQ(&result.trials.back(), result.best());
  EXPECT_GT(std::ssize(result.trials), 6) << "short trials found the rate";
  EXPECT_TRUE(result.valid);
  EXPECT_EQ(result.verdict(), SpeedVerdict::kValid);
}

// Every 400th run takes 200 ms. Short trials miss that, a thousand queries do not: the rate falls until they hold.
TEST_F(ServerScenario, AConfirmationThatFailsLowersTheRate) {
  engine_.on_run = [this] { clock_ += ++runs_ % 400 == 0 ? 0.200 : 0.010; };
  options_.duration_s = 0.5;
  options_.latency_bound_ms = 60;
  const ServerResult result = run();
  int failed = 0;
  for (const ServerTrial& trial : result.trials)
    failed += !trial.met && trial.rate >= result.queries_per_second ? 1 : 0;
  EXPECT_GT(failed, 0);
  ASSERT_NE(result.best(), nullptr);
  EXPECT_GE(result.best()->queries, 1000);
  EXPECT_LE(result.best()->p99_ms, 60);
}

TEST_F(ServerScenario, TooFewQueriesAreInvalid) {
  engine_.on_run = [this] { clock_ += 1; };  // 1000 queries would take twenty minutes
  options_.latency_bound_ms = 5000;
  const ServerResult result = run();
  ASSERT_NE(result.best(), nullptr);
  EXPECT_FALSE(result.valid);
  EXPECT_EQ(result.verdict(), SpeedVerdict::kInvalid);
  ASSERT_EQ(result.reasons.size(), 1u);
  EXPECT_NE(result.reasons[0].find("it needs 1000, which --iterations 1000 or --duration 1"), std::string::npos)
      << result.reasons[0];
}

}  // namespace
}  // namespace gpueval
