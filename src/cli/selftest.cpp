// SPDX-License-Identifier: Apache-2.0
#include "gpueval/selftest.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <regex>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/option_groups.h"
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

std::string device_of(const Options& options) { return options.plan.device == "auto" ? "cuda" : options.plan.device; }

std::vector<std::string> wanted_kernels(const Options& options) {
  std::vector<std::string> names = selftest_kernels(device_of(options));
  try {
    const std::regex wanted(options.kernels);
    std::erase_if(names, [&](const std::string& name) { return !std::regex_search(name, wanted); });
  } catch (const std::regex_error&) {
    fail_usage("--kernels {}: it is no regular expression", options.kernels);
  }
  if (names.empty()) {
    fail_usage("--kernels {}: none of {} has that in its name", options.kernels,
               fmt::join(selftest_kernels(device_of(options)), ", "));
  }
  return names;
}

SelftestResult run_with_progress(const std::string& device, const std::vector<std::string>& kernels) {
  Progress progress;
  progress.on_step(fmt::format("self-test of {} kernels on {}", kernels.size(), device));
  std::size_t begun = 0;
  constexpr std::chrono::seconds kOfGpu(20), kOfEmulator(600);
  return run_selftest({.device = device,
                       .kernels = kernels,
                       .command = {"/proc/self/exe", "selftest", "--device", device, "--worker"},
                       .kernel_limit = device_info(device).emulated ? kOfEmulator : kOfGpu,
                       .begins = [&](const std::string& kernel) {
                         progress.on_step(
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

void define(CLI::App& app, Options& o) {
  Section device(app, "Device");
  device.option("--device", o.plan.device, "NAME", "cuda (default) or emu");
  device.option("--kernels", o.kernels, "REGEX", "those alone whose names hold this regular expression");
  device.option("--threads", o.threads, "N", "CPU threads (default: all cores)")->check(whole(1, 4096));
  device.option("--worker", o.selftest_worker, "", "")->group("");
  Section(app, "Result").option("--json", o.json, "F", "write the result as JSON; - prints that");
}

void check(const CLI::App&, Options& o) {
  const std::string backend = device_of(o).substr(0, device_of(o).find(':'));
  std::vector<std::string> able;
  for (const DeviceInfo& info : devices()) {
    if (info.has_selftest) able.push_back(info.name);
  }
  if (std::find(able.begin(), able.end(), backend) == able.end())
    fail_usage("--device {}: selftest is for the devices {}", o.plan.device, fmt::join(able, " and "));
}

int run(const Options& options) {
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

}  // namespace

void selftest_when_new(const Options& options) {
  const DeviceInfo device = device_info(options.plan.device);
  if (!device.has_selftest || device.emulated) return;
  const std::vector<std::string> kernels = untested_kernels(device.name);
  if (kernels.empty()) return;
  try {
    const SelftestResult result = run_with_progress(device.name, kernels);
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

const Command kSelftest{
    "selftest",
    "compare the kernels of cuda or emu with slow loops, bit for bit",
    define,
    check,
    run,
    "Every kernel of our own that a network may run on the device, on small shapes. One that fails is "
    "named and never chosen on that GPU with that driver and build; `gpu_eval` on cuda tests by itself "
    "what was not tested yet. The verdicts are in selftest.json in $GPUEVAL_CACHE or ~/.cache/gpueval.\n"
    "  gpu_eval selftest                                       all of them on the GPU, in seconds\n"
    "  gpu_eval selftest --device emu --kernels 'dp4a|^add$'   some of them on the emulated GPU\n"
    "  gpu_eval selftest --json selftest.json                  the verdicts as JSON, too\n"
    "Exit codes: 0 all equal, 1 some failed, 2 usage, 5 no usable device."};

}  // namespace gpueval::cli
