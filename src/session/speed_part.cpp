// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/stop_signal.h"
#include "gpueval/conditions.h"
#include "gpueval/latency.h"
#include "gpueval/roofline.h"
#include "gpueval/scenario.h"
#include "session/islands.h"
#include "session/parts.h"

namespace gpueval {
namespace {

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
  return node >= 0 && graph.node(node).integer.has_value();
}

// Roofs first lifted to the quickest layer: a roof below it was measured while the machine was busy.
void profile_runs(const EngineSet& set, std::span<RunReport> runs, DeviceRoofs& roofs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (const LayerReport& layer : runs[i].layers) {
      if (layer.ms) raise_roof(layer.info, is_integer(set.engines[i]->graph(), layer), runs[i].batch, *layer.ms, roofs);
    }
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const double total = layers_ms(runs[i]);
    for (LayerReport& layer : runs[i].layers) {
      if (!layer.ms || total <= 0) continue;
      layer.profile = profile_layer(layer.info, is_integer(set.engines[i]->graph(), layer), runs[i].batch, *layer.ms,
                                    *layer.ms / total, roofs, threads());
    }
  }
}

void find_server_rates(const Plan& plan, const EngineSet& set, const std::vector<std::vector<float>>& batches,
                       int batch, Observer& observer, std::span<RunReport> runs) {
  std::vector<std::vector<float>> images;
  const std::size_t image = batches.front().size() / static_cast<std::size_t>(batch);
  for (const std::vector<float>& input : batches) {
    for (auto at = input.begin(); at != input.end(); at += static_cast<std::ptrdiff_t>(image)) {
      images.emplace_back(at, at + static_cast<std::ptrdiff_t>(image));
    }
  }
  for (std::size_t i = 0; i < set.engines.size() && !StopSignal::raised(); ++i) {
    ServerOptions server{.batch = batch,
                         .latency_bound_ms = plan.speed->latency_bound_ms,
                         .warm_up_ms = plan.speed->warm_up_ms,
                         .duration_s = plan.speed->duration_s,
                         .iterations = plan.speed->iterations};
    server.stop = [] { return StopSignal::raised(); };
    server.progress = [&](double fraction, double rate) {
      observer.on_step(fmt::format("server scenario, {}: {:.0f}% of the search, trying {:.1f} queries/s",
                                   runs[i].label(), 100 * fraction, rate));
    };
    runs[i].server = find_server_rate(*set.engines[i], images, server);
  }
}

void time_batch(const Plan& plan, const Prepared& prepared, const EngineSet& set,
                const std::vector<std::vector<float>>& inputs, int batch, Observer& observer, std::span<RunReport> runs,
                std::vector<std::string>& notes) {
  SpeedOptions options = speed_options(*plan.speed, batch, observer);
  options.behind = postprocessing(prepared);
  options.detections = device_detections(prepared, set, inputs.front(), batch, notes);
  std::vector<SpeedResult> results = run_speed(set.engines, inputs, options);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (StopSignal::raised() && results[i].samples == 0) continue;  // nothing was measured
    runs[i].speed = std::move(results[i]);
  }
  for (std::size_t i = 0; i < runs.size() && !StopSignal::raised(); ++i) {
    runs[i].postprocessing =
        time_postprocessing(prepared, *set.engines[i], options.detections[i], inputs.front(), batch);
  }
  if (plan.speed->scenario == "server") find_server_rates(plan, set, inputs, batch, observer, runs);
}

void describe_runs(const EngineSet& set, int batch, bool several, std::span<RunReport> runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].device = set.engines[i]->device();
    runs[i].on_emulator = set.engines[i]->emulated();
    runs[i].batch = batch;
    runs[i].shows_batch = several;
    runs[i].arena_bytes = set.engines[i]->arena_bytes();
    fill_layers(runs[i], *set.engines[i], {}, false);
  }
}

// Of the first batch, whose runs they belong to.
void time_runs_layers(const EngineSet& set, const std::vector<float>& input, Observer& observer, Report& report) {
  const std::span<RunReport> runs = std::span(report.runs).first(set.engines.size());
  if (StopSignal::raised() || set.engines.front()->emulated()) return;  // the emulator's times would tell nothing
  const SystemReading begin = read_system();
  observer.on_step("measuring the roofs");
  const DeviceRoofs roofs = measure_roofs(set.engines.front()->device());
  if (!roofs.device.empty()) report.roofs = roofs;
  for (std::size_t i = 0; i < runs.size() && !StopSignal::raised(); ++i) {
    fill_layers(runs[i], *set.engines[i], input, true);
    report.layer_conditions = conditions_between(begin, read_system());
  }
  if (report.roofs) profile_runs(set, runs, *report.roofs);
}

