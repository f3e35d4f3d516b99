// SPDX-License-Identifier: Apache-2.0
#include "cli/run.h"

#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "cli/commands.h"
#include "cli/outputs.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "cli/rules.h"
#include "core/stop_signal.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "program/exit_code.h"
#include "program/terminal.h"

namespace gpueval::cli {
namespace {

// Messages of the library begin with what is wrong ("alpha 0.3: ..."): the command line has an option of that name.
std::string with_option(const Parsed& parsed, const Error& error) {
  const std::string message = error.what();
  const std::string option = "--" + message.substr(0, message.find_first_of(" :"));
  const bool typed = error.kind() == ErrorKind::kUsage && !message.empty() && message[0] != '-';
  return typed && parsed.command_app->get_option_no_throw(option) != nullptr ? "--" + message : message;
}

ExitCode run_parsed(Parsed& parsed) {
  Options& options = parsed.options;
  try {
    set_threads(options.threads);
    check_options(options);
    settle_outputs(options);
    if (options.command->uses == Uses::kKernels)
      with_progress([&](Observer& observer) { test_new_kernels(options.plan.device, observer); });
    return options.command->run(options);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw Error(with_option(parsed, error), error.kind());
  }
}

ExitCode report_error(std::string_view message, ExitCode code) {
  print_error(message);
  return code;
}

ExitCode run_command(int argc, const char* const* argv) {
  try {
    const std::unique_ptr<Parsed> parsed = parse(argc, argv);
    if (parsed->text.empty()) return run_parsed(*parsed);
    print_lines(parsed->text);
    return ExitCode::kOk;
  } catch (const Interrupted&) {
    print_note("interrupted before there was a result");
    return ExitCode::kInterrupted;
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
  const ExitCode code = run_command(argc, argv);
  if (lost_output() != 0) {
    print_error(std::string("standard output: what was printed could not all be written: ") +
                std::strerror(lost_output()));
    return exit_status(ExitCode::kRuntime);
  }
  const bool verdict =
      code == ExitCode::kOk || code == ExitCode::kAccuracyGate || code == ExitCode::kInvalidMeasurement;
  return exit_status(StopSignal::raised() && verdict ? ExitCode::kInterrupted : code);
}

}  // namespace gpueval::cli
