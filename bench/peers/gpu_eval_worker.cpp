// SPDX-License-Identifier: Apache-2.0
// gpu_eval as a process of speed_peers.py: the engine that `gpu_eval --mode speed` times, kept loaded between the
// rounds.
//   gpu_eval_worker IMAGES.f32 --model M ... --precision P --batch N      (float32 pixels, then gpu_eval's own options)
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "cli/parse.h"
#include "cli/rules.h"
#include "core/spin_limit.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "peers/worker_loop.h"
#include "session/parts.h"

namespace {

// As many whole batches as the file holds.
std::vector<std::vector<float>> read_batches(const std::string& path, std::size_t elements) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::vector<float>> batches;
  for (;;) {
    std::vector<float> batch(elements);
    if (!file.read(reinterpret_cast<char*>(batch.data()), static_cast<std::streamsize>(elements * sizeof(float))))
      break;
    batches.push_back(std::move(batch));
  }
  if (batches.empty()) gpueval::fail("{}: expected at least {} float32 pixels", path, elements);
  return batches;
}

int run(int argc, char** argv) {
  namespace cli = gpueval::cli;
  if (argc < 2) gpueval::fail_usage("gpu_eval_worker IMAGES.f32 --model M ...: the file of pixels is missing");
  const auto parsed = cli::parse(argc - 1, argv + 1);
  gpueval::set_threads(parsed->options.threads);
  cli::check_options(parsed->options);
  const gpueval::Plan plan = cli::settle_plan(parsed->options);
  if (!plan.speed) gpueval::fail_usage("gpu_eval_worker takes the options of a speed measurement");
  gpueval::Observer silent;
  const gpueval::Prepared prepared = gpueval::prepare(plan, silent);
  const gpueval::LoweredRow& row = prepared.rows.front();
  const int batch = plan.speed->batches.front();
  const auto engine = gpueval::make_engine(plan, row, batch);
  const gpueval::Shape& input = prepared.model.report.input;
  const auto images = static_cast<std::size_t>(batch);
  const auto batches = read_batches(argv[1], images * static_cast<std::size_t>(input.elements()));
  const gpueval::OutputBuffers outputs(engine->graph(), batch);
  const auto behind = gpueval::postprocessing(prepared);
  std::size_t turn = 0;
  engine->run(batches.front(), batch, outputs);
  const std::span<const float> of_first = outputs[0].first(gpueval::output_elements(engine->graph(), 0));
  const std::vector<float> first(of_first.begin(), of_first.end());
  // Where the device finds a detector's boxes, these alone come back.
  const auto detector = prepared.judged.scorer ? prepared.judged.scorer->detector() : std::nullopt;
  gpueval::DeviceDetection* detection = detector ? engine->detection() : nullptr;
  if (detection != nullptr && !gpueval::why_not_on_device(*detector, *engine, batches.front(), batch).empty())
    detection = nullptr;
  std::vector<std::vector<gpueval::FoundBox>> found(images);
  const auto step = [&] {
    const std::vector<float>& pixels = batches[turn++ % batches.size()];
    if (detection != nullptr) return detection->detect(pixels, batch, found);
    engine->run(pixels, batch, outputs);
    if (behind) behind(outputs, batch);
  };
  gpueval::bench::serve({{"ready", {{"scheme", row.scheme}}}, {"logits", first}}, batch, step);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  gpueval::limit_spinning(argv);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_eval_worker: %s\n", error.what());
    return 1;
  }
}
