// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <CLI/CLI.hpp>

#include "gpueval/error.h"
#include "patterns.h"
#include "program/values.h"

namespace gpueval::bench {
namespace {

void define(CLI::App& app, Options& o) {
  app.add_option("--device", o.devices, "cpu, cuda, emu; several by comma (default: cpu, and cuda where there is one)")
      ->delimiter(',')
      ->check(CLI::IsMember({"cpu", "cuda", "emu"}));
  app.add_option("--batch", o.batches, "images, several by comma")->delimiter(',')->check(CLI::Range(1, 4096));
  app.add_option("--threads", o.threads, "CPU threads, several by comma (default: 1 and all)")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024));
  app.add_option("--shapes", o.shapes, "regular expression over NETWORK/SHAPE: resnet50, mobilenet.*_dw_, c64_k64r3");
  app.add_option("--kernels", o.kernels, "regular expression over kernel names: dp4a, mma, onednn");
  app.add_option("--compare", o.compare, "regular expressions over kernel names, by comma: their fastest side by side")
      ->delimiter(',');
  app.add_option("--cache", o.cache,
                 "hot: data where the run before left it; cold: caches flushed before each run; both")
      ->check(CLI::IsMember({"hot", "cold", "both"}));
  app.add_option("--min-time", o.min_time, "seconds of samples of a hot row")->check(above_zero());
  app.add_option("--roof-time", o.roof_time, "seconds for each roof; 0: measure none")->check(zero_or_above());
  app.add_option("--json", o.json, "write roofs and rows to this file");
  app.add_option("--markdown", o.markdown, "write the tables to this file");
  app.add_flag("--list", o.list, "name the rows and leave");
  app.add_flag("--roofs", o.roofs_only, "measure the roofs and leave");
  app.add_flag("--ops", o.ops, "also time the integer operations between convolutions (CPU)");
}

}  // namespace

ParsedLine parse_line(int argc, const char* const* argv) {
  ParsedLine line;
  CLI::App app("Times every convolution kernel on the shapes of the nine networks, next to library baselines",
               "gpu_bench");
  app.allow_extras();
  app.footer(
      "Options that start with --benchmark_ are Google Benchmark's: --benchmark_filter, --benchmark_repetitions, ...");
  define(app, line.options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.help = app.help();
    return line;
  } catch (const CLI::ParseError& error) {
    throw Error(error.what(), ErrorKind::kUsage);
  }
  line.rest = app.remaining();
  for (const std::string& option : line.rest) {
    if (!option.starts_with("--benchmark_")) fail_usage("unknown option '{}' (--help lists them)", option);
  }
  const Options& o = line.options;
  if (o.roofs_only && o.roof_time == 0) fail_usage("--roofs and --roof-time 0 contradict each other");
  for (const std::string& pattern : o.compare) Pattern{pattern};
  Pattern{o.shapes};
  Pattern{o.kernels};
  return line;
}

}  // namespace gpueval::bench
