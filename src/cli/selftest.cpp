// SPDX-License-Identifier: Apache-2.0
#include "gpueval/selftest.h"

#include "cli/commands.h"
#include "cli/ending.h"
#include "cli/progress.h"
#include "core/stop_signal.h"
#include "gpueval/report.h"
#include "program/terminal.h"

namespace gpueval::cli {

ExitCode run_selftest(const Options& o) {
  const std::string device = o.selftest_device();
  if (!o.selftest_worker.empty()) {
    serve_selftest(device, o.selftest_worker, [](const std::string& line) {
      stop_point();
      print_line(line);
    });
    return ExitCode::kOk;
  }
  const SelftestResult result = with_progress(
      [&](Observer& observer) { return test_kernels(device, selftest_kernels(device, o.kernels), observer); });
  const ExitCode code =
      finish(o, {.files = {{o.json, [&] { return to_json(result); }}}, .text = to_text(result), .notes = result.notes});
  return code == ExitCode::kOk && result.failed() > 0 ? ExitCode::kRuntime : code;
}

}  // namespace gpueval::cli
