// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "cli/define_options.h"
#include "cli/options.h"
#include "gpueval/error.h"
#include "gpueval/report.h"

namespace gpueval::cli {
namespace {

constexpr const char* kFooter = R"(
Without --weights and --data, the published file names are looked for in ~/.keras/models, $GPUEVAL_DATA (and its
sub-folders) and the current folder. `gpu_eval --model demo` needs no file at all.
Journals of unfinished runs, for --resume, lie in $GPUEVAL_CACHE or ~/.cache/gpueval.
Exit codes: 0 ok, 1 run-time error, 2 usage, 3 accuracy gate failed, 4 measurement INVALID, 5 no usable device,
130 interrupted (Ctrl-C: what is done is printed and written; the same command with --resume continues).)";

constexpr const char* kSelftestFooter =
    R"(Every kernel of our own that a network may run on the device, on small shapes.
One that fails is named and never chosen on that GPU with that driver and build; `gpu_eval` on cuda tests by itself
what was not tested yet. The verdicts are in selftest.json in $GPUEVAL_CACHE or ~/.cache/gpueval.
  gpu_eval selftest                                       all of them on the GPU, in seconds
  gpu_eval selftest --device emu --kernels 'dp4a|^add$'   some of them on the emulated GPU
  gpu_eval selftest --json selftest.json                  the verdicts as JSON, too
Exit codes: 0 all equal, 1 some failed, 2 usage, 5 no usable device.)";

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t comma; (comma = text.find(',', start)) != std::string::npos; start = comma + 1) {
    parts.push_back(text.substr(start, comma - start));
  }
  parts.push_back(text.substr(start));
  return parts;
}

std::vector<double> parse_percentiles(const std::string& text) {
  std::vector<double> values;
  for (const std::string& part : split(text)) {
    double value = 0;
    if (!CLI::detail::lexical_cast(part, value) || !(value > 0 && value <= 100)) {
      fail_usage("--percentiles {}: expected numbers above 0 and up to 100 with commas between, such as 50,90,99",
                 text);
    }
    values.push_back(value);
  }
  return values;
}

// Names the first unknown option, or else the first argument too many.
[[noreturn]] void fail_extras(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining(true);
  for (const std::string& text : extras) {
    if (text.starts_with("-"))
      fail_usage("unknown option {}: `gpu_eval --help` lists what this version has", text.substr(0, text.find('=')));
  }
  fail_usage("unexpected argument '{}': `gpu_eval --help` shows the usage", extras.empty() ? "" : extras.front());
}

// Options of its own, those that other commands have too among them: they follow its name.
CLI::App* add_selftest(CLI::App& app, Options& o) {
  CLI::App* selftest =
      app.add_subcommand("selftest", "compare the kernels of cuda or emu with slow loops, bit for bit");
  selftest->add_option("--device", o.device, "cuda (default) or emu")->type_name("NAME");
  selftest->add_option("--kernels", o.selftest_kernels, "those alone whose names hold this regular expression")
      ->type_name("REGEX");
  selftest->add_option("--json", o.json, "write the result as JSON; - prints that")->type_name("F");
  selftest->add_option("--worker", o.selftest_worker)->delimiter(',')->group("");
  selftest->footer(kSelftestFooter);
  return selftest;
}

void record_given(const CLI::App& app, Options& o) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() > 0) o.given.insert(option->get_name());
  }
}

void record_corrections(const RawLists& raw, Options& o) {
  for (const auto& [name, typed] : raw.corrections) {
    if (typed.on && typed.off) fail_usage("--{0} contradicts --no-{0}", name);
    if (typed.on || typed.off) o.corrections[name] = typed.on;
  }
}

}  // namespace

bool Options::has_int8() const {
  for (const std::string& precision : precisions) {
    if (precision == "int8") return true;
  }
  return false;
}

std::optional<Options> parse_options(int argc, const char* const* argv, std::string* text) {
  Options o;
  RawLists raw;
  const ToolInfo tool = tool_info();
  CLI::App app("Accuracy and speed of CNNs in float32 and int8, measured on your own machine.", "gpu_eval");
  app.set_help_flag("--help,-h", "print this help and exit");
  app.set_version_flag("--version", fmt::format("gpu_eval {} ({})", tool.version, tool.revision),
                       "print version and revision and exit");
  app.footer(kFooter);
  define_options(app, o, raw);
  app.require_subcommand(0, 1);
  CLI::App* calibrate = app.add_subcommand("calibrate", "write the --calibration-table of --data (options as above)");
  calibrate->set_help_flag();
  calibrate->fallthrough();
  CLI::App* table =
      app.add_subcommand("table", "every network in float32, reference, maxabs and best (options as above)");
  table->set_help_flag();
  table->fallthrough();
  CLI::App* sensitivity =
      app.add_subcommand("sensitivity", "rank the layers by what int8 costs there (options as above)");
  sensitivity->set_help_flag();
  sensitivity->fallthrough();
  CLI::App* exporter = app.add_subcommand("export", "write the network as --onnx F.onnx (options as above)");
  exporter->set_help_flag();
  exporter->fallthrough();
  CLI::App* list = app.add_subcommand("list", "list models, kernels, calibrators or devices");
  list->add_option("what", o.list_what, "models, kernels, calibrators or devices")
      ->required()
      ->check(CLI::IsMember({"models", "kernels", "calibrators", "devices"}));
  CLI::App* compare = app.add_subcommand("compare", "two results of --json side by side");
  compare->add_option("A", o.compare_a, "result file")->required()->type_name("A.json");
  compare->add_option("B", o.compare_b, "result file")->required()->type_name("B.json");
  const CLI::App* selftest = add_selftest(app, o);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    *text = app.help() + '\n';
    return std::nullopt;
  } catch (const CLI::CallForVersion& version) {
    *text = std::string(version.what()) + '\n';
    return std::nullopt;
  } catch (const CLI::ExtrasError&) {
    fail_extras(app);
  } catch (const CLI::RequiredError&) {
    fail_usage("{}", list->parsed() ? "list: expected models, kernels, calibrators or devices"
                                    : "compare: expected two result files, A.json B.json");
  } catch (const CLI::ParseError& error) {
    fail_usage("{}", error.what());
  }
  record_given(app, o);
  if (selftest->count("--json") > 0) o.given.insert("--json");
  if (exporter->parsed() && !o.given.contains("--precision")) raw.precisions = "float32";
  record_corrections(raw, o);
  o.precisions = split(raw.precisions);
  if (!raw.float_layers.empty()) o.float_layers = split(raw.float_layers);
  o.percentiles = parse_percentiles(raw.percentiles);
  if (calibrate->parsed()) o.command = Command::kCalibrate;
  if (table->parsed()) o.command = Command::kTable;
  if (sensitivity->parsed()) o.command = Command::kSensitivity;
  if (exporter->parsed()) o.command = Command::kExport;
  if (list->parsed()) o.command = Command::kList;
  if (compare->parsed()) o.command = Command::kCompare;
  if (selftest->parsed()) o.command = Command::kSelftest;
  if (o.command == Command::kMeasure && !o.image.empty()) o.command = Command::kClassify;
  for (int i = 0; i < argc; ++i) o.command_line += (i == 0 ? "gpu_eval" : std::string(" ") + argv[i]);
  return o;
}

}  // namespace gpueval::cli
