// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "cli/options.h"
#include "gpueval/error.h"
#include "gpueval/report.h"

namespace gpueval::cli {
namespace {

constexpr const char* kFooter = R"(
Without --weights and --data, the published file names are looked for in ~/.keras/models, $GPUEVAL_DATA (and its
sub-folders) and the current folder. `gpu_eval --model demo` needs no file at all.
Exit codes: 0 ok, 1 run-time error, 2 usage, 3 accuracy gate failed, 4 measurement INVALID, 5 no usable device,
130 interrupted (Ctrl-C: what is done is printed; the same command with --resume continues).)";

// Values that need more than a conversion; split once parsing is done.
struct RawLists {
  std::string precisions = "float32,int8", percentiles = "50,90,99";
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t comma; (comma = text.find(',', start)) != std::string::npos; start = comma + 1) {
    parts.push_back(text.substr(start, comma - start));
  }
  parts.push_back(text.substr(start));
  return parts;
}

// Without the range in --help: the texts say it.
CLI::Validator quiet(CLI::Validator validator) { return validator.description(""); }

void add_network_options(CLI::App& app, Options& o) {
  const char* group = "Network and data";
  app.add_option("--model", o.model, "network: see `gpu_eval list models`")->group(group)->type_name("NAME");
  app.add_option("--alpha", o.alpha, "width of mobilenet: 1 (default), 0.75, 0.5, 0.25")->group(group)->type_name("A");
  app.add_option("--weights", o.weights, "Keras weight file, or `random`: seeded random weights, for speed")
      ->group(group)
      ->type_name("F.h5");
  app.add_option("--seed", o.seed, "seed of --weights random (default 1)")->group(group)->type_name("N");
  app.add_option("--data", o.data, "val224_compressed.pkl or the like, an image folder, or `demo`")
      ->group(group)
      ->type_name("PATH");
  app.add_option("--labels", o.labels, "ground truth of a flat image folder; with --image: names of the classes")
      ->group(group)
      ->type_name("F");
  app.add_option("--limit", o.limit, "judge at most N images")
      ->group(group)
      ->check(quiet(CLI::PositiveNumber))
      ->type_name("N");
  app.add_option("--preprocess", o.preprocess, "default, or original (the research code's: 224 crop, then resize)")
      ->group(group)
      ->check(quiet(CLI::IsMember({"default", "original"})))
      ->type_name("NAME");
  app.add_option("--image", o.image, "print the five likeliest classes of one JPEG image")
      ->group(group)
      ->type_name("F.jpg");
}

void add_precision_options(CLI::App& app, Options& o, RawLists& raw) {
  const char* group = "Precision";
  app.add_option("--precision", raw.precisions, "rows of the result: float32, int8 (default float32,int8)")
      ->group(group)
      ->type_name("P,...");
  app.add_option("--scheme", o.scheme, "int8: maxabs (default; static scales) or reference (the original research)")
      ->group(group)
      ->type_name("S");
  app.add_option("--depthwise", o.depthwise, "reference scheme: depthwise layers in int8 (default) or float32")
      ->group(group)
      ->check(quiet(CLI::IsMember({"int8", "float32"})))
      ->type_name("TYPE");
  app.add_option("--activations", o.activations,
                 "static schemes: u8 where a tensor cannot be negative (default), or s8")
      ->group(group)
      ->check(quiet(CLI::IsMember({"u8", "s8"})))
      ->type_name("TYPE");
  app.add_option("--calibration-images", o.calibration_images,
                 "first N images of the data, not judged again (default 128, a quarter of less than 512)")
      ->group(group)
      ->check(quiet(CLI::PositiveNumber))
      ->type_name("N");
  app.add_option("--calibration-table", o.calibration_table, "ranges that `gpu_eval calibrate` wrote")
      ->group(group)
      ->type_name("F.json");
}

