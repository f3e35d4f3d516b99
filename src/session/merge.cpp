// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gpueval/error.h"
#include "session/parts.h"
#include "session/start_report.h"

namespace gpueval {
namespace {

// Everything that must be the same of parts of one measurement, as text.
std::string identity(const Report& report) {
  const DataReport& data = *report.data;
  std::string text =
      fmt::format("{} {:g} {} {} {} {}\n{} {} {} {} {}\n", report.model.name, report.model.alpha, report.model.variant,
                  report.model.weights_sha256, report.model.seed.value_or(0), report.task, data.indices_sha256,
                  data.target_sha256, data.count, data.preprocessing, report.shard->count);
  for (const RunReport& run : report.runs) {
    text += fmt::format("{} {} {}", run.label(), run.depthwise, run.forced_kernel);
    if (run.quantization) {
      const QuantizationReport& q = *run.quantization;
      text += fmt::format(" {} {} {}", q.scheme, q.activations, q.calibration_images);
      for (const auto* names : {&q.corrections, &q.float_layers}) {
        for (const std::string& name : *names) text += ' ' + name;
      }
    }
    text += '\n';
  }
  return text;
}

void check_shards(const std::vector<Report>& shards) {
  if (shards.empty()) fail_usage("merge: there is no shard");
  for (const Report& report : shards) {
    if (!report.shard || !report.data) fail("merge: a result is of no shard of an accuracy run");
    const std::string name = fmt::format("shard {} of {}", report.shard->index, report.shard->count);
    if (report.interrupted) fail("merge: {} was interrupted; finish it first", name);
    if (identity(report) != identity(shards.front()))
      fail("merge: {} is of another measurement: network, weights, rows, images or preprocessing differ", name);
  }
  const int count = shards.front().shard->count;
  for (int index = 1; index <= count; ++index) {
    const auto found =
        std::count_if(shards.begin(), shards.end(), [&](const Report& report) { return report.shard->index == index; });
    if (found != 1) fail("merge: shard {} of {} is {}", index, count, found == 0 ? "missing" : "there twice");
  }
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>& from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

void append_new(std::vector<std::string>& to, const std::vector<std::string>& from) {
  for (const std::string& text : from) {
    if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
  }
}

void join(Report& whole, Report& next) {
  for (std::size_t i = 0; i < whole.runs.size(); ++i) {
    AccuracyResult &to = *whole.runs[i].accuracy, &from = *next.runs[i].accuracy;
    append(to.samples, from.samples);
    append(to.pairs, from.pairs);
    append(to.image_sha256, from.image_sha256);
  }
  append(whole.data->skipped, next.data->skipped);
  whole.data->seconds += next.data->seconds;
  whole.data->replayed += next.data->replayed;
  append_new(whole.warnings, next.warnings);
  append_new(whole.notes, next.notes);
  append_new(whole.output_errors, next.output_errors);
}

}  // namespace

Report merge(std::vector<Report> shards) {
  check_shards(shards);
  std::sort(shards.begin(), shards.end(),
            [](const Report& a, const Report& b) { return a.shard->index < b.shard->index; });
  Report whole = std::move(shards.front());
  for (std::size_t i = 1; i < shards.size(); ++i) join(whole, shards[i]);
  whole.shard.reset();
  whole.journal.clear();
  const Task& task = find_task(whole.task);
  for (RunReport& run : whole.runs) {
    run.accuracy->logits_sha256.clear();
    summarise(task, *run.accuracy);
    if (run.vs_first) run.vs_first = task.compare(*whole.runs.front().accuracy, *run.accuracy);
  }
  add_doubts(whole);
  return whole;
}

}  // namespace gpueval
