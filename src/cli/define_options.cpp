// SPDX-License-Identifier: Apache-2.0
#include "cli/define_options.h"

#include <fmt/format.h>

#include "cli/number_checks.h"
#include "cli/recipe.h"

namespace gpueval::cli {
namespace {

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
  app.add_option("--limit", o.limit, "judge at most N images")->group(group)->check(above_zero())->type_name("N");
  app.add_option("--preprocess", o.preprocess, "default, or original (the research code's: 224 crop, then resize)")
      ->group(group)
      ->check(quiet(CLI::IsMember({"default", "original"})))
      ->type_name("NAME");
  app.add_option("--preprocess-on", o.preprocess_on,
                 "host (default) or device: cuda and emu resize and normalise judged images themselves, same bits")
      ->group(group)
      ->check(quiet(CLI::IsMember({"host", "device"})))
      ->type_name("WHERE");
  app.add_option("--image", o.image, "print the five likeliest classes of one JPEG image")
      ->group(group)
      ->type_name("F.jpg");
}

void add_precision_options(CLI::App& app, Options& o, RawLists& raw) {
  const char* group = "Precision";
  app.add_option("--precision", raw.precisions,
                 "rows of the result: float32, tf32, float16, int8 (default float32,int8); tf32 and float16 on a GPU")
      ->group(group)
      ->type_name("P,...");
  app.add_option("--scheme", o.scheme, "best (default; maxabs where accuracy is not measured); see `list calibrators`")
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
                 "N images spread over the data, not judged again (default 128, of judged data at most a quarter)")
      ->group(group)
      ->check(above_zero())
      ->type_name("N");
  app.add_option("--calibration-table", o.calibration_table, "what `gpu_eval calibrate` wrote: ranges and corrections")
      ->group(group)
      ->type_name("F.json");
  app.add_option("--calibration-percentile", o.calibration_percentile,
                 "scheme percentile: share of a tensor's values inside its range (default 99.99)")
      ->group(group)
      ->check(quiet(CLI::Range(50.0, 100.0)))
      ->type_name("P");
  app.add_option("--target-loss", o.target_loss_points,
                 "sensitivity: find the fewest layers in float32 that lose at most POINTS of top-1")
      ->group(group)
      ->check(quiet(CLI::Range(0.0, 100.0)))
      ->type_name("POINTS");
  app.add_option(
         "--choosing-images", o.choosing_images,
         "--target-loss: N images spread over those not calibrated on choose the layers and are not judged (default "
         "half of what is left, at most 500)")
      ->group(group)
      ->check(above_zero())
      ->type_name("N");
  app.add_option("--float-layers", raw.float_layers, "static schemes: layers left in float32, by Keras name")
      ->group(group)
      ->type_name("L,...");
}

void add_correction_options(CLI::App& app, RawLists& raw) {
  const char* group =
      "Corrections of int8: scheme best has what earned its place, the others none; --no-NAME switches NAME off";
  for (const CorrectionSwitch& row : correction_switches()) {
    app.add_flag(fmt::format("--{}", row.name), raw.corrections[row.name].on, row.help)->group(group);
    app.add_flag(fmt::format("--no-{}", row.name), raw.corrections[row.name].off)->group("");  // not in --help
  }
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
  app.add_option("--kernel", o.kernel,
                 "force a kernel: a name of `gpu_eval list kernels` (float32 ones leave int8 layers as they are, and "
                 "the reverse); on "
                 "the CPU also an instruction set for int8, on cuda and emu a part of a name (dp4a, mma)")
      ->group(group)
      ->type_name("NAME");
  app.add_flag("--no-cuda-graph{false}", o.cuda_graph, "cuda, emu: launch kernel by kernel, not one captured graph")
      ->group(group);
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
      ->check(zero_or_above())
      ->type_name("MS");
  app.add_option("--duration", o.duration_s, "least seconds measured for each precision (default 3)")
      ->group(group)
      ->check(zero_or_above())
      ->type_name("S");
  app.add_option("--iterations", o.iterations, "least iterations for each precision (default 10)")
      ->group(group)
      ->check(above_zero())
      ->type_name("N");
  app.add_option("--scenario", o.scenario,
                 "offline (batches of 16), single-stream (batch 1, p90) or server (random arrivals)")
      ->group(group)
      ->check(quiet(CLI::IsMember({"offline", "single-stream", "server"})))
      ->type_name("NAME");
  app.add_option("--latency-bound", o.latency_bound_ms, "server: most that p99 may take, in milliseconds (default 15)")
      ->group(group)
      ->check(above_zero())
      ->type_name("MS");
  app.add_option("--percentiles", raw.percentiles, "of the latency (default 50,90,99)")
      ->group(group)
      ->type_name("P,...");
  app.add_flag("--include-data-transfers", o.include_transfers,
               "cuda, emu: the latency includes the copies to the device and back (else in a line of their own)")
      ->group(group);
  app.add_flag("--per-layer", o.per_layer, "time of each layer, with its kernel; error of each int8 layer")
      ->group(group);
  app.add_flag("--resume", o.resume, "continue a run that was killed or interrupted")->group(group);
}

void add_result_options(CLI::App& app, Options& o) {
  const char* group = "Result";
  app.add_option("--json", o.json, "write the result as JSON (docs/result-schema.json); - prints that")
      ->group(group)
      ->type_name("F");
  app.add_option("--markdown", o.markdown, "table: write it as Markdown; - prints that")->group(group)->type_name("F");
  app.add_option("--html", o.html, "write the result as a web page: one file with tables and charts; - prints that")
      ->group(group)
      ->type_name("F");
  app.add_option("--onnx", o.onnx, "export: the file to write; --precision float32 (default) or int8")
      ->group(group)
      ->type_name("F.onnx");
  app.add_option("--save-logits", o.save_logits, "NumPy float32 (judged images, classes) of the last precision")
      ->group(group)
      ->type_name("F.npy");
  app.add_option("--reference", o.reference_accuracy,
                 "accuracy gate: exit code 3 if the last row's top-1 is below ACC - POINTS/100")
      ->group(group)
      ->check(quiet(CLI::Range(0.0, 1.0)))
      ->type_name("ACC");
  app.add_option("--threshold", o.threshold_points, "points of the accuracy gate (default 0)")
      ->group(group)
      ->check(zero_or_above())
      ->type_name("POINTS");
}

}  // namespace

void define_options(CLI::App& app, Options& options, RawLists& raw) {
  add_network_options(app, options);
  add_precision_options(app, options, raw);
  add_correction_options(app, raw);
  add_measurement_options(app, options, raw);
  add_result_options(app, options);
}

}  // namespace gpueval::cli
