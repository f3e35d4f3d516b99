// SPDX-License-Identifier: Apache-2.0
#include "gpueval/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "core/clock.h"
#include "core/random.h"
#include "gpueval/error.h"
#include "task/statistics.h"

namespace gpueval {
namespace {

constexpr double kResolution = 0.02;  // of the capacity
constexpr double kSpin_s = 200e-6;    // sleeping overshoots by about this: the rest of a wait is spent looking

void sleep_and_spin_until(double time) {
  const double left = time - steady_seconds();
  if (left > kSpin_s) std::this_thread::sleep_for(std::chrono::duration<double>(left - kSpin_s));
  while (steady_seconds() < time) {
  }
}

class Server {
 public:
  Server(Engine& engine, std::span<const std::vector<float>> inputs, const ServerOptions& options)
      : engine_(engine),
        inputs_(inputs),
        options_(options),
        image_(inputs.front().size()),
        pixels_(image_ * static_cast<std::size_t>(options.batch)),
        outputs_(engine.graph(), options.batch) {}

  bool stopped() const { return options_.stop && options_.stop(); }

  // Images per second of full batches, one behind the other.
  double capacity() {
    answer(options_.batch);
    const double begin = now();
    std::int64_t images = 0;
    do {
      answer(options_.batch);
      images += options_.batch;
    } while (!stopped() && (now() - begin) * 1e3 < options_.warm_up_ms);
    return static_cast<double>(images) / (now() - begin);
  }

  ServerTrial trial(double rate, std::int64_t least_queries = 1) {
    const auto enough = static_cast<std::int64_t>(std::ceil(rate * options_.duration_s));
    const std::int64_t queries = std::max({enough, options_.iterations, least_queries});
    // Nearest rank: so many may be late.
    const std::int64_t may_be_late =
        queries - static_cast<std::int64_t>(std::ceil(options_.percentile / 100 * static_cast<double>(queries) - 1e-9));
    const std::vector<double> arrivals = arrival_times(rate, queries, options_.seed);
    std::vector<double> latencies_ms;
    std::int64_t late = 0, runs = 0;
    const double begin = now();
    std::int64_t next = 0;
    while (next < queries && late <= may_be_late && !stopped()) {
      const auto arrival = [&](std::int64_t i) { return begin + arrivals[static_cast<std::size_t>(i)]; };
      if (now() < arrival(next)) sleep_until(arrival(next));
      std::int64_t waiting = 1;
      while (waiting < options_.batch && next + waiting < queries && arrival(next + waiting) <= now()) ++waiting;
      answer(static_cast<int>(waiting));
      ++runs;
      const double done = now();
      for (std::int64_t i = next; i < next + waiting; ++i) {
        latencies_ms.push_back((done - arrival(i)) * 1e3);
        if (latencies_ms.back() > options_.latency_bound_ms) ++late;
      }
      next += waiting;
    }
    return summary(rate, latencies_ms, now() - begin, runs, next == queries);
  }

 private:
  double now() const { return options_.now ? options_.now() : steady_seconds(); }
  void sleep_until(double time) const {
    options_.sleep_until ? options_.sleep_until(time) : sleep_and_spin_until(time);
  }

  void answer(int n) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      const std::vector<float>& input = inputs_[next_input_++ % inputs_.size()];
      std::copy(input.begin(), input.end(), pixels_.begin() + static_cast<std::ptrdiff_t>(i * image_));
    }
    engine_.run(pixels_, n, outputs_);
  }

  ServerTrial summary(double rate, std::vector<double> latencies_ms, double seconds, std::int64_t runs,
                      bool complete) const {
    ServerTrial trial{.rate = rate, .queries = std::ssize(latencies_ms), .seconds = seconds, .complete = complete};
    if (latencies_ms.empty()) return trial;
    std::sort(latencies_ms.begin(), latencies_ms.end());
    trial.mean_ms = mean(latencies_ms);
    trial.p50_ms = percentile(latencies_ms, 50);
    trial.p90_ms = percentile(latencies_ms, 90);
    trial.p99_ms = percentile(latencies_ms, 99);
    trial.max_ms = latencies_ms.back();
    trial.bound_percentile_ms = percentile(latencies_ms, options_.percentile);
    trial.mean_batch = static_cast<double>(trial.queries) / static_cast<double>(runs);
    trial.met = complete && trial.bound_percentile_ms <= options_.latency_bound_ms;
    return trial;
  }

