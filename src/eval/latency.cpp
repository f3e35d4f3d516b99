// SPDX-License-Identifier: Apache-2.0
#include "gpueval/latency.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "core/clock.h"
#include "core/stop_signal.h"
#include "gpueval/detector.h"
#include "gpueval/error.h"
#include "task/statistics.h"

namespace gpueval {
namespace {

constexpr double kQuietCv = 0.025;

// One engine's samples.
struct Lane {
  Engine* engine;
  DeviceClock* clock;
  DeviceDetection* detection;
  OutputBuffers outputs;
  std::vector<std::vector<FoundBox>> found;
  std::vector<double> latencies_ms;
  double seconds = 0;
  std::vector<double> round_rates;  // images per second of each finished slice
  std::int64_t warm_up_iterations = 0;
  double warm_up_seconds = 0;
  std::size_t next_input = 0;
  std::vector<DeviceTimes> device_times;
};

class SpeedSession {
 public:
  SpeedSession(std::span<Engine* const> engines, std::span<const std::vector<float>> inputs,
               const SpeedOptions& options)
      : inputs_(inputs), options_(options) {
    for (std::size_t i = 0; i < engines.size(); ++i) {
      DeviceDetection* detection = i < options.detections.size() ? options.detections[i] : nullptr;
      lanes_.push_back({engines[i], engines[i]->device_clock(), detection,
                        OutputBuffers(engines[i]->graph(), options.batch),
                        std::vector<std::vector<FoundBox>>(static_cast<std::size_t>(options.batch))});
    }
  }

  std::vector<SpeedResult> run() {
    try {
      measure();
    } catch (const Interrupted&) {  // in the middle of an iteration: those before count
    }
    std::vector<SpeedResult> results;
    for (const Lane& lane : lanes_) results.push_back(summarize(lane));
    return results;
  }

 private:
  void measure() {
    for (Lane& lane : lanes_) warm_up(lane);
    while (!stopped() && !std::all_of(lanes_.begin(), lanes_.end(), [this](const Lane& lane) { return done(lane); })) {
      for (Lane& lane : lanes_) slice(lane);
      if (options_.progress) options_.progress(progress());
    }
  }

  double now() const { return options_.now ? options_.now() : steady_seconds(); }
  bool stopped() const { return options_.stop && options_.stop(); }
  bool done(const Lane& lane) const {
    return lane.seconds >= options_.duration_s &&
           static_cast<std::int64_t>(lane.latencies_ms.size()) >= options_.iterations;
  }

  const std::vector<float>& next_input(Lane& lane) const { return inputs_[lane.next_input++ % inputs_.size()]; }

  // Seconds of one iteration.
  double iterate(Lane& lane) {
    if (lane.clock != nullptr && !options_.include_transfers) {
      if (lane.detection != nullptr) return lane.detection->detect_loaded();
      const double seconds = lane.clock->run_loaded();
      if (options_.behind) lane.clock->fetch(lane.outputs);
      return seconds + work_behind(lane);
    }
    const std::vector<float>& input = next_input(lane);
    const double start = now();
    if (lane.detection != nullptr) {
      lane.detection->detect(input, options_.batch, lane.found);
      return now() - start;
    }
    lane.engine->run(input, options_.batch, lane.outputs);
    if (options_.behind) options_.behind(lane.outputs, options_.batch);
    return now() - start;
  }

  double work_behind(const Lane& lane) const {
    if (!options_.behind) return 0;
    const double start = now();
    options_.behind(lane.outputs, options_.batch);
    return now() - start;
  }

  // Brings other images to the device.
  DeviceTimes exchange(Lane& lane) {
    DeviceTimes times;
    times.to_device_ms = lane.clock->load(next_input(lane), options_.batch) * 1e3;
    times.as_bytes = lane.clock->loaded_bytes();
    const bool detects = lane.detection != nullptr;
    times.compute_ms = (detects ? lane.detection->detect_loaded() : lane.clock->run_loaded()) * 1e3;
    times.to_host_ms = (detects ? lane.detection->fetch_found(lane.found) : lane.clock->fetch(lane.outputs)) * 1e3;
    return times;
  }

