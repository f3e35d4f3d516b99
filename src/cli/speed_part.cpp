// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/parts.h"
#include "cli/start_report.h"
#include "core/stop_signal.h"
#include "gpueval/accuracy.h"
#include "gpueval/conditions.h"
#include "gpueval/latency.h"
#include "gpueval/roofline.h"
#include "gpueval/scenario.h"

namespace gpueval::cli {
namespace {

constexpr int kInputImages = 16;  // batches to take turns: together at least so many images, where the data has them
constexpr int kLayerRepeats = 11;

void fill_layers(RunReport& row, Engine& engine, const std::vector<float>& input, bool timed) {
  std::vector<double> ms;
  if (timed) ms = time_layers(engine, input, row.batch, kLayerRepeats);
  row.layers.clear();
  for (std::size_t i = 0; i < engine.layers().size(); ++i) {
    row.layers.push_back({engine.layers()[i], timed ? std::optional(ms[i]) : std::nullopt});
  }
}

bool is_integer(const Graph& graph, const LayerReport& layer) {
  const int node = graph.find(layer.info.name);
  return node >= 0 && graph.nodes[static_cast<std::size_t>(node)].integer.has_value();
}

// Roofs first lifted to the quickest layer: a roof below it was measured while the machine was busy.
void profile_runs(const EngineSet& set, Report& report) {
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    for (const LayerReport& layer : report.runs[i].layers) {
      if (layer.ms)
        raise_roof(layer.info, is_integer(set.engines[i]->graph(), layer), report.runs[i].batch, *layer.ms,
                   *report.roofs);
    }
  }
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    RunReport& row = report.runs[i];
    const double total = layers_ms(row);
    for (LayerReport& layer : row.layers) {
      if (!layer.ms || total <= 0) continue;
      layer.profile = profile_layer(layer.info, is_integer(set.engines[i]->graph(), layer), row.batch, *layer.ms,
                                    *layer.ms / total, *report.roofs, threads());
    }
  }
}

}  // namespace

std::vector<std::vector<float>> timing_inputs(const Options& options, const LoadedModel& model, const LoadedData& data,
                                              int batch) {
  const InputSpec& input = model.spec->input;
  const auto synthetic = open_synthetic(input.height, input.width, kInputImages, options.seed);
  const Dataset& images = data.images ? *data.images : *synthetic;
  const std::size_t elements = static_cast<std::size_t>(input.height) * static_cast<std::size_t>(input.width) * 3;
  const auto wanted = static_cast<std::size_t>(batch) * static_cast<std::size_t>(std::max(1, kInputImages / batch));
  std::vector<float> pixels;
  const auto source = image_source(images, input, parse_resizing(options.preprocess), 0, images.size(), nullptr);
  for (std::vector<float> part;
       pixels.size() < wanted * elements && source(part, std::min<int>(batch, kInputImages)) > 0;) {
    pixels.insert(pixels.end(), part.begin(), part.end());
  }
  const std::size_t found = pixels.size();
  pixels.resize(wanted * elements);
  for (std::size_t i = found; i < pixels.size(); ++i) pixels[i] = pixels[i - found];
  std::vector<std::vector<float>> inputs;
  const std::size_t step = static_cast<std::size_t>(batch) * elements;
  for (std::size_t i = 0; i < pixels.size(); i += step) {
    inputs.emplace_back(pixels.begin() + static_cast<std::ptrdiff_t>(i),
                        pixels.begin() + static_cast<std::ptrdiff_t>(i + step));
  }
  return inputs;
}

SpeedOptions speed_options(const Options& options, int batch, Progress& progress) {
  SpeedOptions speed;
  speed.batch = batch;
  speed.warm_up_ms = options.warm_up_ms;
  speed.duration_s = options.duration_s;
  speed.iterations = options.iterations;
  speed.percentiles = options.percentiles;
  speed.include_transfers = options.include_transfers;
  for (const double usual : {50.0, 90.0, 99.0}) {  // the result's schema has these in any case
    if (std::find(speed.percentiles.begin(), speed.percentiles.end(), usual) == speed.percentiles.end()) {
      speed.percentiles.push_back(usual);
    }
  }
  speed.stop = [] { return StopSignal::raised(); };
  speed.progress = [&progress](const SpeedProgress& state) { progress.show(state); };
  return speed;
}

