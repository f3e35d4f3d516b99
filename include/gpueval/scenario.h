// SPDX-License-Identifier: Apache-2.0
// The server scenario (Reddi et al. 2020, MLPerf Inference, arXiv 1911.02549): queries of one image arrive at random
// (Poisson) times; the latency of a query runs from its arrival, so it contains the wait. Searched for is the highest
// arrival rate at which a percentile of the latencies stays within a bound. Single-stream (one query after the other,
// batch 1, p90) and offline (whole batches, images/s) are the speed session of latency.h.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gpueval/engine.h"
#include "gpueval/verdict.h"

namespace gpueval {

struct ServerOptions {
  int batch = 1;  // most queries answered by one run; a run takes those that wait, never waits for more
  double latency_bound_ms = 15;
  double percentile = 99;
  double warm_up_ms = 200;
  double duration_s = 3;         // least time of a trial at its arrival rate
  std::int64_t iterations = 10;  // least queries of a trial
  std::uint64_t seed = 1;        // of the arrival times
  std::function<bool()> stop;    // asked between runs
  std::function<void(double fraction, double rate)> progress;
  std::function<double()> now;              // seconds; empty: the steady clock
  std::function<void(double)> sleep_until;  // empty: sleeps
};

// Queries at one arrival rate. A trial ends early when too many queries are late for the bound to hold.
struct ServerTrial {
  double rate = 0;  // queries per second
  std::int64_t queries = 0;
  double seconds = 0;
  double mean_ms = 0, p50_ms = 0, p90_ms = 0, p99_ms = 0, max_ms = 0;
  double bound_percentile_ms = 0;
  double mean_batch = 0;
  bool complete = false;  // ran to its end
  bool met = false;       // complete and within the bound
};

struct ServerResult {
  double latency_bound_ms = 0, percentile = 99;
  int batch = 1;
  double queries_per_second = 0;    // highest rate that met the bound; 0: none did
  double capacity = 0;              // images per second of full batches without waiting: the search's upper end
  std::vector<ServerTrial> trials;  // in order
  bool valid = false;
  bool disturbed = false;  // NOISY by what else happened on the machine (Conditions::noise)
  bool emulated = false;   // no device's times
  std::vector<std::string> reasons, warnings;

  SpeedVerdict verdict() const;
  const ServerTrial* best() const;  // the trial of queries_per_second, the last if several; nullptr if none
};

// inputs: preprocessed images, one each, used in turn. Bisection between 0 and the capacity until the two ends are
// within 2% of the capacity. If the best trial has fewer than kConfirmingQueries, one of so many confirms its rate, or
// the nearest lower one that it holds for; where that would take longer than kLongestConfirmation_s, the result is
// INVALID.
inline constexpr std::int64_t kConfirmingQueries = 1000;
inline constexpr double kLongestConfirmation_s = 120;
ServerResult find_server_rate(Engine& engine, std::span<const std::vector<float>> inputs, const ServerOptions& options);

// Times of `queries` arrivals in seconds from 0: exponential gaps of mean 1 / rate.
std::vector<double> arrival_times(double rate, std::int64_t queries, std::uint64_t seed);

}  // namespace gpueval