  void warm_up(Lane& lane) {
    if (lane.clock != nullptr) exchange(lane);
    do {
      lane.warm_up_seconds += iterate(lane);
      ++lane.warm_up_iterations;
    } while (!stopped() && lane.warm_up_seconds * 1e3 < options_.warm_up_ms);
  }

  // At least one iteration. A first one is not counted, as it finds the caches full of another engine's data; that is
  // lost in the noise where one iteration takes as long as a slice.
  void slice(Lane& lane) {
    if (stopped()) return;
    const bool slow = !lane.latencies_ms.empty() && lane.latencies_ms.back() > options_.slice_ms;
    if (lane.clock != nullptr && (!slow || lane.device_times.empty())) {
      lane.device_times.push_back(exchange(lane));
    } else if (lanes_.size() > 1 && !slow) {
      iterate(lane);
    }
    double seconds = 0;
    std::int64_t count = 0;
    do {
      if (stopped()) return;
      const double latency = iterate(lane);
      lane.latencies_ms.push_back(latency * 1e3);
      lane.seconds += latency;
      seconds += latency;
      ++count;
    } while (seconds * 1e3 < options_.slice_ms);
    lane.round_rates.push_back(static_cast<double>(count * options_.batch) / seconds);
  }

  double rate(const Lane& lane) const {
    return lane.seconds > 0 ? static_cast<double>(lane.latencies_ms.size()) * options_.batch / lane.seconds : 0;
  }

  SpeedProgress progress() const {
    SpeedProgress result{1, {}};
    for (const Lane& lane : lanes_) {
      const double time = options_.duration_s > 0 ? lane.seconds / options_.duration_s : 1;
      const double count = static_cast<double>(lane.latencies_ms.size()) /
                           static_cast<double>(std::max<std::int64_t>(options_.iterations, 1));
      result.fraction = std::min({result.fraction, time, count});
      result.images_per_second.push_back(rate(lane));
    }
    return result;
  }

  SpeedResult summarize(const Lane& lane) const {
    SpeedResult result;
    result.batch = options_.batch;
    result.warm_up_ms = lane.warm_up_seconds * 1e3;
    result.warm_up_iterations = lane.warm_up_iterations;
    result.samples = static_cast<std::int64_t>(lane.latencies_ms.size());
    result.seconds = lane.seconds;
    result.images_per_second = rate(lane);
    std::vector<double> sorted = lane.latencies_ms;
    std::sort(sorted.begin(), sorted.end());
    if (result.samples > 0) {
      result.mean_ms = mean(sorted);
      result.min_ms = sorted.front();
      result.max_ms = sorted.back();
      result.cv = coefficient_of_variation(sorted);
    }
    for (const double p : options_.percentiles) {
      result.percentiles_ms.emplace_back(p, sorted.empty() ? 0 : percentile(sorted, p));
    }
    result.emulated = lane.engine->emulated();
    result.includes_transfers = lane.clock != nullptr && options_.include_transfers;
    if (!lane.device_times.empty()) result.device_times = device_times(lane);
    judge_validity(lane, result);
    if (&lane != &lanes_.front()) result.vs_first = ratio(lane);
    return result;
  }

  static DeviceTimes device_times(const Lane& lane) {
    const auto middle = [&](double DeviceTimes::*part) {
      std::vector<double> values;
      for (const DeviceTimes& times : lane.device_times) values.push_back(times.*part);
      return median(std::move(values));
    };
    return {middle(&DeviceTimes::to_device_ms), middle(&DeviceTimes::compute_ms), middle(&DeviceTimes::to_host_ms),
            lane.device_times.back().as_bytes};
  }

