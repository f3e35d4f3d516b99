// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "gpueval/report.h"
#include "report/cells.h"
#include "report/class_table.h"
#include "report/conclusion.h"
#include "report/image_sentences.h"
#include "report/text_table.h"

namespace gpueval {
namespace {

constexpr std::size_t kWidth = 110;
constexpr std::size_t kIndent = 9;
constexpr std::size_t kRemarks = 8;
constexpr std::size_t kClasses = 20;

std::string field(const char* name, const std::string& text) {
  return wrapped(fmt::format("{:<8} {}", name, text), kWidth, kIndent);
}

std::string model_line(const ModelReport& model) {
  std::string text = network_name(model);
  if (!model.variant.empty()) text += fmt::format(" ({})", model.variant);
  return field("Model",
               fmt::format("{}, {} parameters, {} million multiply-adds, input {}x{}", text, grouped(model.parameters),
                           grouped((model.multiply_adds + 500'000) / 1'000'000), model.input.h, model.input.w));
}

std::string weights_line(const ModelReport& model) {
  std::string text = shortened_path(model.weights, 75);
  if (model.seed) text += fmt::format(", seed {}", *model.seed);
  if (!model.weights_sha256.empty()) text += fmt::format(" (sha256 {})", model.weights_sha256.substr(0, 12));
  return field("Weights", text);
}

std::string data_line(const Report& report) {
  if (!report.data) return field("Data", "none judged");
  const DataReport& data = *report.data;
  const std::string shard =
      report.shard ? fmt::format(" (shard {} of {})", report.shard->index, report.shard->count) : "";
  std::string text = field(
      "Data", fmt::format("{}, {}{}, {}", shortened_path(data.path, 50), judged_text(data), shard, data.preprocessing));
  if (data.kind == "folder" && !data.label_mapping.empty()) text += field("Labels", data.label_mapping);
  return text;
}

// Of `gpu_eval judge`: no network ran.
bool judges_answers(const Report& report) {
  return report.runs.size() == 1 && report.runs.front().precision == "answers";
}

std::string header(const Report& report) {
  std::string text = fmt::format("gpu_eval {} ({})\n", report.tool.version, report.tool.revision);
  if (judges_answers(report)) {
    return text + field("Answers", shortened_path(report.model.weights, 75)) +
           field("Truth", fmt::format("{}, {}", shortened_path(report.data->path, 75), judged_text(*report.data))) +
           '\n';
  }
  text += model_line(report.model) + weights_line(report.model) + data_line(report);
  const std::string device = report.runs.empty() ? "" : report.runs.front().device;
  text += field("Device", fmt::format("{}: {}", device, report.device_description));
  return text + '\n';
}

std::string skipped_line(const char* what, const std::vector<SkippedImage>& skipped) {
  constexpr std::size_t kShown = 3;
  std::string text = fmt::format("{} {} could not be decoded and {} skipped", skipped.size(), what,
                                 skipped.size() == 1 ? "was" : "were");
  for (std::size_t i = 0; i < std::min(kShown, skipped.size()); ++i) text += (i == 0 ? ": " : ", ") + skipped[i].name;
  if (skipped.size() > kShown) text += ", ...";
  return wrapped(text + '.', kWidth, 0);
}

std::string data_footer(const Report& report) {
  std::string text;
  if (report.runs.size() > 1 && report.runs[1].vs_first) {
    text += wrapped(find_task(report.task).legend(report.runs.front().label()), kWidth, 0);
  }
  if (report.data) {
    std::int64_t judged = 0;
    for (const RunReport& run : report.runs) judged = run.accuracy ? run.accuracy->images : judged;
    text += fmt::format("{} images judged in {:.1f} s{}", grouped(judged), report.data->seconds,
                        judges_answers(report) ? "" : ", decoding included");
    if (report.data->replayed > 0)
      text += fmt::format("; {} of them in an earlier run", grouped(static_cast<std::int64_t>(report.data->replayed)));
    text += ".\n";
    if (!report.data->skipped.empty())
      text += skipped_line(report.data->skipped.size() == 1 ? "image" : "images", report.data->skipped);
    for (const RunReport& run : report.runs) {
      if (run.accuracy && run.accuracy->nan_images > 0) {
        text +=
            fmt::format("{}: {} images gave NaN logits and count as wrong.\n", run.label(), run.accuracy->nan_images);
      }
    }
  }
  for (const RunReport& run : report.runs) {
    if (run.vs_first && run.vs_first->logits.images > 0) {
      text += output_error_sentence(report, run) + '\n';
    }
  }
  for (const RunReport& run : report.runs) {
    if (run.quantization && !repeats(report, run)) {
      text += wrapped(fmt::format("{}: {}.", run.label(), quantization_text(*run.quantization)), kWidth, 2);
    }
    if (run.depthwise == "float32") text += fmt::format("{}: the depthwise layers are left in float32.\n", run.label());
  }
  if (report.calibration) {
    const CalibrationReport& c = *report.calibration;
    for (const std::string& sentence : calibration_sentences(c)) text += wrapped(sentence, kWidth, 0);
    if (!c.skipped.empty())
      text += skipped_line(c.skipped.size() == 1 ? "calibration image" : "calibration images", c.skipped);
  }
  return text;
}

std::string class_footer(const Report& report) {
  const ClassTable classes = class_table(report, kClasses);
  if (classes.title.empty()) return "";
  return fmt::format("\n{}:\n{}{}\n", classes.title, classes.table.text(),
                     classes.rest.empty() ? "" : wrapped(classes.rest, kWidth, 0));
}

std::string trial_footer(const Report& report) {
  if (!report.calibration || report.calibration->trials.empty()) return "";
  const std::vector<SchemeTrial>& trials = report.calibration->trials;
  const SchemeTrial& first = trials.front();
  return fmt::format("Recipes tried, calibrated on {} of the calibration images and measured on the other {}:\n{}\n",
                     first.calibrated, first.measured, trial_table(trials).text());
}

// Sentences on slow layers, the slowest first.
std::string layer_remarks(const RunReport& run) {
  std::vector<const LayerReport*> slow;
  for (const LayerReport& layer : run.layers) {
    if (layer.profile && !layer.profile->remark.empty()) slow.push_back(&layer);
  }
  std::stable_sort(slow.begin(), slow.end(),
                   [](const LayerReport* a, const LayerReport* b) { return *a->ms > *b->ms; });
  const double total = layers_ms(run);
  const std::size_t shown = std::min(slow.size(), kRemarks);
  std::string text;
  if (std::any_of(run.layers.begin(), run.layers.end(),
                  [](const LayerReport& l) { return l.profile && l.profile->compute_percent > 100; })) {
    text += "Above 100% of the roof: Winograd's algorithm multiplies less than is counted.\n";
  }
  for (const LayerReport* layer : std::span(slow).first(shown)) {
    text += wrapped(
        fmt::format("{}: {:.0f}% of the time; {}.", layer->info.name, 100 * *layer->ms / total, layer->profile->remark),
        kWidth, 2);
  }
  if (shown < slow.size()) text += fmt::format("And {} more slow layers, in the JSON.\n", slow.size() - shown);
  return text;
}

// The number that a scenario is about, one line a row.
std::string scenario_footer(const Report& report) {
  std::string text;
  for (const RunReport& run : report.runs) {
    if (run.emulated()) continue;
    if (run.speed && report.scenario == "offline") {
      text += fmt::format("Scenario offline: {}: {} images/s{} in batches of {}.\n", run.label(),
                          rate(run.speed->images_per_second), doubt(run), run.speed->batch);
    }
    if (run.speed && report.scenario == "single-stream") {
      text += fmt::format("Scenario single-stream: {}: p90 latency {} ms{}.\n", run.label(),
                          milliseconds(run.speed->percentile_ms(90)), doubt(run));
    }
    if (!run.server) continue;
    const ServerResult& server = *run.server;
    if (const ServerTrial* best = server.best()) {
      text += wrapped(fmt::format("Scenario server: {}: {} queries/s{} of random arrivals with p{:g} {} ms, within the "
                                  "bound of {:g} ms ({} queries; {} images/s without waiting).",
                                  run.label(), rate(server.queries_per_second), doubt(run), server.percentile,
                                  milliseconds(best->bound_percentile_ms), server.latency_bound_ms,
                                  grouped(best->queries), rate(server.capacity)),
                      kWidth, 2);
    }
    for (const std::string& warning : server.warnings)
      text += wrapped(fmt::format("Note: {}: {}.", run.label(), warning), kWidth, 6);
    for (const std::string& reason : server.reasons)
      text += wrapped(fmt::format("INVALID: {}: {}.", run.label(), reason), kWidth, 9);
  }
  return text;
}

// Copies to the device and back, which its rows leave out unless they were asked to include them.
std::string transfer_line(const RunReport& run) {
  if (!run.speed || !run.speed->device_times) return "";
  const DeviceTimes& times = *run.speed->device_times;
  const char* copies = run.speed->includes_transfers ? "with" : "without";
  const char* form = times.as_bytes ? "as bytes" : "as float32";
  if (run.speed->emulated)
    return fmt::format("{}: to the device ({}) and back: emulated; latency {} copies.\n", run.label(), form, copies);
  return wrapped(
      fmt::format("{}: to the device ({}) {:.3f} ms, computing {:.3f} ms, back {:.3f} ms; latency {} copies.",
                  run.label(), form, times.to_device_ms, times.compute_ms, times.to_host_ms, copies),
      kWidth, 2);
}

// What was timed, and how: the first line below the table.
std::string speed_line(const Report& report, const SpeedResult& first) {
  std::string text =
      fmt::format("Speed: batch {}, {}, warm-up {:.0f} ms", batches_text(report),
                  report.speed_input == "synthetic" ? "synthetic images" : "images of the data", first.warm_up_ms);
  for (const RunReport& run : report.runs) {
    if (run.speed)
      text += fmt::format("{} {} x {}", &run == &report.runs.front() ? "; samples" : ",", grouped(run.speed->samples),
                          run.label());
  }
  if (report.conditions && report.conditions->ghz_end)
    text += fmt::format("; core clock {:.2f} GHz", *report.conditions->ghz_end);
  return wrapped(text + '.', kWidth, 0);
}

std::string speed_notes(const RunReport& run) {
  const SpeedResult& speed = *run.speed;
  std::string text = transfer_line(run);
  if (speed.emulated) return text;
  if (speed.vs_first) {
    text += fmt::format("{}: {:.2f}x, {:.2f}x to {:.2f}x between rounds (10th to 90th percentile).\n", run.label(),
                        speed.vs_first->ratio, speed.vs_first->spread.low, speed.vs_first->spread.high);
  }
  for (const std::string& warning : speed.warnings) {
    if (speed.cv > kNoiseBounds.latency_cv && warning.starts_with("latency varies")) continue;  // a line NOISY says it
    text += wrapped(fmt::format("Note: {}: {}.", run.label(), warning), kWidth, 6);
  }
  return text;
}

// Why the rows are NOISY or INVALID.
std::string doubts(const Report& report) {
  std::string text;
  for (const RunReport& run : report.runs) {
    if (!run.speed || run.emulated()) continue;
    for (const std::string& reason : run.speed->noise)
      text += wrapped(fmt::format("NOISY: {}: {}.", run.label(), reason), kWidth, 7);
  }
  for (const RunReport& run : report.runs) {
    if (!run.speed) continue;
    for (const std::string& reason : run.speed->reasons)
      text += wrapped(fmt::format("INVALID: {}: {}.", run.label(), reason), kWidth, 9);
  }
  return text;
}

std::string speed_footer(const Report& report) {
  const auto first =
      std::find_if(report.runs.begin(), report.runs.end(), [](const RunReport& run) { return run.speed; });
  if (first == report.runs.end()) return "";
  std::string text = first->emulated() ? fmt::format("Speed: {}.\n", kEmulated) : speed_line(report, *first->speed);
  if (report.conditions && !first->emulated()) {
    for (const std::string& clause : report.conditions->noise()) text += wrapped("NOISY: " + clause + '.', kWidth, 7);
    if (report.conditions->gpu) {
      for (const std::string& clause : report.conditions->gpu->limits())
        text += wrapped("Note: " + clause + '.', kWidth, 6);
    }
    if (const std::string advice = report.conditions->advice(report.host.threads); !advice.empty())
      text += wrapped(advice, kWidth, 2);
  }
  for (const RunReport& run : report.runs) {
    if (run.speed) text += speed_notes(run);
  }
  text += doubts(report) + scenario_footer(report);
  const auto verdict = report.verdict();
  return verdict ? text + fmt::format("Result is: {}\n", to_string(*verdict)) : text;
}

}  // namespace

bool RunReport::emulated() const { return (speed && speed->emulated) || (server && server->emulated); }

std::optional<SpeedVerdict> RunReport::verdict() const {
  std::optional<SpeedVerdict> worst;
  if (emulated()) return worst;
  if (speed) worst = speed->verdict();
  if (server) worst = std::max(server->verdict(), worst.value_or(SpeedVerdict::kValid));
  return worst;
}

std::optional<SpeedVerdict> Report::verdict() const {
  std::optional<SpeedVerdict> worst;
  for (const RunReport& run : runs) {
    if (const auto verdict = run.verdict()) worst = std::max(*verdict, worst.value_or(SpeedVerdict::kValid));
  }
  return worst;
}

bool Report::valid() const {
  return std::all_of(runs.begin(), runs.end(), [](const RunReport& run) {
    return (!run.speed || run.speed->valid) && (!run.server || run.server->valid);
  });
}

bool SensitivityReport::valid() const {
  return !mixed ||
         std::all_of(mixed->speed.begin(), mixed->speed.end(), [](const MixedSpeed& row) { return row.speed.valid; });
}

std::string to_table(const Report& report) {
  std::string text = header(report) + result_table(report).text() + '\n' + warning_lines(report.warnings, kWidth);
  for (std::size_t i = 1; i < report.runs.size(); ++i) {
    const std::string sentence = conclusion(find_task(report.task), report.runs[i], baseline(report, report.runs[i]));
    if (!sentence.empty()) text += wrapped(sentence, kWidth, 0);
  }
  text += class_footer(report) + trial_footer(report) + data_footer(report);
  for (const auto* notes : {&report.notes, &report.host.notes}) {
    for (const std::string& note : *notes) text += wrapped(note, kWidth, 0);
  }
  if (report.interrupted) text += "Interrupted: the result covers what was done until then.\n";
  return text + speed_footer(report);
}

std::string to_layer_tables(const Report& report) {
  std::string text;
  if (report.roofs) text += '\n' + wrapped(roof_sentence(*report.roofs), kWidth, 0);
  for (const RunReport& run : report.runs) {
    if (has_layer_errors(run)) {
      text += fmt::format("\nLayer errors of {} against float32, {} images\n{}", run.label(), report.layer_error_images,
                          layer_error_table(run).text());
    }
    if (run.on_emulator && report.per_layer) {
      text += fmt::format("\nLayers of {}, batch {}; {}\n", run.label(), run.batch, kEmulated);
      text += layer_time_table(run).text();
    }
    if (!has_layer_times(run)) continue;
    text += '\n' + wrapped(fmt::format("Layers of {}, batch {}: {:.3f} ms together{}", run.label(), run.batch,
                                       layers_ms(run), layer_doubt(report)),
                           kWidth, 2);
    text += layer_time_table(run).text() + layer_remarks(run);
  }
  return text;
}

}  // namespace gpueval
