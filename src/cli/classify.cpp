// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/engine_options.h"
#include "cli/lookup.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "eval/ranking.h"
#include "gpueval/error.h"
#include "io/data/imagenet_classes.h"

namespace gpueval::cli {
namespace {

// From --labels; else ImageNet's, all synonyms where the list of them is at hand and the first names where not.
std::vector<std::string> class_names(const Options& options, const LabelRules& labels, std::size_t classes) {
  std::string path = options.labels;
  if (path.empty() && labels.imagenet) path = find_file({"synset_words.txt"}).value_or("");
  if (path.empty()) {
    std::vector<std::string> names;
    if (labels.imagenet) {
      for (const data::ImageNetClass& entry : data::imagenet_classes()) names.emplace_back(entry.name);
    }
    return names;
  }
  std::vector<std::string> names = read_class_names(path);
  if (names.size() != classes) {
    fail("{}: has {} class names, one a line, but the network has {} classes", path, names.size(), classes);
  }
  return names;
}

void print_classes(std::span<const float> logits, const std::vector<std::string>& names) {
  const Ranking ranking = rank_classes(logits);
  if (ranking.has_nan) print_line("  the logits hold NaN: no class can be told");
  const std::vector<double> probabilities = softmax(logits);
  for (const int id : ranking.classes) {
    if (id < 0) continue;
    const auto i = static_cast<std::size_t>(id);
    print_line(fmt::format("  {:6.2f}%  {:>4}  {}", 100 * probabilities[i], id, names.empty() ? "" : names[i]));
  }
}

std::string calibration_sentence(const CalibrationReport& report) {
  if (report.source == "table") return fmt::format("int8 calibration: table {}.", report.path);
  if (report.source == "image")
    return "int8 calibration: this image alone, as no data was found; --data or --calibration-table do better.";
  return fmt::format("int8 calibration: {} images of {}.", report.images, report.path);
}

}  // namespace

int classify(const Options& options) {
  const Image image = read_image(options.image);
  const LoadedModel model = load_model(options);
  const std::vector<std::string> names =
      class_names(options, model.spec->labels, static_cast<std::size_t>(model.report.classes));
  Options data_options = options;
  data_options.labels.clear();  // they name the classes here
  CalibrationReport calibration;
  CalibrationTable table;
  if (calibrates(options)) table = obtain_table(options, model, load_data(data_options, *model.spec), calibration);

  const InputSpec& spec = model.spec->input;
  std::vector<float> pixels(static_cast<std::size_t>(spec.height) * static_cast<std::size_t>(spec.width) * 3);
  preprocess(image, false, spec, parse_resizing(options.preprocess), pixels);
  print_line(fmt::format("{}, {} x {} pixels", options.image, image.width, image.height));
  for (const std::string& precision : options.precisions) {
    const auto engine = make_engine(options.device, lower(options, precision, model.graph, table),
                                    engine_options(options, precision, 1));
    std::vector<float> logits(static_cast<std::size_t>(model.report.classes));
    engine->run(pixels, 1, logits);
    print_line("");
    print_line(precision + (precision == "int8" ? " " + options.scheme : ""));
    print_classes(logits, names);
  }
  if (calibration.source.empty()) return 0;
  print_line("");
  print_line(calibration_sentence(calibration));
  return 0;
}

}  // namespace gpueval::cli