  void judge_validity(const Lane& lane, SpeedResult& result) const {
    if (lane.seconds < options_.duration_s) {
      result.reasons.push_back(
          fmt::format("measured for {:.2f} s, at least {:g} s were asked for", lane.seconds, options_.duration_s));
    }
    if (result.samples < options_.iterations) {
      result.reasons.push_back(
          fmt::format("{} iterations, at least {} were asked for", result.samples, options_.iterations));
    }
    result.valid = result.reasons.empty() && result.samples > 0;
    if (result.samples == 0 && result.reasons.empty()) result.reasons.push_back("no iteration was measured");
    judge_variation(lane, result);
    double highest = 0;
    for (const double p : options_.percentiles) highest = std::max(highest, p);
    // With fewer samples the nearest rank of p is the slowest sample itself.
    if (highest < 100 && result.samples > 0 && static_cast<double>(result.samples) * (100 - highest) < 100 - 1e-9) {
      result.warnings.push_back(fmt::format(
          "p{:g} of only {} samples is the slowest of them; a longer --duration tells more", highest, result.samples));
    }
  }

  static void judge_variation(const Lane& lane, SpeedResult& result) {
    if (result.cv > kQuietCv) {
      result.warnings.push_back(fmt::format("latency varies by {:.1f}% (coefficient of variation; quiet: below {:g}%)",
                                            100 * result.cv, 100 * kQuietCv));
    }
    if (result.cv > kNoiseBounds.latency_cv) {
      result.noise.push_back(fmt::format("latency varies by {:.1f}% (coefficient of variation; bound {:g}%)",
                                         100 * result.cv, 100 * kNoiseBounds.latency_cv));
    }
    if (std::ssize(lane.round_rates) < kNoiseBounds.least_rounds) return;
    std::vector<double> rates = lane.round_rates;
    std::sort(rates.begin(), rates.end());
    const double spread = (percentile(rates, 90) - percentile(rates, 10)) / percentile(rates, 50);
    if (spread > kNoiseBounds.rounds_spread) {
      result.noise.push_back(
          fmt::format("images/s of the {} rounds lie {:.1f}% apart (10th to 90th percentile; bound {:g}%)",
                      rates.size(), 100 * spread, 100 * kNoiseBounds.rounds_spread));
    }
  }

  SpeedRatio ratio(const Lane& lane) const {
    const Lane& first = lanes_.front();
    std::vector<double> rounds;
    for (std::size_t i = 0; i < std::min(lane.round_rates.size(), first.round_rates.size()); ++i) {
      rounds.push_back(lane.round_rates[i] / first.round_rates[i]);
    }
    SpeedRatio result;
    result.ratio = rate(first) > 0 ? rate(lane) / rate(first) : 0;
    result.spread = {result.ratio, result.ratio};
    if (!rounds.empty()) {
      std::sort(rounds.begin(), rounds.end());
      result.spread = {percentile(rounds, 10), percentile(rounds, 90)};
    }
    return result;
  }

  std::span<const std::vector<float>> inputs_;
  const SpeedOptions& options_;
  std::vector<Lane> lanes_;
};

}  // namespace

double SpeedResult::percentile_ms(double wanted) const {
  for (const auto& [percent, value] : percentiles_ms) {
    if (percent == wanted) return value;
  }
  fail("internal error: percentile {} was not measured", wanted);
}

SpeedVerdict SpeedResult::verdict() const {
  if (!valid) return SpeedVerdict::kInvalid;
  return disturbed || !noise.empty() ? SpeedVerdict::kNoisy : SpeedVerdict::kValid;
}

std::vector<SpeedResult> run_speed(std::span<Engine* const> engines, std::span<const std::vector<float>> inputs,
                                   const SpeedOptions& options) {
  GPUEVAL_CHECK(!inputs.empty() && options.batch > 0, "{} inputs, batch {}", inputs.size(), options.batch);
  return SpeedSession(engines, inputs, options).run();
}

std::vector<double> time_layers(Engine& engine, std::span<const float> input, int batch, int repeats) {
  const std::size_t layers = engine.layers().size();
  const OutputBuffers outputs(engine.graph(), batch);
  std::vector<std::vector<double>> samples(layers);
  for (int i = 0; i <= repeats; ++i) {
    std::vector<double> seconds(layers, 0.0);
    engine.run_timed(input, batch, outputs, seconds);
    if (i == 0) continue;
    for (std::size_t l = 0; l < layers; ++l) samples[l].push_back(seconds[l] * 1e3);
  }
  std::vector<double> medians;
  for (std::vector<double>& sample : samples) medians.push_back(median(std::move(sample)));
  return medians;
}

}  // namespace gpueval
