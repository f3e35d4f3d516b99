// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/json_text.h"
#include "gpueval/report.h"
#include "report/published.h"
#include "task/statistics.h"

namespace gpueval {
namespace {

using Json = nlohmann::ordered_json;

Json interval(const Interval& value) { return Json::array({value.low, value.high}); }
Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json skipped_json(const std::vector<SkippedImage>& skipped) {
  Json list = Json::array();
  for (const SkippedImage& image : skipped) {
    list.push_back({{"index", image.index}, {"name", image.name}, {"reason", image.reason}});
  }
  return list;
}

template <class T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json clocks_json(const Conditions& conditions) {
  const std::optional<GpuReading>& gpu = conditions.gpu;
  return {{"core_ghz_begin", value_or_null(conditions.ghz_begin)},
          {"core_ghz_end", value_or_null(conditions.ghz_end)},
          {"governor", text_or_null(conditions.governor)},
          {"gpu_sm_mhz", gpu ? value_or_null(gpu->sm_mhz) : Json()},
          {"gpu_sm_max_mhz", gpu ? value_or_null(gpu->sm_max_mhz) : Json()},
          {"gpu_celsius", gpu ? value_or_null(gpu->celsius) : Json()},
          {"gpu_watts", gpu ? value_or_null(gpu->watts) : Json()}};
}

Json conditions_json(const Conditions& conditions) {
  return {{"seconds", conditions.seconds},
          {"others_cores", value_or_null(conditions.others_cores)},
          {"stolen_cores", value_or_null(conditions.stolen_cores)},
          {"quota_throttles", value_or_null(conditions.quota_throttles)},
          {"thermal_throttles", value_or_null(conditions.thermal_throttles)},
          {"warnings", conditions.warnings()},
          {"noise", conditions.noise()}};
}

// GPU fields are there, null without a GPU, so that a reader finds the same keys in every result.
Json host_json(const HostInfo& host, const std::optional<Conditions>& conditions = {}) {
  return {{"cpu", host.cpu},
          {"cores", host.cores},
          {"threads", host.threads},
          {"cpu_quota", value_or_null(host.cpu_quota)},
          {"notes", host.notes},
          {"os", host.os},
          {"compiler", host.compiler},
          {"gpu", text_or_null(host.gpu)},
          {"driver", text_or_null(host.driver)},
          {"cuda", text_or_null(host.cuda)},
          {"cudnn", text_or_null(host.cudnn)},
          {"clocks", conditions ? clocks_json(*conditions) : Json()}};
}

Json outputs_json(const std::vector<ModelReport::Output>& outputs) {
  Json json = Json::array();
  for (const auto& [name, layer, shape, extents, head] : outputs) {
    const Json dims = shape.pixels() == 1 ? Json::array({shape.c}) : Json::array({shape.h, shape.w, shape.c});
    json.push_back({{"name", name}, {"layer", layer}, {"shape", dims}, {"head", head}});
  }
  return json;
}

Json model_json(const ModelReport& model) {
  return {{"name", model.name},
          {"alpha", model.has_alpha ? Json(model.alpha) : Json()},
          {"variant", text_or_null(model.variant)},
          {"input", {model.input.h, model.input.w, model.input.c}},
          {"classes", model.classes},
          {"outputs", outputs_json(model.outputs)},
          {"parameters", model.parameters},
          {"multiply_adds", model.multiply_adds},
          {"weights", model.weights},
          {"weights_sha256", text_or_null(model.weights_sha256)},
          {"seed", value_or_null(model.seed)}};
}

Json data_json(const Report& report) {
  if (!report.data) return {};
  const DataReport& data = *report.data;
  return {{"path", data.path},
          {"kind", data.kind},
          {"first", data.first},
          {"count", data.count},
          {"last", data.last},
          {"size", data.size},
          {"indices_sha256", text_or_null(data.indices_sha256)},
          {"skipped", data.skipped.size()},
          {"skipped_images", skipped_json(data.skipped)},
          {"target_sha256", data.target_sha256},
          {"label_mapping", text_or_null(data.label_mapping)},
          {"preprocessing", data.preprocessing},
          {"preprocessed_on", data.preprocessed_on},
          {"split", text_or_null(data.split)},
          {"class_names", data.class_names},
          {"seconds", data.seconds}};
}

Json calibration_json(const std::optional<CalibrationReport>& calibration) {
  if (!calibration) return {};
  const CalibrationReport& c = *calibration;
  return {{"source", c.source},
          {"path", c.path},
          {"images", c.images},
          {"excluded_from_accuracy", c.excluded},
          {"seed", c.indices.empty() ? Json() : Json(c.seed)},
          {"indices", c.indices},
          {"classes", c.classes == 0 ? Json() : Json(c.classes)},
          {"left_out_images", c.left_out},
          {"left_out_same_content", c.same_content},
          {"isa", text_or_null(c.isa)},
          {"cpu", text_or_null(c.cpu)},
          {"skipped_images", skipped_json(c.skipped)}};
}

Json field_json(std::monostate) { return nullptr; }
Json field_json(const Interval& value) { return interval(value); }
Json field_json(const std::vector<std::optional<double>>& values) {
  Json list = Json::array();
  for (const std::optional<double>& value : values) list.push_back(value_or_null(value));
  return list;
}
template <class T>
Json field_json(const T& value) {
  return value;
}
Json fields_json(const std::vector<ResultField>& fields) {
  Json json = Json::object();
  for (const ResultField& field : fields)
    json[field.name] = std::visit([](const auto& value) { return field_json(value); }, field.value);
  return json;
}

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json vs_first_json(const Task& task, const PairedComparison& paired) {
  Json json = fields_json(task.fields(paired));
  const bool measured = paired.logits.images > 0;
  json["logits_sqnr_db"] = measured ? finite_or_null(paired.logits.sqnr_db()) : Json();
  json["logits_kl"] = measured ? finite_or_null(paired.logits.mean_kl()) : Json();
  return json;
}

Json quantization_json(const QuantizationReport& q) {
  return {{"scheme", q.scheme},
          {"activations", text_or_null(q.activations)},
          {"corrections", q.corrections},
          {"calibration_images", q.calibration_images},
          {"percentile", value_or_null(q.percentile)},
          {"float_layers", q.float_layers}};
}

Json trials_json(const Report& report) {
  Json list = Json::array();
  if (!report.calibration) return list;
  for (const SchemeTrial& trial : report.calibration->trials) {
    list.push_back({{"recipe", trial.name},
                    {"calibration_images", trial.calibrated},
                    {"measured_images", trial.measured},
                    {"logits_sqnr_db", finite_or_null(trial.sqnr_db)},
                    {"logits_kl", trial.kl ? finite_or_null(*trial.kl) : Json()},
                    {"agreement", value_or_null(trial.agreement)},
                    {"picked", trial.picked}});
  }
  return list;
}

Json device_times_json(const DeviceTimes& times) {
  return {{"to_device", times.to_device_ms},
          {"compute", times.compute_ms},
          {"to_host", times.to_host_ms},
          {"input", times.as_bytes ? "bytes" : "float32"}};
}

Json verdict_json(const std::optional<SpeedVerdict>& verdict) { return verdict ? Json(to_string(*verdict)) : Json(); }

Json speed_json(const SpeedResult& speed) {
  Json latency{{"mean", speed.mean_ms}};
  for (const auto& [percentile, value] : speed.percentiles_ms) latency[fmt::format("p{:g}", percentile)] = value;
  latency["min"] = speed.min_ms;
  latency["max"] = speed.max_ms;
  Json json{{"batch", speed.batch},
            {"warm_up", {{"ms", speed.warm_up_ms}, {"iterations", speed.warm_up_iterations}}},
            {"samples", speed.samples},
            {"seconds", speed.seconds},
            {"images_per_second", speed.images_per_second},
            {"latency_ms", std::move(latency)},
            {"cv", speed.cv},
            {"includes_transfers", speed.includes_transfers},
            {"device_ms", speed.device_times ? device_times_json(*speed.device_times) : Json()},
            {"valid", speed.valid},
            {"verdict", speed.emulated ? Json() : verdict_json(speed.verdict())},
            {"emulated", speed.emulated},
            {"reasons", speed.reasons},
            {"noise", speed.noise},
            {"warnings", speed.warnings}};
  if (speed.vs_first && !speed.emulated) {
    json["vs_first"] = {{"ratio", speed.vs_first->ratio}, {"ratio_p10_p90", interval(speed.vs_first->spread)}};
  }
  return json;
}

Json server_trial_json(const ServerTrial& trial) {
  return {{"rate", trial.rate},
          {"queries", trial.queries},
          {"seconds", trial.seconds},
          {"latency_ms",
           {{"mean", trial.mean_ms},
            {"p50", trial.p50_ms},
            {"p90", trial.p90_ms},
            {"p99", trial.p99_ms},
            {"max", trial.max_ms}}},
          {"mean_batch", trial.mean_batch},
          {"complete", trial.complete},
          {"met", trial.met}};
}

Json server_json(const ServerResult& server) {
  Json json{{"latency_bound_ms", server.latency_bound_ms},
            {"percentile", server.percentile},
            {"batch", server.batch},
            {"queries_per_second", server.queries_per_second},
            {"capacity", server.capacity},
            {"trials", Json::array()},
            {"valid", server.valid},
            {"verdict", server.emulated ? Json() : verdict_json(server.verdict())},
            {"emulated", server.emulated},
            {"reasons", server.reasons},
            {"warnings", server.warnings}};
  for (const ServerTrial& trial : server.trials) json["trials"].push_back(server_trial_json(trial));
  return json;
}

Json roofs_json(const DeviceRoofs& roofs) {
  return {{"device", roofs.device},         {"unit", roofs.unit},         {"int8_gops", roofs.int8_gops},
          {"f32_gflops", roofs.f32_gflops}, {"copy_gbs", roofs.copy_gbs}, {"remarks", roofs.remarks}};
}

Json layers_json(const RunReport& run) {
  Json list = Json::array();
  for (const LayerReport& layer : run.layers) {
    Json json{{"name", layer.info.name},   {"op", layer.info.op}, {"kernel", layer.info.kernel},
              {"shape", layer.info.shape}, {"ms", Json()},        {"ops", layer.info.ops},
              {"bytes", layer.info.bytes}};
    if (!layer.info.outputs.empty()) json["outputs"] = layer.info.outputs;
    if (layer.ms) json["ms"] = *layer.ms;
    if (layer.profile) {
      json["gops"] = layer.profile->gops;
      json["gbs"] = layer.profile->gbs;
      json["roof_percent"] = layer.profile->compute_percent;
      json["copy_percent"] = layer.profile->memory_percent;
      json["remark"] = text_or_null(layer.profile->remark);
    }
    if (layer.error) {
      json["sqnr_db"] = finite_or_null(layer.error->sqnr_db);
      json["cosine"] = finite_or_null(layer.error->cosine);
      json["range_used"] = value_or_null(layer.error->range_used);
      json["saturation"] = value_or_null(layer.error->saturation);
    }
    list.push_back(std::move(json));
  }
  return list;
}

Json islands_json(const IslandReport& islands) {
  return {
      {"layers", islands.layers}, {"ms", value_or_null(islands.ms)}, {"network_ms", value_or_null(islands.network_ms)}};
}

Json postprocessing_json(const PostprocessingReport& report) {
  return {{"what", report.what},
          {"in_speed", true},
          {"on_device", report.on_device},
          {"network_ms", report.network_ms},
          {"ms", report.ms},
          {"other_score_threshold", report.other_threshold},
          {"other_ms", report.other_ms}};
}

Json run_json(const Task& task, const RunReport& run) {
  Json json{{"precision", run.precision},
            {"scheme", text_or_null(run.scheme)},
            {"depthwise", text_or_null(run.depthwise)},
            {"activations", text_or_null(run.activations)},
            {"quantization", run.quantization ? quantization_json(*run.quantization) : Json()},
            {"device", run.device},
            {"batch", run.batch},
            {"forced_kernel", text_or_null(run.forced_kernel)},
            {"arena_bytes", run.arena_bytes},
            {"islands", run.islands ? islands_json(*run.islands) : Json()},
            {"accuracy", Json()},
            {"vs_first", Json()},
            {"speed", Json()},
            {"logits_sha256", Json()},
            {"logits_tree_sha256", Json()}};
  if (run.accuracy) {
    json["accuracy"] = fields_json(task.fields(*run.accuracy));
    json["logits_sha256"] = text_or_null(run.accuracy->logits_sha256);
    json["logits_tree_sha256"] = run.accuracy->logits_tree_sha256;
  }
  if (run.vs_first) json["vs_first"] = vs_first_json(task, *run.vs_first);
  if (run.speed) json["speed"] = speed_json(*run.speed);
  if (run.postprocessing) json["postprocessing"] = postprocessing_json(*run.postprocessing);
  if (run.server) json["server"] = server_json(*run.server);
  json["layers"] = layers_json(run);
  return json;
}

Json trial_json(const Trial& trial, bool classifies) {
  return {{"agreement", trial.agreement},
          {"logits_sqnr_db", finite_or_null(trial.sqnr_db)},
          {"logits_kl", trial.kl ? finite_or_null(*trial.kl) : Json()},
          {"headline", value_or_null(trial.headline)},
          {"top1", value_or_null(classifies ? trial.headline : std::nullopt)}};
}

Json mixed_json(const MixedReport& mixed, bool classifies) {
  Json json{
      {"target_points", mixed.target_points},
      {"loss_points", mixed.loss_points},
      {"float_layers", mixed.float_layers},
      {"result", trial_json(mixed.trial, classifies)},
      {"int8_loss_points", mixed.int8_loss_points},
      {"judged", {{"first", mixed.first}, {"images", mixed.images}, {"indices", mixed.indices}}},
      {"choosing", {{"loss_points", mixed.choosing_loss_points}, {"result", trial_json(mixed.choosing, classifies)}}},
      {"conditions", mixed.conditions ? conditions_json(*mixed.conditions) : Json()},
      {"speed", Json::array()}};
  for (const MixedSpeed& row : mixed.speed)
    json["speed"].push_back({{"network", row.label}, {"speed", speed_json(row.speed)}});
  return json;
}

Json published_json(const std::string& network) {
  const std::vector<PublishedRow> rows = published_rows(network);
  if (rows.empty()) return {};
  Json json{{"source", kPublishedSource}, {"images", kPublishedImages}, {"rows", Json::array()}};
  for (const PublishedRow& row : rows)
    json["rows"].push_back({{"row", row.label}, {"top1", row.top1}, {"top5", row.top5}});
  return json;
}

std::string dump(const Json& json) { return json_text(json, 2) + '\n'; }

Json report_json(const Report& report) {
  Json json{{"schema", 1},
            {"tool", {{"name", "gpu_eval"}, {"version", report.tool.version}, {"revision", report.tool.revision}}},
            {"command", report.command},
            {"task", report.task},
            {"host", host_json(report.host, report.conditions)},
            {"conditions", report.conditions ? conditions_json(*report.conditions) : Json()},
            {"layer_conditions", report.layer_conditions ? conditions_json(*report.layer_conditions) : Json()},
            {"model", model_json(report.model)},
            {"data", data_json(report)},
            {"shard", report.shard ? Json{{"index", report.shard->index}, {"count", report.shard->count}} : Json()},
            {"calibration", calibration_json(report.calibration)},
            {"speed_input", text_or_null(report.speed_input)},
            {"scenario", text_or_null(report.scenario)},
            {"roofs", report.roofs ? roofs_json(*report.roofs) : Json()},
            {"interrupted", report.interrupted},
            {"valid", report.valid()},
            {"verdict", verdict_json(report.verdict())},
            {"warnings", report.warnings},
            {"notes", report.notes},
            {"layer_error_images", report.layer_error_images},
            {"scheme_trials", trials_json(report)},
            {"runs", Json::array()}};
  for (const RunReport& run : report.runs) json["runs"].push_back(run_json(find_task(report.task), run));
  return json;
}

}  // namespace

std::string to_json(const Report& report) { return dump(report_json(report)); }

std::string to_json(const SensitivityReport& report) {
  const bool classifies = report.task == "classification";
  Json json{{"schema", 1},
            {"kind", "sensitivity"},
            {"tool", {{"name", "gpu_eval"}, {"version", report.tool.version}, {"revision", report.tool.revision}}},
            {"command", report.command},
            {"host", host_json(report.host)},
            {"model", model_json(report.model)},
            {"quantization", quantization_json(report.quantization)},
            {"calibration", calibration_json(report.calibration)},
            {"data",
             {{"path", report.data},
              {"first", report.first},
              {"images", report.images},
              {"indices", report.indices},
              {"preprocessing", report.preprocessing},
              {"label_mapping", text_or_null(report.label_mapping)}}},
            {"task", report.task},
            {"metric", report.metric},
            {"float32_headline", value_or_null(report.float_headline)},
            {"float32_top1", value_or_null(classifies ? report.float_headline : std::nullopt)},
            {"all_int8", trial_json(report.found.all_int8, classifies)},
            {"layers", Json::array()},
            {"mixed", report.mixed ? mixed_json(*report.mixed, classifies) : Json()},
            {"interrupted", report.interrupted},
            {"warnings", report.warnings},
            {"notes", report.notes}};
  for (const LayerSensitivity& row : report.found.layers) {
    json["layers"].push_back({{"name", row.name},
                              {"op", row.op},
                              {"multiply_adds", row.multiply_adds},
                              {"alone", trial_json(row.alone, classifies)},
                              {"all_but", trial_json(row.rest, classifies)}});
  }
  return dump(json);
}

std::string to_json(const TableReport& table) {
  Json json{{"schema", 1},
            {"kind", "table"},
            {"tool", {{"name", "gpu_eval"}, {"version", table.tool.version}, {"revision", table.tool.revision}}},
            {"command", table.command},
            {"host", host_json(table.host)},
            {"interrupted", table.interrupted},
            {"networks", Json::array()}};
  for (const TableNetwork& network : table.networks) {
    json["networks"].push_back({{"name", network.name},
                                {"weight_files", network.weight_files},
                                {"missing", text_or_null(network.missing)},
                                {"result", network.report ? report_json(*network.report) : Json()},
                                {"published", published_json(network.name)}});
  }
  return dump(json);
}

}  // namespace gpueval
