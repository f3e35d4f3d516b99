// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gpueval/report.h"
#include "gpueval/task.h"
#include "report/result_file.h"
#include "report/text_table.h"
#include "task/statistics.h"

namespace gpueval {
namespace {

constexpr std::size_t kWidth = 110;

std::string sentence(const std::string& text) { return wrapped(text, kWidth, 2); }

struct Pair {
  const ResultRun *a, *b;
  std::string label;
};

// What `gpu_eval judge` wrote: the answers of some engine.
bool holds_answers(const ResultFile& result) { return result.runs.size() == 1 && result.runs[0].label == "answers"; }

// Runs of the same label; where none is and each has one run, these two; answers with every run of a measurement.
std::vector<Pair> matching_runs(const ResultFile& a, const ResultFile& b) {
  std::vector<Pair> pairs;
  for (const ResultRun& run_a : a.runs) {
    for (const ResultRun& run_b : b.runs) {
      if (run_a.label == run_b.label) pairs.push_back({&run_a, &run_b, run_a.label});
    }
  }
  const bool one = a.runs.size() == 1 && b.runs.size() == 1;
  if (!pairs.empty() || !(one || holds_answers(a) || holds_answers(b))) return pairs;
  for (const ResultRun& run_a : a.runs) {
    for (const ResultRun& run_b : b.runs) pairs.push_back({&run_a, &run_b, run_a.label + " / " + run_b.label});
  }
  return pairs;
}

// The same images, all of them judged, in the same order: then the per-image answers pair up.
bool same_images(const ResultFile& a, const ResultFile& b) {
  return a.data && b.data && a.data->target_sha256 == b.data->target_sha256 &&
         a.data->indices_sha256 == b.data->indices_sha256 && a.data->skipped == b.data->skipped;
}

std::string difference_test(const AccuracyNumbers& a, const AccuracyNumbers& b, bool paired) {
  if (paired && a.images == b.images && !a.correct.empty() && a.correct.size() == b.correct.size()) {
    std::int64_t up = 0, down = 0;
    for (std::size_t i = 0; i < a.correct.size(); ++i) {
      up += !a.correct[i] && b.correct[i] ? 1 : 0;
      down += a.correct[i] && !b.correct[i] ? 1 : 0;
    }
    return fmt::format("same images: {} right only in B, {} only in A; exact McNemar test p {}", up, down,
                       p_value_text(mcnemar_exact(up, down)));
  }
  const double p = two_proportion_p(a.top1_count, a.images, b.top1_count, b.images);
  return fmt::format(
      "not the same images, or no answers image by image: two-proportion z-test (unpaired, less sensitive) p {}",
      p_value_text(p));
}

// Says where only one of the two has something.
std::string only_in_one(const std::string& what, bool a, bool b) {
  return a == b ? "" : sentence(fmt::format("{}: only in {}.", what, a ? "A" : "B"));
}

std::string differing(const std::string& what, const std::string& a, const std::string& b) {
  if (a == b) return "";
  const auto shown = [](const std::string& text) { return text.empty() ? std::string("none") : text; };
  return sentence(fmt::format("{} differ: {} in A, {} in B.", what, shown(a), shown(b)));
}

// Of a task whose results have no answers picture by picture.
std::string intervals(const AccuracyNumbers& a, const AccuracyNumbers& b, const std::string& task) {
  const auto text = [](const std::optional<Interval>& ci) {
    return ci ? fmt::format("{:.2f}% to {:.2f}%", 100 * ci->low, 100 * ci->high) : std::string("none");
  };
  return fmt::format(
      "results of a {} have no answers picture by picture, so the difference is not tested; 95% interval of {}: {} in "
      "A, {} in B",
      task, a.metrics.front().name, text(a.ci95), text(b.ci95));
}

// A sentence on the outputs; empty where one of the two has no hash of them.
std::string identity(const AccuracyNumbers& a, const AccuracyNumbers& b, bool classified) {
  const bool whole = !a.logits_sha256.empty() && !b.logits_sha256.empty();
  const std::string &hash_a = whole ? a.logits_sha256 : a.logits_tree_sha256,
                    &hash_b = whole ? b.logits_sha256 : b.logits_tree_sha256;
  if (hash_a.empty() || hash_b.empty()) return "";
  return fmt::format("{} are {}.", classified ? "logits" : "outputs",
                     hash_a == hash_b ? "identical bit for bit" : "not identical");
}

std::string accuracy_rows(TextTable& table, const Pair& pair, bool paired, const ResultFile& of_a,
                          const ResultFile& of_b) {
  const AccuracyNumbers &a = *pair.a->accuracy, &b = *pair.b->accuracy;
  const Task& task = find_task(of_a.task);
  const bool classified = task.truth() == TruthKind::kClass;
  static const std::optional<double> kAbsent;
  const auto cell = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.2f}%", 100 * *value) : std::string("-");
  };
  for (std::size_t i = 0; i < a.metrics.size(); ++i) {
    const bool told = !classified || (task.tells(i, of_a.classes) && task.tells(i, of_b.classes));
    const std::optional<double>&x = told ? a.metrics[i].value : kAbsent, &y = told ? b.metrics[i].value : kAbsent;
    if (!x && !y && !classified) continue;  // of boxes of that size there are none
    table.row({pair.label, a.metrics[i].name, cell(x), cell(y),
               x && y ? fmt::format("{:+.2f} points", 100 * (*y - *x)) : ""});
  }
  const std::string test = classified ? difference_test(a, b, paired) : intervals(a, b, of_a.task);
  const std::string same = identity(a, b, classified);
  return wrapped(fmt::format("{}: {}.", pair.label, test), kWidth, 0) +
         (same.empty() ? "" : fmt::format("{}: {}\n", pair.label, same));
}