void add_measurement_options(CLI::App& app, Options& o, RawLists& raw) {
  const char* group = "Measurement";
  app.add_option("--mode", o.mode, "accuracy, speed or both (default)")
      ->group(group)
      ->check(quiet(CLI::IsMember({"accuracy", "speed", "both"})))
      ->type_name("MODE");
  app.add_option("--device", o.device, "auto (default) or one of `gpu_eval list devices`")
      ->group(group)
      ->type_name("NAME");
  app.add_option("--kernel", o.kernel, "force an int8 kernel or instruction set: see `gpu_eval list kernels`")
      ->group(group)
      ->type_name("NAME");
  app.add_option("--threads", o.threads, "CPU threads (default: all cores)")
      ->group(group)
      ->check(quiet(CLI::Range(1, 4096)))
      ->type_name("N");
  app.add_option("--batch", o.batch, "images at once; speed: 1 by default, accuracy: 16")
      ->group(group)
      ->check(quiet(CLI::Range(1, 4096)))
      ->type_name("N");
  app.add_option("--warm-up", o.warm_up_ms, "milliseconds before measuring (default 200)")
      ->group(group)
      ->check(quiet(CLI::NonNegativeNumber))
      ->type_name("MS");
  app.add_option("--duration", o.duration_s, "least seconds measured for each precision (default 3)")
      ->group(group)
      ->check(quiet(CLI::NonNegativeNumber))
      ->type_name("S");
  app.add_option("--iterations", o.iterations, "least iterations for each precision (default 10)")
      ->group(group)
      ->check(quiet(CLI::PositiveNumber))
      ->type_name("N");
  app.add_option("--percentiles", raw.percentiles, "of the latency (default 50,90,99)")
      ->group(group)
      ->type_name("P,...");
  app.add_flag("--per-layer", o.per_layer, "time of each layer, with its kernel")->group(group);
  app.add_flag("--resume", o.resume, "continue a run that was killed or interrupted")->group(group);
}

void add_result_options(CLI::App& app, Options& o) {
  const char* group = "Result";
  app.add_option("--json", o.json, "write the result as JSON (docs/result-schema.json)")->group(group)->type_name("F");
  app.add_option("--save-logits", o.save_logits, "NumPy float32 (judged images, classes) of the last precision")
      ->group(group)
      ->type_name("F.npy");
  app.add_option("--reference", o.reference_accuracy,
                 "accuracy gate: exit code 3 if the last precision's top-1 is below ACC - POINTS/100")
      ->group(group)
      ->check(quiet(CLI::Range(0.0, 1.0)))
      ->type_name("ACC");
  app.add_option("--threshold", o.threshold_points, "points of the accuracy gate (default 0)")
      ->group(group)
      ->check(quiet(CLI::NonNegativeNumber))
      ->type_name("POINTS");
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

// The later parser's message names what it did not expect; an option gets a sentence of its own.
[[noreturn]] void fail_extras(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining(true);
  for (const std::string& text : extras) {
    if (text.starts_with("-"))
      fail_usage("unknown option {}: `gpu_eval --help` lists what this version has", text.substr(0, text.find('=')));
  }
  fail_usage("unexpected argument '{}': `gpu_eval --help` shows the usage", extras.empty() ? "" : extras.front());
}

void record_given(const CLI::App& app, Options& o) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() > 0) o.given.insert(option->get_name());
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
  add_network_options(app, o);
  add_precision_options(app, o, raw);
  add_measurement_options(app, o, raw);
  add_result_options(app, o);
  app.require_subcommand(0, 1);
  CLI::App* calibrate = app.add_subcommand("calibrate", "write the --calibration-table of --data (options as above)");
  calibrate->set_help_flag();
  calibrate->fallthrough();
  CLI::App* list = app.add_subcommand("list", "list models, kernels, calibrators or devices");
  list->add_option("what", o.list_what, "models, kernels, calibrators or devices")
      ->required()
      ->check(quiet(CLI::IsMember({"models", "kernels", "calibrators", "devices"})));
  CLI::App* compare = app.add_subcommand("compare", "two results of --json side by side");
  compare->add_option("A", o.compare_a, "result file")->required()->type_name("A.json");
  compare->add_option("B", o.compare_b, "result file")->required()->type_name("B.json");

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
  } catch (const CLI::ParseError& error) {
    fail_usage("{}", error.what());
  }
  record_given(app, o);
  o.precisions = split(raw.precisions);
  o.percentiles = parse_percentiles(raw.percentiles);
  if (calibrate->parsed()) o.command = Command::kCalibrate;
  if (list->parsed()) o.command = Command::kList;
  if (compare->parsed()) o.command = Command::kCompare;
  if (o.command == Command::kMeasure && !o.image.empty()) o.command = Command::kClassify;
  for (int i = 0; i < argc; ++i) o.command_line += (i == 0 ? "gpu_eval" : std::string(" ") + argv[i]);
  return o;
}

}  // namespace gpueval::cli
