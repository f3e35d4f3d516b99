// SPDX-License-Identifier: Apache-2.0
// What a speed measurement is worth. INVALID: its minimum time or count was missed, so there is no result. NOISY: there
// is one, but the machine or the times varied beyond the bounds below, so it should not be compared with others.
#pragma once

namespace gpueval {

enum class SpeedVerdict { kValid, kNoisy, kInvalid };  // from good to bad

constexpr const char* to_string(SpeedVerdict verdict) {
  return verdict == SpeedVerdict::kValid ? "VALID" : verdict == SpeedVerdict::kNoisy ? "NOISY" : "INVALID";
}

// Beyond one of these a measurement is NOISY. docs/benchmarks.md repeats them.
struct NoiseBounds {
  double latency_cv = 0.10;     // standard deviation of the latencies / mean
  double rounds_spread = 0.10;  // of the rounds' images per second: (90th - 10th percentile) / median
  int least_rounds = 4;         // fewer tell no spread
  double others_share = 0.05;   // of the usable cores, kept by other programs
  double stolen_share = 0.01;   // of the usable cores' time, taken by the virtual machine's host
  double clock_change = 0.05;   // of the core clock, from the beginning to the end
  int throttles = 0;            // stops by a CPU quota, slowdowns by temperature
};
inline constexpr NoiseBounds kNoiseBounds;

inline constexpr const char* kEmulated = "emulated: times say nothing about a GPU";

}  // namespace gpueval