void speed_row(TextTable& table, const std::string& label, const std::string& what, double x, double y) {
  table.row(
      {label, what, fmt::format("{:.4g}", x), fmt::format("{:.4g}", y), x > 0 ? fmt::format("{:.3f}x", y / x) : ""});
}

void verdict_row(TextTable& table, const std::string& label, const char* of, const std::string& a,
                 const std::string& b) {
  if (a != "VALID" || b != "VALID") table.row({label, of, a, b, ""});
}

std::string speed_rows(TextTable& table, const Pair& pair) {
  const SpeedNumbers &a = *pair.a->speed, &b = *pair.b->speed;
  std::string notes;
  verdict_row(table, pair.label, "speed is", a.verdict, b.verdict);
  if (a.verdict == "emulated" || b.verdict == "emulated") return notes;  // no speed of any machine
  speed_row(table, pair.label, "images/s", a.images_per_second, b.images_per_second);
  for (const auto& [percentile, ms] : a.percentiles_ms) {
    const auto other = b.percentiles_ms.find(percentile);
    const std::string name = fmt::format("p{:g} ms", percentile);
    if (other != b.percentiles_ms.end())
      speed_row(table, pair.label, name, ms, other->second);
    else
      notes += only_in_one(pair.label + ": " + name, true, false);
  }
  for (const auto& [percentile, ms] : b.percentiles_ms) {
    if (!a.percentiles_ms.contains(percentile))
      notes += only_in_one(fmt::format("{}: p{:g} ms", pair.label, percentile), false, true);
  }
  if (a.batch != b.batch) notes += fmt::format("{}: batch {} in A, {} in B.\n", pair.label, a.batch, b.batch);
  const auto transfers = [](const SpeedNumbers& s) {
    return std::string(s.includes_transfers ? "in the time" : "not in the time");
  };
  return notes + differing(pair.label + ": data transfers", transfers(a), transfers(b));
}

// Rates found by --scenario server, which compare only under the same bound.
std::string server_rows(TextTable& table, const Pair& pair) {
  const ServerNumbers &a = *pair.a->server, &b = *pair.b->server;
  verdict_row(table, pair.label, "server is", a.verdict, b.verdict);
  speed_row(table, pair.label, "server queries/s", a.queries_per_second, b.queries_per_second);
  const auto bound = [](const ServerNumbers& server) {
    return fmt::format("p{:g} within {:g} ms", server.percentile, server.latency_bound_ms);
  };
  if (bound(a) == bound(b)) return fmt::format("{}: server: {}.\n", pair.label, bound(a));
  return fmt::format("{}: server: {} in A, {} in B: the rates do not compare.\n", pair.label, bound(a), bound(b));
}

std::string compare_pair(TextTable& table, const Pair& pair, const ResultFile& of_a, const ResultFile& of_b) {
  const ResultRun &a = *pair.a, &b = *pair.b;
  std::string notes;
  if (a.accuracy && b.accuracy) notes += accuracy_rows(table, pair, same_images(of_a, of_b), of_a, of_b);
  if (a.speed && b.speed) notes += speed_rows(table, pair);
  if (a.server && b.server) notes += server_rows(table, pair);
  notes += only_in_one(pair.label + ": accuracy", a.accuracy.has_value(), b.accuracy.has_value());
  notes += only_in_one(pair.label + ": speed", a.speed.has_value(), b.speed.has_value());
  notes += only_in_one(pair.label + ": server rate", a.server.has_value(), b.server.has_value());
  notes += differing(pair.label + ": devices", a.device, b.device);
  notes += differing(pair.label + ": forced kernels", a.kernel, b.kernel);
  notes += differing(pair.label + ": quantizations", a.recipe, b.recipe);
  return notes;
}

