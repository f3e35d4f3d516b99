// SPDX-License-Identifier: Apache-2.0
#include "cli/outputs.h"

#include "core/cache_folder.h"
#include "core/output_file.h"
#include "core/output_places.h"
#include "gpueval/error.h"
#include "quant/table_weights.h"

namespace gpueval::cli {
namespace {

std::vector<OutputPlace> outputs_of(const Options& o) {
  std::vector<OutputPlace> outputs{{"--json", o.json, {".json"}, true},
                                   {"--html", o.html, {".html", ".htm"}, true},
                                   {"--markdown", o.markdown, {".md", ".markdown"}, true},
                                   {"--save-logits", o.plan.outputs.first, {".npy"}},
                                   {"--save-detections", o.accuracy.save_detections, {".json"}},
                                   {"--onnx", o.onnx, {".onnx"}}};
  if (!o.table.empty()) {
    outputs.push_back({"--calibration-table", o.table, {".json"}});
    outputs.push_back({"--calibration-table (its weights)", side_file_path(o.table), {".weights"}});
  }
  std::erase_if(outputs,
                [&](const OutputPlace& output) { return output.path.empty() && !o.given.contains(output.option); });
  return outputs;
}

// The files that a command reads: those named and those that are looked for. Not the pictures of a folder.
std::vector<InputPlace> inputs_of(const Options& o) {
  const Plan& plan = o.plan;
  std::vector<InputPlace> inputs{{"--data", plan.data.path},
                                 {"--labels", plan.data.labels},
                                 {"--priors", plan.task.priors},
                                 {"--truth", o.judge.truth},
                                 {"--detections", o.judge.answers},
                                 {"--image", o.image},
                                 {"--class-names", o.class_names},
                                 {"--calibration-table", plan.calibration.table},
                                 {"--weights", plan.model.weights == "random" ? "" : plan.model.weights}};
  std::erase_if(inputs, [](const InputPlace& input) { return input.path.empty(); });
  for (const Plan& network : plans_of_each(o)) {
    for (FoundFile& file : found_files(network)) inputs.push_back({std::move(file.what), std::move(file.path)});
  }
  return inputs;
}

}  // namespace

void settle_outputs(Options& options) {
  for (std::string* path : {&options.json, &options.html, &options.markdown}) {
    for (const char* name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
      if (*path == name) *path = kToStdout;
    }
  }
  check_outputs(outputs_of(options), [&] { return inputs_of(options); });
  if (!options.accuracy.resume) return;
  if (cache_folder().empty()) fail_usage("--resume needs a place for its journal: {}", kNoCacheFolder);
  make_private_folder(cache_folder());
}

bool prints_form(const Options& options) {
  return options.json == kToStdout || options.html == kToStdout || options.markdown == kToStdout;
}

}  // namespace gpueval::cli
