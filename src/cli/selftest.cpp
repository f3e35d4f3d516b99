// SPDX-License-Identifier: Apache-2.0
#include "gpueval/selftest.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <regex>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "core/json_text.h"
#include "core/stop_signal.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/report.h"
#include "report/text_table.h"

namespace gpueval::cli {
namespace {

std::string device_of(const Options& options) { return options.device == "auto" ? "cuda" : options.device; }

std::vector<std::string> wanted_kernels(const Options& options) {
  std::vector<std::string> names = selftest_kernels(device_of(options));
  try {
    const std::regex wanted(options.selftest_kernels);
    std::erase_if(names, [&](const std::string& name) { return !std::regex_search(name, wanted); });
  } catch (const std::regex_error&) {
    fail_usage("--kernels {}: it is no regular expression", options.selftest_kernels);
  }
  if (names.empty()) {
    fail_usage("--kernels {}: none of {} has that in its name", options.selftest_kernels,
               fmt::join(selftest_kernels(device_of(options)), ", "));
  }
  return names;
}

SelftestResult run_with_progress(const std::string& device, const std::vector<std::string>& kernels) {
  Progress progress;
  progress.show(fmt::format("self-test of {} kernels on {}", kernels.size(), device));
  std::size_t begun = 0;
  constexpr std::chrono::seconds kOfGpu(20), kOfEmulator(600);
  return run_selftest({.device = device,
                       .kernels = kernels,
                       .command = {"/proc/self/exe", "selftest", "--device", device, "--worker"},
                       .kernel_limit = device == "emu" ? kOfEmulator : kOfGpu,
                       .begins = [&](const std::string& kernel) {
                         progress.show_now_and_then(
                             fmt::format("self-test on {}: {} of {}, {}", device, ++begun, kernels.size(), kernel));
                       }});
}

std::string table_text(const SelftestResult& result) {
  TextTable table;
  table.column("kernel", TextTable::Align::kLeft);
  table.column("shapes");
  table.column("result", TextTable::Align::kLeft);
  table.column("ms");
  std::string text;
  for (const SelftestRow& row : result.rows) {
    table.row({row.name, std::to_string(row.shapes), row.failure.empty() ? "equal" : "FAILED",
               fmt::format("{:.1f}", row.ms)});
    if (!row.failure.empty()) text += fmt::format("FAILED: {}: {}.\n", row.name, row.failure);
  }
  const std::size_t count = result.rows.size(), failed = result.failed();
  text += failed == 0
              ? fmt::format("All {} equal the reference on {}.\n", count, result.device)
              : fmt::format("{} of {} failed on {}: they are not chosen there.\n", failed, count, result.device);
  return table.text() + '\n' + text;
}

std::string json_of(const SelftestResult& result) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const SelftestRow& row : result.rows) {
    rows.push_back({{"name", row.name},
                    {"equal", row.failure.empty()},
                    {"failure", row.failure.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(row.failure)},
                    {"shapes", row.shapes},
                    {"ms", row.ms}});
  }
  const ToolInfo tool = tool_info();
  return json_text(nlohmann::ordered_json{{"selftest", 1},
                                          {"device", result.device},
                                          {"driver", result.driver},
                                          {"revision", tool.revision},
                                          {"failed", result.failed()},
                                          {"kernels", std::move(rows)}},
                   2) +
         '\n';
}

// What a GPU's kernels are chosen for.
bool runs_kernels(Command command) {
  return command != Command::kExport && command != Command::kList && command != Command::kCompare &&
         command != Command::kSelftest;
}

}  // namespace

int selftest(const Options& options) {
  if (!options.selftest_worker.empty()) {
    serve_selftest(device_of(options), options.selftest_worker, [](const std::string& line) {
      stop_point();
      print_line(line);
    });
    return 0;
  }
  const SelftestResult result = run_with_progress(device_of(options), wanted_kernels(options));
  const std::vector<std::string> problems = write_results({{options.json, [&] { return json_of(result); }}});
  if (!prints_form(options)) print_lines(table_text(result));
  for (const std::string& note : result.notes) print_note(note);
  for (const std::string& problem : problems) print_error(problem);
  return exit_status(result.failed() == 0 && problems.empty() ? ExitCode::kOk : ExitCode::kRuntime);
}

void selftest_when_new(const Options& options) {
  if (!runs_kernels(options.command) || chosen_device(options.device) != "cuda") return;
  const std::vector<std::string> kernels = untested_kernels("cuda");
  if (kernels.empty()) return;
  try {
    const SelftestResult result = run_with_progress("cuda", kernels);
    for (const std::string& note : result.notes) print_note(note);
    if (result.failed() > 0) {
      print_note(fmt::format("{} of {} kernels failed their first test on {}; `gpu_eval selftest` has more",
                             result.failed(), kernels.size(), result.device));
    }
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    print_note(fmt::format("the kernels were not tested on this GPU: {}", error.what()));
  }
}

}  // namespace gpueval::cli
