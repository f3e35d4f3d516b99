// SPDX-License-Identifier: Apache-2.0
#include "gpueval/selftest.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <regex>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/option_groups.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "core/stop_signal.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/report.h"

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

void define_selftest(CLI::App& app, Options& o) {
  Section device(app, "Device");
  device.option("--device", o.plan.device, "NAME", "cuda (default) or emu");
  device.option("--kernels", o.kernels, "REGEX", "those alone whose names hold this regular expression");
  device.option("--threads", o.threads, "N", "CPU threads (default: all cores)")->check(whole(1, 4096));
  device.option("--worker", o.selftest_worker, "", "")->group("");
  Section(app, "Result").option("--json", o.json, "F", "write the result as JSON; - prints that");
}

void check_selftest(const CLI::App&, Options& o) {
  const std::string backend = device_of(o).substr(0, device_of(o).find(':'));
  std::vector<std::string> able;
  for (const DeviceInfo& info : devices()) {
    if (info.has_selftest) able.push_back(info.name);
  }
  if (std::find(able.begin(), able.end(), backend) == able.end())
    fail_usage("--device {}: selftest is for the devices {}", o.plan.device, fmt::join(able, " and "));
}

int run_selftest(const Options& options) {
  if (!options.selftest_worker.empty()) {
    serve_selftest(device_of(options), options.selftest_worker, [](const std::string& line) {
      stop_point();
      print_line(line);
    });
    return 0;
  }
  const SelftestResult result = [&] {
    Progress progress;
    return test_kernels(device_of(options), wanted_kernels(options), progress);
  }();
  const std::vector<std::string> problems = write_results({{options.json, [&] { return to_json(result); }}});
  if (!prints_form(options)) print_lines(to_text(result));
  for (const std::string& note : result.notes) print_note(note);
  for (const std::string& problem : problems) print_error(problem);
  return exit_status(result.failed() == 0 && problems.empty() ? ExitCode::kOk : ExitCode::kRuntime);
}

}  // namespace

const Command kSelftest{
    "selftest",
    "compare the kernels of cuda or emu with slow loops, bit for bit",
    define_selftest,
    check_selftest,
    run_selftest,
    "Every kernel of our own that a network may run on the device, on small shapes. One that fails is "
    "named and never chosen on that GPU with that driver and build; `gpu_eval` on cuda tests by itself "
    "what was not tested yet. The verdicts are in selftest.json in $GPUEVAL_CACHE or ~/.cache/gpueval.\n"
    "  gpu_eval selftest                                       all of them on the GPU, in seconds\n"
    "  gpu_eval selftest --device emu --kernels 'dp4a|^add$'   some of them on the emulated GPU\n"
    "  gpu_eval selftest --json selftest.json                  the verdicts as JSON, too\n"
    "Exit codes: 0 all equal, 1 some failed, 2 usage, 5 no usable device."};

}  // namespace gpueval::cli
