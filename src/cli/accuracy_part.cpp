// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>
#include <span>
#include <utility>

#include "cli/parts.h"
#include "cli/start_report.h"
#include "cli/terminal.h"
#include "core/cache_folder.h"
#include "core/sha256.h"
#include "core/stop_signal.h"
#include "cpu/int8/int8_conv.h"
#include "gpueval/accuracy.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

constexpr int kBatch = 16;  // enough for full speed, small in memory

std::string digest(const std::string& text) {
  Sha256 sum;
  sum.update(text);
  return sum.hex();
}

// What else decides the bits of float32 sums.
std::string library_isa() {
  std::string text;
  for (const char* name : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_CPU_ISA_HINTS", "DNNL_CPU_ISA_HINTS"}) {
    if (const char* value = std::getenv(name)) text += fmt::format(" {}={}", name, value);
  }
  return text;
}

template <typename T>
void add(Sha256& sum, const std::vector<T>& values) {
  sum.update(std::as_bytes(std::span(values)));
}

// Scales, weights and biases of the integer layers: whatever recipe made them. Float32 weights are in weights_id.
std::string digest_of(const std::vector<Graph>& lowered) {
  Sha256 sum;
  for (const Graph& graph : lowered) {
    for (const Node& node : graph.nodes) {
      sum.update(fmt::format("{} {}\n", node.name, to_string(node.type.dtype)));
      add(sum, node.type.scale);
      if (!node.integer) continue;
      const IntegerOp& integer = *node.integer;
      sum.update(fmt::format("{:a} {:a} {:a} {} {:a}\n", integer.lo, integer.hi, integer.residual_scale,
                             integer.dynamic, integer.weight_scale));
      if (integer.weights) add(sum, *integer.weights);
      add(sum, integer.m);
      add(sum, integer.b);
    }
  }
  return sum.hex();
}

}  // namespace

std::string journal_key(const Options& options, const LoadedModel& model, const LoadedData& data,
                        const JudgedSet& judged, const std::vector<Graph>& lowered, int batch) {
  const ToolInfo tool = tool_info();
  const HostInfo host = host_info();
  std::string key = fmt::format("tool {} {}\nhost {} {} {} {} threads {}\n", tool.version, tool.revision, host.cpu,
                                host.gpu, host.driver, host.cudnn, host.threads);
  key += fmt::format("device {} instructions {}{} kernel '{}' batch {}\n", options.device, cpu::best_isa(),
                     library_isa(), options.kernel, batch);
  key += fmt::format("model {} {} weights {}\n", model.graph.name, model.report.variant, model.weights_id);
  key += fmt::format("data {} {} {}\nimages {} from {} labels {}\npreprocessing {}\n", data.images->kind(),
                     std::filesystem::absolute(data.images->path()).string(), judged.images->state(),
                     judged.indices.size(), judged.indices.front(),
                     target_sha256(*judged.images, 0, judged.indices.size()),
                     preprocessing_name(*data.images, model.spec->input, parse_resizing(options.preprocess)));
  key += fmt::format("precisions {}\nscheme {} depthwise {} activations {}\nnetworks {}\n",
                     fmt::join(options.precisions, ","), options.scheme, options.depthwise, options.activations,
                     digest_of(lowered));
  return key;
}

std::string measure_accuracy(const Options& options, const LoadedModel& model, const LoadedData& data,
                             const JudgedSet& judged, const std::vector<Graph>& lowered, Progress& progress,
                             Report& report) {
  const int batch = options.mode == "accuracy" ? options.batch.value_or(kBatch) : kBatch;
  const EngineSet set = make_engines(options, lowered, batch);
  add_engine_notes(set, report);

  AccuracyOptions accuracy;
  accuracy.input = model.spec->input;
  accuracy.resizing = parse_resizing(options.preprocess);
  accuracy.preprocess_on_device = options.preprocess_on == "device";
  if (accuracy.preprocess_on_device && !only_resizes(*data.images)) {
    fail_usage(
        "--preprocess-on device: a device only resizes, and the images of {} are resized bicubically and cropped",
        data.images->path());
  }
  accuracy.count = judged.indices.size();
  accuracy.batch = batch;
  accuracy.resume = options.resume;
  if (const std::string folder = cache_folder(); !folder.empty()) {
    accuracy.journal_key = journal_key(options, model, data, judged, lowered, batch);
    accuracy.journal = folder + "/" + digest(accuracy.journal_key).substr(0, 32) + ".journal";
  }
  accuracy.save_logits = options.save_logits;
  accuracy.stop = [] { return StopSignal::raised(); };
  accuracy.progress = [&](const AccuracyProgress& state) { progress.show(state); };
  AccuracyRun run = run_accuracy(*judged.images, set.engines, accuracy);
  for (SkippedImage& image : run.skipped) image.index = judged.indices[image.index];
  if (run.rows.front().images == 0) stop_point();  // nothing to report
  if (accuracy.journal.empty()) run.journal_problem = kNoCacheFolder;
  if (!run.journal_problem.empty()) {
    report.notes.push_back("There is no journal, so --resume cannot continue this run: " + run.journal_problem);
    print_note(report.notes.back());
  }

  report.data = DataReport{data.images->path(),
                           data.images->kind(),
                           preprocessing_name(*data.images, accuracy.input, accuracy.resizing),
                           judged.indices.front(),
                           judged.indices.size(),
                           target_sha256(*judged.images, 0, judged.indices.size()),
                           std::move(run.skipped),
                           run.replayed,
                           run.seconds,
                           options.preprocess_on,
                           data.images->ground_truth().mapping,
                           judged.indices.back(),
                           data.images->size(),
                           indices_sha256(judged.indices)};
  report.interrupted = run.interrupted;
  report.output_errors = std::move(run.output_errors);
  for (std::size_t i = 0; i < run.rows.size(); ++i) {
    RunReport& row = report.runs[i];
    row.device = set.engines[i]->device();
    row.batch = batch;
    row.accuracy = std::move(run.rows[i]);
    row.arena_bytes = set.engines[i]->arena_bytes();
    row.layers.clear();
    for (const LayerInfo& layer : set.engines[i]->layers()) row.layers.push_back({layer, std::nullopt});
    if (i > 0) row.vs_first = compare_paired(*report.runs.front().accuracy, *row.accuracy);
  }
  return run.journal_problem.empty() ? accuracy.journal : "";
}

void forget_journal(const std::string& journal) {
  if (journal.empty() || lost_output() != 0 || StopSignal::raised()) return;
  std::error_code ignored;
  std::filesystem::remove(journal, ignored);
}

}  // namespace gpueval::cli
