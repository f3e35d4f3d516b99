// SPDX-License-Identifier: Apache-2.0
#include "report/result_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/input_file.h"
#include "core/json_fields.h"
#include "core/json_text.h"
#include "core/printable.h"
#include "gpueval/error.h"
#include "gpueval/report.h"
#include "gpueval/selection.h"

namespace gpueval {
namespace {

constexpr int kSchema = 1;
constexpr std::uint64_t kMostBytes = 256u << 20;
constexpr std::int64_t kMost = std::int64_t{1} << 40;  // images, say
constexpr std::int64_t kMostImages = 100'000'000;

std::string text_or_empty(const JsonFields& json, const char* key) {
  return json.has(key) ? printable(json.text(key)) : "";
}

std::vector<std::string> texts_or_none(const JsonFields& json, const char* key) {
  if (!json.has(key)) return {};
  std::vector<std::string> texts = json.texts(key);
  for (std::string& text : texts) text = printable(text);
  return texts;
}

double at_least(const JsonFields& json, const std::string& key, double least, double most) {
  const double value = json.number(key);
  if (!(value >= least && value <= most)) {
    json.refuse(key, std::isfinite(most) ? fmt::format("a number from {} to {}", least, most)
                                         : fmt::format("a number of at least {}", least));
  }
  return value;
}
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// "verdict" is newer than "valid".
std::string read_verdict(const JsonFields& json) {
  const bool valid = json.flag("valid");
  if (json.has("emulated") && json.flag("emulated")) return "emulated";
  return json.has("verdict") ? text_or_empty(json, "verdict") : valid ? "VALID" : "INVALID";
}

SpeedNumbers read_speed(const JsonFields& json) {
  SpeedNumbers result;
  result.batch = static_cast<int>(json.integer("batch", 1, std::numeric_limits<int>::max()));
  result.images_per_second = at_least(json, "images_per_second", 0, kInfinity);
  const JsonFields latency = json.object("latency_ms");
  for (const std::string& key : latency.keys()) {
    double percentile = 0;
    const auto [end, error] = std::from_chars(key.data() + 1, key.data() + key.size(), percentile);
    if (!key.starts_with('p') || error != std::errc() || end != key.data() + key.size()) continue;  // mean, min, max
    result.percentiles_ms[percentile] = at_least(latency, key, 0, kInfinity);
  }
  result.verdict = read_verdict(json);
  result.reasons = texts_or_none(json, "reasons");
  for (std::string& noise : texts_or_none(json, "noise")) result.reasons.push_back(std::move(noise));
  result.includes_transfers = json.has("includes_transfers") && json.flag("includes_transfers");
  return result;
}

ServerNumbers read_server(const JsonFields& json) {
  return {at_least(json, "queries_per_second", 0, kInfinity), at_least(json, "percentile", 0, 100),
          at_least(json, "latency_bound_ms", 0, kInfinity), read_verdict(json)};
}

// All that decides the integer network but the images.
std::string read_recipe(const JsonFields& run) {
  if (!run.has("quantization")) return "";
  const JsonFields q = run.object("quantization");
  std::string text = text_or_empty(q, "scheme");
  if (q.has("percentile")) text += fmt::format(" {:g}%", q.number("percentile"));
  const std::vector<std::string> corrections = texts_or_none(q, "corrections");
  const std::vector<std::string> float_layers = texts_or_none(q, "float_layers");
  text += corrections.empty() ? ", no corrections" : fmt::format(", {}", fmt::join(corrections, ", "));
  if (!float_layers.empty()) text += fmt::format("; in float32: {}", fmt::join(float_layers, ", "));
  return text + fmt::format("; {} calibration images", q.integer("calibration_images", 0, kMostImages));
}

// A result of before there were others is of a classification.
std::string read_task(const JsonFields& json) {
  if (!json.has("task")) return "classification";
  const std::string name = json.text("task");
  std::string names;
  for (const Task* task : tasks()) {
    if (task->name() == name) return name;
    names += (names.empty() ? "" : ", ") + task->name();
  }
  json.refuse("task", "one of " + names);
}

ResultRun read_run(const JsonFields& json, const std::string& task) {
  RunReport names;
  names.precision = printable(json.text("precision"));
  names.scheme = text_or_empty(json, "scheme");
  names.depthwise = text_or_empty(json, "depthwise");
  names.activations = text_or_empty(json, "activations");
  ResultRun run;
  run.label = names.label();
  run.device = text_or_empty(json, "device");
  run.kernel = text_or_empty(json, "forced_kernel");
  run.recipe = read_recipe(json);
  if (json.has("accuracy")) {
    run.accuracy = read_accuracy(json.object("accuracy"), task);
    run.accuracy->logits_sha256 = text_or_empty(json, "logits_sha256");
    run.accuracy->logits_tree_sha256 = text_or_empty(json, "logits_tree_sha256");
  }
  if (json.has("speed")) run.speed = read_speed(json.object("speed"));
  if (json.has("server")) run.server = read_server(json.object("server"));
  return run;
}

// Where a row was timed with several batches, the label has the batch.
void name_batches(std::vector<ResultRun>& runs) {
  std::map<std::string, int> times;
  for (const ResultRun& run : runs) ++times[run.label];
  for (ResultRun& run : runs) {
    if (times[run.label] > 1 && run.speed) run.label += fmt::format(" b{}", run.speed->batch);
  }
}

ResultData read_data(const JsonFields& json) {
  ResultData data;
  data.path = printable(json.text("path"));
  data.preprocessing = printable(json.text("preprocessing"));
  data.target_sha256 = json.text("target_sha256");
  data.first = static_cast<std::size_t>(json.integer("first", 0, kMostImages));
  data.count = static_cast<std::size_t>(json.integer("count", 0, kMostImages));
  for (const JsonFields& image : json.objects("skipped_images"))
    data.skipped.push_back(static_cast<std::size_t>(image.integer("index", 0, kMost)));
  if (json.has("indices_sha256")) {
    data.indices_sha256 = json.text("indices_sha256");
  } else {  // an earlier version: one after the other
    std::vector<std::size_t> indices(data.count);
    std::iota(indices.begin(), indices.end(), data.first);
    data.indices_sha256 = gpueval::indices_sha256(indices);
  }
  return data;
}

std::string read_model(const JsonFields& model) {
  std::string name = printable(model.text("name"));
  if (model.has("alpha")) name += fmt::format(" {:g}", model.number("alpha"));
  if (model.has("variant")) name += fmt::format(" ({})", text_or_empty(model, "variant"));
  return name;
}

std::string read_weights(const JsonFields& model) {
  if (model.has("weights_sha256")) return "sha256 " + text_or_empty(model, "weights_sha256").substr(0, 12);
  if (model.has("seed"))
    return fmt::format("random, seed {}", model.integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
  return text_or_empty(model, "weights");
}

}  // namespace

ResultFile read_result(const std::string& path) {
  const std::string bytes = read_file(path, kMostBytes);
  const nlohmann::json text = parse_json(bytes, path + ": not a result of gpu_eval --json");
  const JsonFields json(text, path + ": not a complete result of gpu_eval --json");
  if (!json.has("schema") || (!json.has("runs") && !json.has("kind")))
    fail("{}: not a result of gpu_eval --json, which has the fields 'schema' and 'runs'", path);
  if (json.has("kind")) {
    fail("{}: is what `gpu_eval {}` wrote; compare takes results of measurements (gpu_eval --json)", path,
         text_or_empty(json, "kind"));
  }
  if (const auto schema = json.integer("schema", 0, 1'000'000); schema != kSchema)
    fail("{}: result of schema {}, this version reads {}", path, schema, kSchema);
  ResultFile result;
  result.path = path;
  const JsonFields host = json.object("host"), model = json.object("model");
  result.task = read_task(json);
  result.cpu = printable(host.text("cpu"));
  result.threads = static_cast<int>(host.integer("threads", 1, std::numeric_limits<int>::max()));
  result.model = read_model(model);
  result.weights = read_weights(model);
  if (model.has("classes")) result.classes = static_cast<int>(model.integer("classes", 0, 1 << 30));
  result.interrupted = json.flag("interrupted");
  if (json.has("data")) result.data = read_data(json.object("data"));
  if (json.has("calibration")) result.calibration_isa = text_or_empty(json.object("calibration"), "isa");
  result.speed_input = text_or_empty(json, "speed_input");
  result.warnings = texts_or_none(json, "warnings");
  if (json.has("conditions")) result.disturbances = texts_or_none(json.object("conditions"), "warnings");
  for (const JsonFields& run : json.objects("runs")) result.runs.push_back(read_run(run, result.task));
  name_batches(result.runs);
  return result;
}

}  // namespace gpueval
