// SPDX-License-Identifier: Apache-2.0
// gpu_bench: every kernel x every convolution of the networks, with library baselines. docs/benchmarks.md explains it.
#include <cstdio>
#include <exception>
#include <fstream>

#include "bench_row.h"
#include "gpueval/error.h"
#include "options.h"
#include "result.h"
#include "session.h"

namespace gpueval::bench {
namespace {

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) fail("{}: cannot be written", path);
}

void print_tables(const Options& options, const Result& result) {
  for (const auto& [name, description] : result.devices) std::printf("%s: %s\n", name.c_str(), description.c_str());
  if (!result.roofs.empty()) std::printf("\n%s", roof_table(result).text().c_str());
  if (!result.rows.empty()) std::printf("\n%s", row_table(result).text().c_str());
  if (!options.compare.empty()) std::printf("\n%s", compare_table(result, options.compare).text().c_str());
}

int run(int argc, const char* const* argv) {
  const ParsedLine line = parse_line(argc, argv);
  if (!line.help.empty()) {
    std::printf("%s", line.help.c_str());
    return 0;
  }
  std::string command = "gpu_bench";
  for (int i = 1; i < argc; ++i) command += std::string(" ") + argv[i];
  const Result result = run_session(line.options, line.rest, command);
  if (line.options.list) {
    for (const Row& row : result.rows) {
      std::printf("%s%s%s\n", row_name(row).c_str(), row.note.empty() ? "" : "  ", row.note.c_str());
    }
    return 0;
  }
  print_tables(line.options, result);
  if (!line.options.json.empty()) write_file(line.options.json, json(result));
  if (!line.options.markdown.empty()) write_file(line.options.markdown, markdown(result, line.options.compare));
  bool failed = false;
  for (const Row& row : result.rows) failed = failed || row.failed;
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace gpueval::bench

int main(int argc, char** argv) {
  try {
    return gpueval::bench::run(argc, argv);
  } catch (const gpueval::Error& error) {
    std::fprintf(stderr, "gpu_bench: %s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_bench: %s\n", error.what());
    return 1;
  }
}
