// SPDX-License-Identifier: Apache-2.0
#include "cli/outputs.h"

#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "cli/networks.h"
#include "cli/terminal.h"
#include "core/cache_folder.h"
#include "core/output_file.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "gpueval/models.h"
#include "quant/table_weights.h"

namespace gpueval::cli {
namespace {

namespace fs = std::filesystem;
constexpr const char* kToStdout = "-";

struct Input {
  std::string option, path;
};

struct Output {
  std::string option, path;
  std::vector<std::string> extensions;  // those of its format; the first is the usual one
  bool printable = false;               // may be "-"
};

// Formats that a name may promise. What has none of these names (F, F.txt) may hold anything.
const std::array kKnown{".json", ".html", ".htm", ".md", ".onnx", ".npy", ".npz", ".h5",  ".hdf5", ".keras", ".pkl",
                        ".jpg",  ".jpeg", ".png", ".pb", ".pt",   ".pth", ".csv", ".xml", ".bin",  ".tflite"};

std::vector<Output> outputs_of(const Options& o) {
  std::vector<Output> outputs{{"--json", o.json, {".json"}, true},
                              {"--html", o.html, {".html", ".htm"}, true},
                              {"--markdown", o.markdown, {".md", ".markdown"}, true},
                              {"--save-logits", o.accuracy.save_logits, {".npy"}},
                              {"--onnx", o.onnx, {".onnx"}}};
  if (!o.table.empty()) {
    outputs.push_back({"--calibration-table", o.table, {".json"}});
    outputs.push_back({"--calibration-table (its weights)", side_file_path(o.table), {".weights"}});
  }
  std::erase_if(outputs, [&](const Output& output) { return output.path.empty() && !o.given.contains(output.option); });
  return outputs;
}

// Weights that would be found for networks whose file is not named.
void add_found_weights(const Options& o, std::vector<Input>& inputs) {
  for (const Plan& plan : plans_of_each(o)) {
    const ModelSpec& spec = find_model(plan.model.name);
    if (!spec.weight_files || spec.name == "demo") continue;
    if (auto path = find_file(spec.weight_files({.alpha = plan.model.alpha.value_or(1), .variant = ""})))
      inputs.push_back({"the weights", std::move(*path)});
  }
}

// The files that a command reads: those named and those that are looked for. Not the pictures of a folder.
std::vector<Input> inputs_of(const Options& o) {
  std::vector<Input> inputs{{"--data", o.plan.data.path},
                            {"--labels", o.plan.data.labels},
                            {"--image", o.image},
                            {"--class-names", o.class_names},
                            {"--calibration-table", o.plan.calibration.table}};
  if (o.plan.model.weights != "random") inputs.push_back({"--weights", o.plan.model.weights});
  std::erase_if(inputs, [](const Input& input) { return input.path.empty(); });
  if (o.plan.model.weights.empty()) add_found_weights(o, inputs);
  if (!o.plan.data.path.empty() || o.models == std::vector<std::string>{"demo"}) return inputs;
  for (const char* name : {"val224_compressed.pkl", "val224_sample.pkl"}) {
    if (auto path = find_file({name})) inputs.push_back({"the images", std::move(*path)});
  }
  return inputs;
}

std::string extension_of(const std::string& path) {
  std::string extension = fs::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return extension;
}

// An ONNX file is found by its extension; every other output must only not promise another format.
void check_name(const Output& output) {
  if (output.path.empty()) fail_usage("{} '' names no file", output.option);
  if (output.path == kToStdout && !output.printable) {
    fail_usage("{} -: only --json, --html and --markdown can be printed; name a file", output.option);
  }
  const std::string found = extension_of(output.path);
  const auto is_found = [&](const std::string& extension) { return extension == found; };
  if (std::any_of(output.extensions.begin(), output.extensions.end(), is_found)) return;
  const bool strict = output.option == "--onnx" && !found.empty();
  if (strict || std::any_of(kKnown.begin(), kKnown.end(), is_found)) {
    fail_usage("{} {}: the name says {}, but the file would hold another format; name it *{}", output.option,
               output.path, found, output.extensions.front());
  }
}

// The file behind a descriptor that the shell opened.
bool is_open_as(const std::string& path, int descriptor) {
  struct stat named {
  }, open_one{};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(descriptor, &open_one) == 0 && S_ISREG(named.st_mode) &&
         named.st_dev == open_one.st_dev && named.st_ino == open_one.st_ino;
}

void check_place(const Output& output, const std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    for (const std::string& path : {output.path, output.path + ".part"}) {
      if (!same_place(path, input.path)) continue;
      fail_usage("{} {} would replace what is read: {} {}", output.option, output.path, input.option, input.path);
    }
  }
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    if (is_open_as(output.path, descriptor)) {
      fail_usage("{} {}: the same file is standard {}; `{} -` prints it there", output.option, output.path,
                 descriptor == STDOUT_FILENO ? "output" : "error", output.option);
    }
  }
  check_writable(output.path);
}

void check_pair(const Output& a, const Output& b) {
  const bool both_printed = a.path == kToStdout && b.path == kToStdout;
  const bool one_printed = a.path == kToStdout || b.path == kToStdout;
  if (both_printed) fail_usage("{} - and {} -: one of them can be printed", a.option, b.option);
  if (one_printed) return;
  if (same_place(a.path, b.path) || same_place(a.path + ".part", b.path) || same_place(a.path, b.path + ".part")) {
    fail_usage("{} {} and {} {} are the same file", a.option, a.path, b.option, b.path);
  }
}

}  // namespace

void settle_outputs(Options& options) {
  for (std::string* path : {&options.json, &options.html, &options.markdown}) {
    for (const char* name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
      if (*path == name) *path = kToStdout;
    }
  }
  const std::vector<Output> outputs = outputs_of(options);
  for (const Output& output : outputs) check_name(output);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) check_pair(outputs[j], outputs[i]);
  }
  // A file that is not there yet is not read.
  const bool any_there = std::any_of(outputs.begin(), outputs.end(), [](const Output& output) {
    std::error_code ignored;
    return fs::exists(output.path, ignored) || fs::exists(output.path + ".part", ignored);
  });
  const std::vector<Input> inputs = any_there ? inputs_of(options) : std::vector<Input>{};
  for (const Output& output : outputs) {
    if (output.path != kToStdout) check_place(output, inputs);
  }
  if (!options.accuracy.resume) return;
  if (cache_folder().empty()) fail_usage("--resume needs a place for its journal: {}", kNoCacheFolder);
  make_private_folder(cache_folder());
}

bool prints_form(const Options& options) {
  return options.json == kToStdout || options.html == kToStdout || options.markdown == kToStdout;
}

std::vector<std::string> write_results(const std::vector<ResultFile>& files) {
  std::vector<std::string> problems;
  for (const ResultFile& result : files) {
    if (result.path.empty()) continue;
    try {
      if (result.path == kToStdout) {
        print_lines(result.text());
      } else {
        write_file(result.path, result.text());
      }
    } catch (const Interrupted&) {  // at a pipe that nobody empties; the exit code says so
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  return problems;
}

}  // namespace gpueval::cli
