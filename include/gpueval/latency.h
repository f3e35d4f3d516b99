// SPDX-License-Identifier: Apache-2.0
// Speed of several engines in one session. After a warm-up each engine runs in turn for a slice of time, round after
// round, so that a change of the machine's clock or load meets all of them alike; the session ends when every engine
// has both its minimum time and its minimum count of iterations.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gpueval/accuracy.h"
#include "gpueval/engine.h"
#include "gpueval/verdict.h"

namespace gpueval {

struct SpeedProgress {
  double fraction = 0;                    // of the session, 0 to 1
  std::vector<double> images_per_second;  // so far, per engine
};

struct SpeedOptions {
  int batch = 1;
  double warm_up_ms = 200;
  double duration_s = 3;         // least measured time of each engine
  std::int64_t iterations = 10;  // least measured iterations of each engine
  std::vector<double> percentiles{50, 90, 99};
  double slice_ms = 250;
  // Of devices with memory of their own: time copies and pass together, by the host's clock. Else the pass alone, by
  // the device's clock, on images that are there already.
  bool include_transfers = false;
  // Work on each batch's outputs that belongs to its time, by the host's clock; empty: none.
  std::function<void(const OutputBuffers&, int images)> behind;
  // In place of that, one an engine or none at all: its detection(), prepared, which is part of the pass; null:
  // `behind`.
  std::vector<DeviceDetection*> detections;
  std::function<bool()> stop;  // asked between iterations; true ends the session: INVALID if a minimum is missed
  std::function<void(const SpeedProgress&)> progress;
  std::function<double()> now;  // seconds; empty: the steady clock
};

// How many times as fast as the first engine.
struct SpeedRatio {
  double ratio = 1;  // of images per second over the whole session
  Interval spread;   // 10th and 90th percentile of the rounds' own ratios
};

// One batch on a device with memory of its own, step by step, by its clock: medians of passes between the slices.
struct DeviceTimes {
  double to_device_ms = 0, compute_ms = 0, to_host_ms = 0;
  bool as_bytes = false;  // the images came so, not as floats
};

struct SpeedResult {
  int batch = 1;
  double warm_up_ms = 0;
  std::int64_t warm_up_iterations = 0;
  std::int64_t samples = 0;                               // measured iterations
  double seconds = 0;                                     // their total time
  double images_per_second = 0;                           // samples * batch / seconds
  double mean_ms = 0, min_ms = 0, max_ms = 0;             // latency of one batch
  std::vector<std::pair<double, double>> percentiles_ms;  // (50, ...), ... nearest rank
  double cv = 0;                                          // standard deviation / mean of the latencies
  std::optional<DeviceTimes> device_times;                // absent where nothing is copied
  bool includes_transfers = false;
  bool valid = false;
  std::vector<std::string> reasons;    // why it is INVALID
  std::vector<std::string> noise;      // why it is NOISY by its own times
  bool disturbed = false;              // NOISY by what else happened on the machine (Conditions::noise)
  bool emulated = false;               // no device's times: not to be shown as a speed
  std::vector<std::string> warnings;   // variation, too few samples for a percentile
  std::optional<SpeedRatio> vs_first;  // absent for the first engine

  double percentile_ms(double percentile) const;  // must be one of percentiles_ms
  SpeedVerdict verdict() const;
};

// inputs: one or more batches of preprocessed images, used in turn.
std::vector<SpeedResult> run_speed(std::span<Engine* const> engines, std::span<const std::vector<float>> inputs,
                                   const SpeedOptions& options);

// Milliseconds of each of the engine's layers for one batch: the median of `repeats` runs after one that is not
// counted.
std::vector<double> time_layers(Engine& engine, std::span<const float> input, int batch, int repeats);

}  // namespace gpueval
