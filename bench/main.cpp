// SPDX-License-Identifier: Apache-2.0
// gpu_bench: every kernel x every convolution of the networks, with library baselines. docs/benchmarks.md explains it.
#include <cstdio>
#include <exception>
#include <string>

#include "bench_row.h"
#include "core/output_file.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "options.h"
#include "program/exit_code.h"
#include "result.h"
#include "session.h"

namespace gpueval::bench {
namespace {

void write_files(const Options& options, const Result& result) {
  if (!options.json.empty()) write_file(options.json, json(result));
  if (!options.markdown.empty()) write_file(options.markdown, markdown(result, options.compare));
}

void print_tables(const Options& options, const Result& result) {
  for (const auto& [name, description] : result.devices) std::printf("%s: %s\n", name.c_str(), description.c_str());
  if (!result.roofs.empty()) std::printf("\n%s", roof_table(result).text().c_str());
  if (!result.rows.empty()) std::printf("\n%s", row_table(result).text().c_str());
  if (!options.compare.empty()) std::printf("\n%s", compare_table(result, options.compare).text().c_str());
  if (const std::string lines = disturbance_lines(result); !lines.empty()) std::printf("\n%s", lines.c_str());
}

// Refused before anything is measured.
void check_files(const Options& options) {
  if (!options.json.empty() && same_place(options.json, options.markdown)) {
    fail_usage("--json and --markdown both name {}", options.json);
  }
  for (const std::string& path : {options.json, options.markdown}) {
    if (!path.empty()) check_writable(path);
  }
}

int run(int argc, const char* const* argv) {
  const StopSignal stop;
  const ParsedLine line = parse_line(argc, argv);
  if (!line.help.empty()) {
    std::printf("%s", line.help.c_str());
    return 0;
  }
  check_files(line.options);
  std::string command = "gpu_bench";
  for (int i = 1; i < argc; ++i) command += std::string(" ") + argv[i];
  const Result result =
      run_session(line.options, line.rest, command, [&](const Result& known) { write_files(line.options, known); });
  if (line.options.list) {
    for (const Row& row : result.rows) {
      std::printf("%s%s%s\n", row_name(row).c_str(), row.note.empty() ? "" : "  ", row.note.c_str());
    }
    return 0;
  }
  print_tables(line.options, result);
  write_files(line.options, result);
  if (result.interrupted) {
    std::fprintf(stderr, "gpu_bench: interrupted, rows are missing\n");
    return exit_status(ExitCode::kInterrupted);
  }
  bool failed = false;
  for (const Row& row : result.rows) failed = failed || row.failed;
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace gpueval::bench

int main(int argc, char** argv) {
  try {
    const int code = gpueval::bench::run(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    std::fprintf(stderr, "gpu_bench: standard output could not all be written\n");
    return 1;
  } catch (const gpueval::Error& error) {
    std::fprintf(stderr, "gpu_bench: %s\n", error.what());
    return exit_status(gpueval::exit_code(error.kind()));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_bench: %s\n", error.what());
    return 1;
  }
}
