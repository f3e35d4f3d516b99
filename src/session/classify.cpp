// SPDX-License-Identifier: Apache-2.0
#include "gpueval/classification.h"
#include "gpueval/error.h"
#include "io/data/imagenet_classes.h"
#include "session/images.h"
#include "session/pixel_chain.h"
#include "session/settle_task.h"
#include "session/start_report.h"
#include "task/ranking.h"

namespace gpueval {
namespace {

// From the file; else ImageNet's, all synonyms where the list of them is at hand and the first names where not.
std::vector<std::string> read_names(std::string path, const LabelRules& labels, std::size_t classes) {
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

Classification::Of likeliest(std::string label, std::span<const float> logits, const std::vector<std::string>& names) {
  const Ranking ranking = rank_classes(logits);
  const std::vector<double> probabilities = softmax(logits);
  Classification::Of row{std::move(label), ranking.has_nan, {}};
  for (const int id : ranking.classes) {
    if (id < 0) continue;
    const auto i = static_cast<std::size_t>(id);
    row.classes.push_back({id, probabilities[i], names.empty() ? "" : names[i]});
  }
  return row;
}

}  // namespace

Classification classify(const Plan& asked, const std::string& path, const std::string& class_names,
                        Observer& observer) {
  const Image image = read_image(path);
  Plan plan = asked;
  plan.calibration.image = path;
  Prepared prepared;
  prepared.model = load_model(plan.model);
  const LoadedModel& model = prepared.model;
  const auto classes = static_cast<std::size_t>(classes_of(model.graph));
  const std::vector<std::string> names = read_names(class_names, model.spec->labels, classes);
  if (calibrates(plan)) prepared.data = load_data(plan, *model.spec, settle_task(plan, model));
  take_pixel_chain(plan, prepared.data, prepared.model);
  mark_input(plan, prepared.model, prepared.data);
  lower_rows(plan, prepared, observer);

  const InputSpec& spec = model.input;
  std::vector<float> pixels(spec.elements());
  make_preprocessing(spec, false, preprocessing_choice(plan, model)).apply(image, pixels);
  Classification result{path, image.height, image.width, {}, prepared.calibration};
  for (const LoweredRow& row : prepared.rows) {
    std::vector<float> logits(static_cast<std::size_t>(model.graph.output_node().shape.elements()));
    make_engine(plan, row, 1)->run(pixels, 1, logits);
    result.rows.push_back(likeliest(empty_run(row).label(), logits, names));
  }
  return result;
}

}  // namespace gpueval