std::string unmatched_runs(const ResultFile& result, const char* name, const std::vector<Pair>& pairs) {
  std::string labels;
  for (const ResultRun& run : result.runs) {
    const bool matched =
        std::any_of(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.a == &run || pair.b == &run; });
    if (!matched) labels += (labels.empty() ? "" : ", ") + run.label;
  }
  return labels.empty() ? "" : sentence(fmt::format("Only in {}: {}.", name, labels));
}

std::string images_text(const ResultFile& result) {
  if (!result.data) return "";
  return fmt::format("{} images from number {} of {}", result.data->count, result.data->first + 1,
                     shortened_path(result.data->path, 50));
}

// What the two differ in beside the thing that they are to be compared for.
std::string differences(const ResultFile& a, const ResultFile& b) {
  std::string text = differing("Networks", a.model, b.model) + differing("Weights", a.weights, b.weights) +
                     differing("CPUs", a.cpu, b.cpu) +
                     differing("Threads", std::to_string(a.threads), std::to_string(b.threads));
  if (a.data && b.data) {
    if (!same_images(a, b)) {
      text += images_text(a) == images_text(b)
                  ? sentence(fmt::format("Images differ: both judged {}, but not the same ones.", images_text(a)))
                  : differing("Images", images_text(a), images_text(b));
    }
    text += differing("Preprocessings", a.data->preprocessing, b.data->preprocessing);
  }
  if (!a.calibration_isa.empty() && !b.calibration_isa.empty())
    text += differing("Instruction sets of the calibration", a.calibration_isa, b.calibration_isa);
  if (!a.speed_input.empty() && !b.speed_input.empty())
    text += differing("Inputs of the timing", a.speed_input, b.speed_input);
  return text;
}

// Why the numbers of one of the two may mean less than they seem to.
std::string doubts(const ResultFile& result, const char* name) {
  std::string text;
  if (result.interrupted)
    text += sentence(fmt::format("{} was interrupted: its numbers cover what was done until then.", name));
  for (const std::string& warning : result.warnings) text += sentence(fmt::format("{}: WARNING: {}", name, warning));
  for (const ResultRun& run : result.runs) {
    if (run.speed && run.speed->verdict != "VALID") {
      std::string reasons;
      for (const std::string& reason : run.speed->reasons) reasons += (reasons.empty() ? ": " : "; ") + reason;
      text += sentence(fmt::format("{}: the speed of {} is {}{}.", name, run.label, run.speed->verdict, reasons));
    }
    if (run.server && run.server->verdict != "VALID")
      text += sentence(fmt::format("{}: the server rate of {} is {}.", name, run.label, run.server->verdict));
  }
  for (const std::string& warning : result.disturbances)
    text += wrapped(fmt::format("{}: {}.", name, warning), kWidth, 3);
  return text;
}

std::string compare(const ResultFile& a, const ResultFile& b) {
  if (a.task != b.task) return sentence(fmt::format("A is of {}, B of {}: nothing to compare.", a.task, b.task));
  const std::vector<Pair> pairs = matching_runs(a, b);
  std::string notes = doubts(a, "A") + doubts(b, "B") + unmatched_runs(a, "A", pairs) + unmatched_runs(b, "B", pairs) +
                      differences(a, b);
  if (pairs.empty()) return "No run of A has the precision and scheme of one of B: nothing to compare.\n" + notes;
  TextTable table;
  for (const char* title : {"precision", "quantity"}) table.column(title, TextTable::Align::kLeft);
  for (const char* title : {"A", "B", "B against A"}) table.column(title);
  for (const Pair& pair : pairs) notes += compare_pair(table, pair, a, b);
  return table.text() + (notes.empty() ? "" : "\n" + notes);
}

std::string file_line(const char* name, const ResultFile& result) {
  return fmt::format("{}  {}: {}, {}, {} threads\n", name, shortened_path(result.path, 50), result.model, result.cpu,
                     result.threads);
}

}  // namespace

std::string compare_results(const std::string& path_a, const std::string& path_b) {
  const ResultFile a = read_result(path_a), b = read_result(path_b);
  return file_line("A", a) + file_line("B", b) + '\n' + compare(a, b);
}

}  // namespace gpueval