namespace {

constexpr int kOfflineBatch = 16;

int speed_batch(const Options& options) {
  return options.batch.value_or(options.scenario == "offline" ? kOfflineBatch : 1);
}

void find_server_rates(const Options& options, const EngineSet& set, const std::vector<std::vector<float>>& batches,
                       Progress& progress, Report& report) {
  std::vector<std::vector<float>> images;
  const std::size_t image = batches.front().size() / static_cast<std::size_t>(speed_batch(options));
  for (const std::vector<float>& batch : batches) {
    for (auto at = batch.begin(); at != batch.end(); at += static_cast<std::ptrdiff_t>(image)) {
      images.emplace_back(at, at + static_cast<std::ptrdiff_t>(image));
    }
  }
  for (std::size_t i = 0; i < set.engines.size() && !StopSignal::raised(); ++i) {
    ServerOptions server{.batch = speed_batch(options),
                         .latency_bound_ms = options.latency_bound_ms,
                         .warm_up_ms = options.warm_up_ms,
                         .duration_s = options.duration_s,
                         .iterations = options.iterations};
    server.stop = [] { return StopSignal::raised(); };
    server.progress = [&](double fraction, double rate) {
      progress.show(fmt::format("server scenario, {}: {:.0f}% of the search, trying {:.1f} queries/s",
                                report.runs[i].label(), 100 * fraction, rate));
    };
    report.runs[i].server = find_server_rate(*set.engines[i], images, server);
  }
}

}  // namespace

void measure_speed(const Options& options, const LoadedModel& model, const LoadedData& data,
                   const std::vector<Graph>& lowered, Progress& progress, Report& report) {
  const int batch = speed_batch(options);
  report.speed_input = data.images ? "data" : "synthetic";
  const auto inputs = timing_inputs(options, model, data, batch);
  const EngineSet set = make_engines(options, lowered, batch);
  add_engine_notes(set, report);
  if (options.mode != "accuracy") {
    const GpuClock gpu(set.engines.front()->device() == "cuda" ? report.host.gpu_bus_id : "");
    const SystemReading begin = read_system("/", &gpu);
    std::vector<SpeedResult> results = run_speed(set.engines, inputs, speed_options(options, batch, progress));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (StopSignal::raised() && results[i].samples == 0) continue;  // nothing was measured
      report.runs[i].speed = std::move(results[i]);
    }
    if (!report.runs.front().speed) stop_point();
    if (options.scenario == "server") find_server_rates(options, set, inputs, progress, report);
    report.conditions = conditions_between(begin, read_system("/", &gpu));
    for (RunReport& run : report.runs) {
      if (run.speed) run.speed->disturbed = !report.conditions->noise().empty();
      if (run.server) run.server->disturbed = !report.conditions->noise().empty();
    }
  }
  const SystemReading layers_begin = read_system();
  if (options.per_layer && !StopSignal::raised()) {
    progress.show("measuring the roofs");
    const DeviceRoofs roofs = measure_roofs(set.engines.front()->device());
    if (!roofs.device.empty()) report.roofs = roofs;
  }
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    RunReport& row = report.runs[i];
    row.device = set.engines[i]->device();
    row.batch = batch;
    row.arena_bytes = set.engines[i]->arena_bytes();
    // The emulator's times would tell nothing.
    const bool timed = options.per_layer && !StopSignal::raised() && row.device != "emu";
    fill_layers(row, *set.engines[i], inputs.front(), timed);
    if (timed) report.layer_conditions = conditions_between(layers_begin, read_system());
  }
  if (report.roofs) profile_runs(set, report);
  report.interrupted = report.interrupted || StopSignal::raised();
}

}  // namespace gpueval::cli