  Engine& engine_;
  std::span<const std::vector<float>> inputs_;
  const ServerOptions& options_;
  std::size_t image_;
  std::vector<float> pixels_;
  OutputBuffers outputs_;
  std::size_t next_input_ = 0;
};

void judge(const ServerOptions& options, bool finished, ServerResult& result) {
  if (!finished) result.reasons.push_back("the search was interrupted");
  const ServerTrial* best = result.best();
  if (finished && best == nullptr) {
    result.reasons.push_back(fmt::format("no arrival rate down to {:.3g} queries/s keeps p{:g} within {:g} ms",
                                         result.trials.empty() ? 0.0 : result.trials.back().rate, options.percentile,
                                         options.latency_bound_ms));
  }
  if (finished && best != nullptr && best->queries < kConfirmingQueries) {
    result.reasons.push_back(
        fmt::format("p{:g} of only {} queries at {:.3g} queries/s: it needs {}, which --iterations {} or --duration "
                    "{:.0f} asks for",
                    options.percentile, best->queries, best->rate, kConfirmingQueries, kConfirmingQueries,
                    std::ceil(static_cast<double>(kConfirmingQueries) / best->rate)));
  }
  result.valid = result.reasons.empty();
}

// A percentile of few queries is chance: a trial of enough of them at the rate found, or at lower ones until one holds.
// False if interrupted.
bool confirm(Server& server, const ServerOptions& options, double step, ServerResult& result) {
  const ServerTrial* best = result.best();
  if (best == nullptr || best->queries >= kConfirmingQueries) return true;
  for (double rate = best->rate; rate > 0; rate -= step) {
    if (static_cast<double>(kConfirmingQueries) / rate > kLongestConfirmation_s) return true;
    if (options.progress) options.progress(1, rate);
    const ServerTrial trial = server.trial(rate, kConfirmingQueries);
    if (server.stopped() && !trial.complete) return false;
    result.trials.push_back(trial);
    if (!trial.met) continue;
    result.queries_per_second = rate;
    return true;
  }
  result.queries_per_second = 0;
  return true;
}

}  // namespace

const ServerTrial* ServerResult::best() const {
  const auto best = std::find_if(trials.rbegin(), trials.rend(), [this](const ServerTrial& trial) {
    return trial.met && trial.rate == queries_per_second;
  });
  return best != trials.rend() ? &*best : nullptr;
}

SpeedVerdict ServerResult::verdict() const {
  if (!valid) return SpeedVerdict::kInvalid;
  return disturbed ? SpeedVerdict::kNoisy : SpeedVerdict::kValid;
}

std::vector<double> arrival_times(double rate, std::int64_t queries, std::uint64_t seed) {
  Random random(seed);
  std::vector<double> times;
  double time = 0;
  for (std::int64_t i = 0; i < queries; ++i) {
    time -= std::log(1.0 - random.uniform()) / rate;
    times.push_back(time);
  }
  return times;
}

ServerResult find_server_rate(Engine& engine, std::span<const std::vector<float>> inputs,
                              const ServerOptions& options) {
  GPUEVAL_CHECK(!inputs.empty() && options.batch > 0 && options.latency_bound_ms > 0 && options.percentile < 100,
                "{} inputs, batch {}, p{} within {} ms", inputs.size(), options.batch, options.percentile,
                options.latency_bound_ms);
  Server server(engine, inputs, options);
  ServerResult result{
      .latency_bound_ms = options.latency_bound_ms, .percentile = options.percentile, .batch = options.batch};
  result.emulated = engine.emulated();
  result.capacity = server.capacity();
  double low = 0, high = result.capacity;
  const double first_gap = high - low, last_gap = kResolution * result.capacity;
  while (high - low > last_gap && !server.stopped()) {
    if (options.progress) {
      options.progress(std::log(first_gap / (high - low)) / std::log(first_gap / last_gap), (low + high) / 2);
    }
    const ServerTrial trial = server.trial((low + high) / 2);
    if (server.stopped() && !trial.complete) break;
    (trial.met ? low : high) = trial.rate;
    result.trials.push_back(trial);
  }
  result.queries_per_second = low;
  const bool found = high - low <= last_gap;
  judge(options, found && confirm(server, options, last_gap, result), result);
  return result;
}

}  // namespace gpueval
