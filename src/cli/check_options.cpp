// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/recipe.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"

namespace gpueval::cli {
namespace {

// Each of `refused` that was typed is an error with `because`, which names the other option.
void refuse(const Options& o, const std::vector<const char*>& refused, const std::string& because) {
  for (const char* option : refused) {
    if (o.given.contains(option)) fail_usage("{} contradicts {}", option, because);
  }
}

void refuse_corrections(const Options& o, const std::string& because) {
  for (const auto& [name, on] : o.corrections) fail_usage("--{}{} contradicts {}", on ? "" : "no-", name, because);
}

void check_precisions(const Options& o) {
  const std::vector<std::string> known{"float32", "tf32", "float16", "int8"};
  for (const std::string& precision : o.precisions) {
    if (std::find(known.begin(), known.end(), precision) == known.end()) {
      fail_usage("--precision {}: expected {}", precision.empty() ? "''" : precision, fmt::join(known, ", "));
    }
    if (std::count(o.precisions.begin(), o.precisions.end(), precision) > 1)
      fail_usage("--precision names {} twice", precision);
    const bool compares = o.command == Command::kMeasure || o.command == Command::kClassify;
    if (!compares && precision != "float32" && precision != "int8") {
      fail_usage("--precision {}: only a measurement (and --image) has it; this command takes float32 and int8",
                 precision);
    }
  }
}

// tf32 and float16 are ways of a GPU to compute; the emulated one has no TF32.
void check_gpu_precisions(const Options& o, const std::string& device) {
  for (const std::string& precision : o.precisions) {
    if (device == "cpu" && (precision == "tf32" || precision == "float16")) {
      fail_usage("--precision {}: it needs a GPU (--device cuda), and the device is cpu", precision);
    }
    if (device == "emu" && precision == "tf32") {
      fail_usage("--precision tf32: it needs cuDNN on a GPU (--device cuda), and the device is emu");
    }
  }
}

void check_quantization(const Options& o) {
  if (!o.has_int8()) {
    refuse(o,
           {"--scheme", "--depthwise", "--activations", "--calibration-images", "--calibration-table",
            "--calibration-percentile", "--float-layers"},
           "--precision float32: it belongs to int8");
    refuse_corrections(o, "--precision float32: it belongs to int8");
  }
  if (!is_auto(o) && parse_scheme(o.scheme) == Scheme::kReference) {
    refuse(o, {"--activations", "--calibration-images", "--calibration-table", "--float-layers"},
           "--scheme reference, which is s8 and finds its scales at run time");
    refuse_corrections(o, "--scheme reference, which corrects nothing");
  } else {
    refuse(o, {"--depthwise"}, fmt::format("--scheme {}: it belongs to --scheme reference", o.scheme));
  }
  if (o.scheme != "percentile")
    refuse(o, {"--calibration-percentile"}, fmt::format("--scheme {}: it belongs to --scheme percentile", o.scheme));
  if (is_auto(o)) {
    refuse_corrections(o, "--scheme auto, which picks them");
    if (o.command != Command::kCalibrate) refuse(o, {"--calibration-table"}, "--scheme auto, which calibrates");
  } else {
    quant_options(o);  // switches that contradict each other
  }
  if (o.command != Command::kCalibrate && !o.calibration_table.empty()) {
    refuse(o, {"--calibration-images"}, "--calibration-table, which holds the ranges already");
  }
}

void check_numbers(const Options& o) {
  const auto check = [](const char* name, double value) {
    if (!std::isfinite(value)) fail_usage("{} {}: expected a number", name, value);
  };
  check("--warm-up", o.warm_up_ms);
  check("--duration", o.duration_s);
  check("--latency-bound", o.latency_bound_ms);
  check("--threshold", o.threshold_points);
  check("--reference", o.reference_accuracy.value_or(0));
}

void check_mode(const Options& o) {
  if (o.mode == "speed") {
    refuse(o, {"--save-logits", "--reference", "--threshold", "--resume", "--limit", "--preprocess-on"},
           "--mode speed: it belongs to the accuracy part");
  }
  if (o.mode == "accuracy") {
    refuse(o,
           {"--warm-up", "--duration", "--iterations", "--percentiles", "--scenario", "--latency-bound",
            "--include-data-transfers"},
           "--mode accuracy: it belongs to the speed part");
  }
  if (o.scenario != "server") refuse(o, {"--latency-bound"}, "every scenario but server");
  if (o.scenario == "single-stream" && o.batch.value_or(1) != 1) {
    fail_usage("--batch {} contradicts --scenario single-stream, which asks one image at a time", *o.batch);
  }
  if (o.given.contains("--threshold") && !o.reference_accuracy) fail_usage("--threshold needs --reference ACC");
  if (o.given.contains("--seed") && o.weights != "random") fail_usage("--seed needs --weights random");
  if (!o.labels.empty() && o.image.empty() && o.data.empty()) {
    fail_usage("--labels needs --data (ground truth of an image folder) or --image (names of the classes)");
  }
}

void check_export(const Options& o, const std::vector<const char*>& measure_only) {
  refuse(o, measure_only, "export, which only writes the network");
  refuse(o, {"--image", "--batch"}, "export, which only writes the network");
  if (o.onnx.empty()) fail_usage("export needs --onnx F.onnx, the file to write");
  if (o.precisions.size() != 1) fail_usage("export writes one network: --precision float32 or int8");
  if (o.has_int8() && !is_auto(o) && parse_scheme(o.scheme) == Scheme::kReference) {
    fail_usage("export contradicts --scheme reference, which finds its scales at run time: ONNX has no form for that");
  }
}

void check_table_command(const Options& o) {
  refuse(o,
         {"--precision", "--scheme", "--depthwise", "--calibration-table", "--calibration-percentile", "--float-layers",
          "--image", "--save-logits", "--reference", "--threshold", "--per-layer", "--preprocess-on"},
         "table, whose rows are given");
  refuse(o, {"--scenario", "--latency-bound"}, "table, which measures speed one way");
  refuse_corrections(o, "table, whose rows are given");
  if (o.mode == "speed") fail_usage("--mode speed contradicts table, which is about accuracy");
  if (o.model.empty()) refuse(o, {"--alpha", "--weights"}, "table without --model");
}

void check_sensitivity(const Options& o) {
  refuse(o,
         {"--image", "--save-logits", "--reference", "--threshold", "--per-layer", "--resume", "--float-layers",
          "--preprocess-on"},
         "sensitivity, which ranks the layers");
  if (o.given.contains("--precision") && !o.has_int8()) fail_usage("sensitivity is for int8, not --precision float32");
  if (!is_auto(o) && !needs_calibration(parse_scheme(o.scheme)))
    fail_usage("sensitivity contradicts --scheme {}: it is for static schemes", o.scheme);
  refuse(o, {"--scenario", "--latency-bound"}, "sensitivity, which measures speed one way");
  if (!o.target_loss_points)
    refuse(o, {"--warm-up", "--duration", "--iterations", "--percentiles", "--batch", "--include-data-transfers"},
           "sensitivity without --target-loss, which times nothing");
  if (!o.target_loss_points && o.choosing_images)
    fail_usage("--choosing-images needs --target-loss: these images choose the layers that it leaves in float32");
  if (o.mode == "speed") fail_usage("--mode speed contradicts sensitivity, which is about accuracy");
}

void check_command(const Options& o) {
  if (o.command == Command::kSensitivity) check_sensitivity(o);
  if (o.command != Command::kSensitivity)
    refuse(o, {"--target-loss", "--choosing-images"}, "everything but `gpu_eval sensitivity`");
  if (o.command == Command::kTable) check_table_command(o);
  if (o.command != Command::kTable) refuse(o, {"--markdown"}, "everything but `gpu_eval table`, which writes it");
  const std::vector<const char*> measure_only{
      "--mode",         "--limit",     "--json",          "--save-logits",
      "--reference",    "--threshold", "--resume",        "--per-layer",
      "--warm-up",      "--duration",  "--iterations",    "--percentiles",
      "--html",         "--scenario",  "--latency-bound", "--include-data-transfers",
      "--preprocess-on"};
  if (o.command != Command::kExport) refuse(o, {"--onnx"}, "everything but `gpu_eval export`, which writes it");
  if (o.command == Command::kExport) check_export(o, measure_only);
  if (o.command == Command::kClassify) refuse(o, measure_only, "--image, which only prints the classes");
  if (o.command != Command::kCalibrate) return;
  refuse(o, measure_only, "calibrate, which only writes the table");
  refuse(o, {"--image"}, "calibrate, which takes --data");
  if (o.given.contains("--precision") && !o.has_int8())
    fail_usage("calibrate is for int8; --precision float32 has nothing to calibrate");
  if (o.calibration_table.empty()) fail_usage("calibrate needs --calibration-table F.json, the file to write");
  if (!is_auto(o) && !needs_calibration(parse_scheme(o.scheme)))
    fail_usage("calibrate contradicts --scheme {}, which needs no calibration", o.scheme);
}

void check_device(const Options& o) {
  std::vector<std::string> names{"auto"};
  for (const DeviceInfo& device : devices()) names.push_back(device.name);
  if (std::find(names.begin(), names.end(), o.device) == names.end()) {
    fail_usage("--device {}: this version has {}", o.device, fmt::join(names, ", "));
  }
  const std::string device = chosen_device(o.device);
  check_gpu_precisions(o, device);
  if (!o.cuda_graph && device == "cpu") fail_usage("--no-cuda-graph is for the devices cuda and emu, not cpu");
  if (o.preprocess_on == "device" && device == "cpu") {
    fail_usage("--preprocess-on device is for the devices cuda and emu, not cpu");
  }
  if (o.include_transfers && device == "cpu") {
    fail_usage("--include-data-transfers is for the devices cuda and emu: the device is cpu, which copies nothing");
  }
  if (o.kernel.empty()) return;
  std::vector<std::string> names_of_device;
  for (const KernelInfo& row : kernels()) {
    if (row.device != device) continue;
    const bool part = device != "cpu" && row.name.find(o.kernel) != std::string::npos;
    if (row.name == o.kernel || row.isa == o.kernel || part) return;
    names_of_device.push_back(row.name);
  }
  fail_usage("--kernel {}: the device {} has no such kernel or instruction set; it has {}", o.kernel, device,
             fmt::join(names_of_device, ", "));
}

void check_selftest(const Options& o) {
  const std::vector<std::string> own{"--device", "--json", "--threads"};
  for (const std::string& option : o.given) {
    if (std::find(own.begin(), own.end(), option) == own.end()) fail_usage("{} contradicts selftest", option);
  }
  if (o.device != "auto" && o.device != "cuda" && o.device != "emu")
    fail_usage("--device {}: selftest is for the devices cuda and emu", o.device);
}

}  // namespace

void check_options(const Options& o) {
  if (o.command == Command::kList || o.command == Command::kCompare) {
    if (!o.given.empty())
      fail_usage("{} contradicts {}", *o.given.begin(), o.command == Command::kList ? "list" : "compare");
    return;
  }
  if (o.command == Command::kSelftest) return check_selftest(o);
  if (o.model.empty() && o.command != Command::kTable)
    fail_usage("--model NAME is needed: `gpu_eval list models` has the names, `--model demo` needs no file");
  check_precisions(o);
  check_numbers(o);
  check_command(o);
  check_quantization(o);
  check_mode(o);
  check_device(o);
}

}  // namespace gpueval::cli
