// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/printable.h"
#include "eval/statistics.h"
#include "gpueval/error.h"
#include "gpueval/report.h"
#include "report/bits.h"
#include "report/conclusion.h"
#include "report/text_table.h"

namespace gpueval {
namespace {

using Json = nlohmann::json;

Json read_result(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail("{}: cannot be read; expected a result that gpu_eval --json wrote", path);
  Json json = Json::parse(file, nullptr, false);
  if (json.is_discarded() || !json.is_object() || !json.contains("schema") || !json.contains("runs")) {
    fail("{}: not a result of gpu_eval --json", path);
  }
  if (json["schema"] != 1) fail("{}: result of schema {}, this version reads 1", path, json["schema"].dump());
  return json;
}

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? printable(found->get<std::string>()) : "";
}

std::string run_label(const Json& run) {
  RunReport report;
  report.precision = text_at(run, "precision");
  report.scheme = text_at(run, "scheme");
  report.depthwise = text_at(run, "depthwise");
  report.activations = text_at(run, "activations");
  return report.label();
}

std::string model_label(const Json& result) {
  const Json& model = result.at("model");
  return model.at("alpha").is_number() ? fmt::format("{} {:g}", text_at(model, "name"), model["alpha"].get<double>())
                                       : text_at(model, "name");
}

std::vector<std::pair<const Json*, const Json*>> matching_runs(const Json& a, const Json& b) {
  std::vector<std::pair<const Json*, const Json*>> pairs;
  for (const Json& run_a : a.at("runs")) {
    for (const Json& run_b : b.at("runs")) {
      if (run_label(run_a) == run_label(run_b)) pairs.emplace_back(&run_a, &run_b);
    }
  }
  if (pairs.empty() && a["runs"].size() == 1 && b["runs"].size() == 1) pairs.emplace_back(&a["runs"][0], &b["runs"][0]);
  return pairs;
}

// The same images, all of them judged, in the same order: then the per-image answers pair up.
bool same_images(const Json& a, const Json& b) {
  const Json &data_a = a.at("data"), &data_b = b.at("data");
  if (!data_a.is_object() || !data_b.is_object()) return false;
  const auto skipped = [](const Json& data) {
    std::vector<std::size_t> indices;
    for (const Json& image : data.at("skipped_images")) indices.push_back(image.at("index"));
    return indices;
  };
  return data_a.at("target_sha256") == data_b.at("target_sha256") && data_a.at("first") == data_b.at("first") &&
         data_a.at("count") == data_b.at("count") && skipped(data_a) == skipped(data_b);
}

std::string difference_test(const Json& accuracy_a, const Json& accuracy_b, bool paired) {
  const auto images_a = accuracy_a.at("images").get<std::int64_t>(),
             images_b = accuracy_b.at("images").get<std::int64_t>();
  if (paired && images_a == images_b) {
    const auto bits_a = hex_to_bits(text_at(accuracy_a, "correct_bits"), static_cast<std::size_t>(images_a));
    const auto bits_b = hex_to_bits(text_at(accuracy_b, "correct_bits"), static_cast<std::size_t>(images_b));
    if (bits_a && bits_b) {
      std::int64_t up = 0, down = 0;
      for (std::size_t i = 0; i < bits_a->size(); ++i) {
        up += !(*bits_a)[i] && (*bits_b)[i] ? 1 : 0;
        down += (*bits_a)[i] && !(*bits_b)[i] ? 1 : 0;
      }
      return fmt::format("same images: {} right only in B, {} only in A; exact McNemar test p {}", up, down,
                         p_value_text(mcnemar_exact(up, down)));
    }
  }
  const double p = two_proportion_p(accuracy_a.at("top1_count"), images_a, accuracy_b.at("top1_count"), images_b);
  return fmt::format(
      "not the same images, or no answers image by image: two-proportion z-test (unpaired, less sensitive) p {}",
      p_value_text(p));
}

// Results of earlier versions have no verdict.
std::string verdict_of(const Json& measured) {
  if (const std::string verdict = text_at(measured, "verdict"); !verdict.empty()) return verdict;
  if (measured.value("emulated", false)) return "emulated";
  return measured.at("valid").get<bool>() ? "VALID" : "INVALID";
}

void verdict_row(TextTable& table, const std::string& label, const char* of, const Json& a, const Json& b) {
  const std::string verdict_a = verdict_of(a), verdict_b = verdict_of(b);
  if (verdict_a != "VALID" || verdict_b != "VALID") table.row({label, of, verdict_a, verdict_b, ""});
}

void speed_rows(TextTable& table, const std::string& label, const Json& a, const Json& b) {
  verdict_row(table, label, "speed is", a, b);
  if (verdict_of(a) == "emulated" || verdict_of(b) == "emulated") return;
  const auto add = [&](const std::string& what, double x, double y) {
    table.row(
        {label, what, fmt::format("{:.4g}", x), fmt::format("{:.4g}", y), x > 0 ? fmt::format("{:.3f}x", y / x) : ""});
  };
  add("images/s", a.at("images_per_second"), b.at("images_per_second"));
  for (const auto& [key, value] : a.at("latency_ms").items()) {
    if (key.starts_with('p') && b.at("latency_ms").contains(key)) add(key + " ms", value, b["latency_ms"][key]);
  }
}

// Rates found by --scenario server, which compare only under the same bound.
std::string server_rows(TextTable& table, const std::string& label, const Json& a, const Json& b) {
  verdict_row(table, label, "server is", a, b);
  const double x = a.at("queries_per_second"), y = b.at("queries_per_second");
  table.row({label, "server queries/s", fmt::format("{:.4g}", x), fmt::format("{:.4g}", y),
             x > 0 ? fmt::format("{:.3f}x", y / x) : ""});
  const auto bound = [](const Json& server) {
    return fmt::format("p{:g} within {:g} ms", server.at("percentile").get<double>(),
                       server.at("latency_bound_ms").get<double>());
  };
  if (bound(a) == bound(b)) return fmt::format("{}: server: {}.\n", label, bound(a));
  return fmt::format("{}: server: {} in A, {} in B: the rates do not compare.\n", label, bound(a), bound(b));
}

// What disturbed the timing of one of the two.
std::string disturbances(const char* name, const Json& result) {
  std::string text;
  const auto conditions = result.find("conditions");  // absent in results of earlier versions
  if (conditions == result.end() || !conditions->is_object()) return text;
  for (const Json& warning : conditions->at("warnings")) {
    text += wrapped(fmt::format("{}: {}.", name, warning.get<std::string>()), 110, 3);
  }
  return text;
}

void accuracy_rows(TextTable& table, const std::string& label, const Json& a, const Json& b) {
  for (const auto& [key, name] : {std::pair{"top1", "top-1"}, std::pair{"top5", "top-5"}}) {
    const double x = a.at(key), y = b.at(key);
    table.row({label, name, fmt::format("{:.2f}%", 100 * x), fmt::format("{:.2f}%", 100 * y),
               fmt::format("{:+.2f} points", 100 * (y - x))});
  }
}

std::string compare(const Json& a, const Json& b) {
  std::string notes;
  TextTable table;
  for (const char* title : {"precision", "quantity"}) table.column(title, TextTable::Align::kLeft);
  for (const char* title : {"A", "B", "B against A"}) table.column(title);
  const bool paired = same_images(a, b);
  const auto pairs = matching_runs(a, b);
  if (pairs.empty()) return "No run of A has the precision and scheme of one of B: nothing to compare.\n";
  for (const auto& [run_a, run_b] : pairs) {
    const std::string label =
        run_label(*run_a) == run_label(*run_b) ? run_label(*run_a) : run_label(*run_a) + " / " + run_label(*run_b);
    const Json &accuracy_a = run_a->at("accuracy"), &accuracy_b = run_b->at("accuracy");
    if (accuracy_a.is_object() && accuracy_b.is_object()) {
      accuracy_rows(table, label, accuracy_a, accuracy_b);
      notes += wrapped(fmt::format("{}: {}.", label, difference_test(accuracy_a, accuracy_b, paired)), 110, 0);
      const bool same = run_a->at("logits_sha256") == run_b->at("logits_sha256");
      notes += fmt::format("{}: logits are {}.\n", label, same ? "identical bit for bit" : "not identical");
    }
    const Json &speed_a = run_a->at("speed"), &speed_b = run_b->at("speed");
    if (speed_a.is_object() && speed_b.is_object()) {
      speed_rows(table, label, speed_a, speed_b);
      if (speed_a.at("batch") != speed_b.at("batch")) {
        notes += fmt::format("{}: batch {} in A, {} in B.\n", label, speed_a["batch"].dump(), speed_b["batch"].dump());
      }
    }
    if (run_a->contains("server") && run_b->contains("server")) {
      notes += server_rows(table, label, run_a->at("server"), run_b->at("server"));
    }
  }
  notes += disturbances("A", a) + disturbances("B", b);
  return table.text() + (notes.empty() ? "" : "\n" + notes);
}

std::string file_line(const char* name, const std::string& path, const Json& result) {
  return fmt::format("{}  {}: {}, {}, {} threads\n", name, shortened_path(path, 50), model_label(result),
                     text_at(result.at("host"), "cpu"), result["host"].at("threads").dump());
}

}  // namespace

std::string compare_results(const std::string& path_a, const std::string& path_b) {
  const Json a = read_result(path_a), b = read_result(path_b);
  try {
    return file_line("A", path_a, a) + file_line("B", path_b, b) + '\n' + compare(a, b);
  } catch (const Json::exception& error) {
    fail("{} or {}: not a complete result of gpu_eval --json: {}", path_a, path_b, error.what());
  }
}

}  // namespace gpueval
