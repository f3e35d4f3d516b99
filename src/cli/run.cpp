// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/outputs.h"
#include "cli/recipe.h"
#include "cli/terminal.h"
#include "core/stop_signal.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

int dispatch(const Options& options) {
  switch (options.command) {
    case Command::kMeasure:
      return measure(options);
    case Command::kClassify:
      return classify(options);
    case Command::kCalibrate:
      return calibrate(options);
    case Command::kTable:
      return table(options);
    case Command::kSensitivity:
      return sensitivity(options);
    case Command::kExport:
      return export_network(options);
    case Command::kList:
      return list(options);
    case Command::kCompare:
      return compare(options);
    case Command::kSelftest:
      return selftest(options);
  }
  return exit_status(ExitCode::kUsage);
}

int report_error(std::string_view message, ExitCode code) {
  print_error(message);
  return exit_status(code);
}

int run_command(int argc, const char* const* argv) {
  try {
    std::string text;
    std::optional<Options> options = parse_options(argc, argv, &text);
    if (!options) {
      print_lines(text);
      return 0;
    }
    set_threads(options->threads);
    check_options(*options);
    settle_outputs(*options);
    adopt_table(*options);
    selftest_when_new(*options);
    return dispatch(*options);
  } catch (const Interrupted&) {
    print_note("interrupted before there was a result");
    return exit_status(ExitCode::kInterrupted);
  } catch (const Error& error) {
    return report_error(error.what(), exit_code(error.kind()));
  } catch (const std::bad_alloc&) {
    return report_error("not enough memory; a smaller --batch or fewer precisions at once need less",
                        ExitCode::kRuntime);
  } catch (const std::exception& error) {
    return report_error(error.what(), ExitCode::kRuntime);
  }
}

}  // namespace

int run(int argc, const char* const* argv) {
  const StopSignal stop;
  const int code = run_command(argc, argv);
  if (lost_output() != 0) {
    print_error(std::string("standard output: what was printed could not all be written: ") +
                std::strerror(lost_output()));
    return exit_status(ExitCode::kRuntime);
  }
  const bool verdict = code == exit_status(ExitCode::kOk) || code == exit_status(ExitCode::kAccuracyGate) ||
                       code == exit_status(ExitCode::kInvalidMeasurement);
  return StopSignal::raised() && verdict ? exit_status(ExitCode::kInterrupted) : code;
}

}  // namespace gpueval::cli