// Behind the timed run, which it therefore cannot disturb.
void time_runs_islands(const EngineSet& set, const std::vector<float>& input, Observer& observer,
                       std::span<RunReport> runs) {
  for (std::size_t i = 0; i < runs.size() && !StopSignal::raised(); ++i) {
    if (!runs[i].islands) continue;
    observer.on_step(fmt::format("measuring the float32 layers of {}", runs[i].label()));
    time_islands(*set.engines[i], input, runs[i]);
  }
}

// The runs of a batch behind the first: the same rows, with nothing measured yet.
std::span<RunReport> runs_of(const Prepared& prepared, std::size_t turn, Report& report) {
  const std::size_t rows = prepared.rows.size();
  while (report.runs.size() < (turn + 1) * rows) {
    report.runs.push_back(empty_run(prepared.rows[report.runs.size() % rows]));
    RunReport& added = report.runs.back();  // the last engines took the rows' graphs
    added.islands = report.runs[(report.runs.size() - 1) % rows].islands;
    if (added.islands) added.islands->ms.reset(), added.islands->network_ms.reset();
  }
  return std::span(report.runs).subspan(turn * rows, rows);
}

}  // namespace

SpeedOptions speed_options(const SpeedPlan& plan, int batch, Observer& observer) {
  SpeedOptions speed;
  speed.batch = batch;
  speed.warm_up_ms = plan.warm_up_ms;
  speed.duration_s = plan.duration_s;
  speed.iterations = plan.iterations;
  speed.percentiles = plan.percentiles;
  speed.include_transfers = plan.include_transfers;
  for (const double usual : {50.0, 90.0, 99.0}) {  // the result's schema has these in any case
    if (std::find(speed.percentiles.begin(), speed.percentiles.end(), usual) == speed.percentiles.end()) {
      speed.percentiles.push_back(usual);
    }
  }
  speed.stop = [] { return StopSignal::raised(); };
  speed.progress = [&observer](const SpeedProgress& state) { observer.on_speed(state); };
  return speed;
}

void measure_speed(const Plan& plan, Prepared& prepared, Observer& observer, Report& report) {
  report.speed_input = prepared.data.images ? "data" : "synthetic";
  const std::vector<int> batches = plan.speed ? plan.speed->batches : std::vector{*plan.layers_batch};
  std::optional<GpuClock> gpu;
  std::optional<SystemReading> begin;
  for (std::size_t turn = 0; turn < batches.size() && !(turn > 0 && StopSignal::raised()); ++turn) {
    const int batch = batches[turn];
    const auto inputs = timing_inputs(plan, prepared.model, prepared.data, batch);
    const bool last = turn + 1 == batches.size() && !measures_layer_errors(plan);
    const EngineSet set =
        last ? make_last_engines(plan, prepared.rows, batch) : make_engines(plan, prepared.rows, batch);
    add_engine_notes(set, report);
    const std::span<RunReport> runs = runs_of(prepared, turn, report);
    if (plan.speed) {
      if (!begin) {
        gpu.emplace(device_info(set.engines.front()->device()).facts.bus_id);
        begin = read_system("/", &*gpu);
      }
      time_batch(plan, prepared, set, inputs, batch, observer, runs, report.notes);
      if (!report.runs.front().speed) stop_point();
      report.conditions = conditions_between(*begin, read_system("/", &*gpu));
    }
    describe_runs(set, batch, batches.size() > 1, runs);
    if (plan.layers_batch && turn == 0) time_runs_layers(set, inputs.front(), observer, report);
    time_runs_islands(set, inputs.front(), observer, runs);
  }
  for (RunReport& run : report.runs) {
    if (run.speed) run.speed->disturbed = !report.conditions->noise().empty();
    if (run.server) run.server->disturbed = !report.conditions->noise().empty();
  }
  report.interrupted = report.interrupted || StopSignal::raised();
}

}  // namespace gpueval
