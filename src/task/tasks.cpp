// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "gpueval/error.h"
#include "gpueval/task.h"

namespace gpueval {

#define GPUEVAL_TASK(name) const Task& name##_task();
#include "task/tasks.inc"

LabelMap Scorer::label_map(const JudgedImage& image, ImageOutputs) const {
  GPUEVAL_CHECK(false, "{}: its task has no label maps", image.data.name(image.index));
  return {};
}

std::span<const Task* const> tasks() {
  static const Task* const rows[] = {
#define GPUEVAL_TASK(name) &name##_task(),
#include "task/tasks.inc"
  };
  return rows;
}

const Task& find_task(const std::string& name) {
  std::string names;
  for (const Task* task : tasks()) {
    if (task->name() == name) return *task;
    names += (names.empty() ? "" : ", ") + task->name();
  }
  fail_usage("task {}: expected one of {}", name, names);
}

}  // namespace gpueval
