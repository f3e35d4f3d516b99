// SPDX-License-Identifier: Apache-2.0
// gpu_eval as a process of speed_peers.py: the engine that `gpu_eval --mode speed` times, kept loaded between the
// rounds.
//   gpu_eval_worker IMAGES.f32 --model M ... --precision P --batch N      (float32 pixels, then gpu_eval's own options)
#include <cstdio>
#include <exception>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/session.h"
#include "core/spin_limit.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "peers/worker_loop.h"

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
  std::string text;
  const std::optional<cli::Options> options = cli::parse_options(argc - 1, argv + 1, &text);
  if (!options) gpueval::fail_usage("gpu_eval_worker takes the options of a measurement");
  gpueval::set_threads(options->threads);
  cli::check_options(*options);
  const int batch = options->batch.value_or(1);
  const cli::LoadedModel model = cli::load_model(*options);
  gpueval::CalibrationTable table;
  gpueval::CalibrationReport report;
  if (cli::calibrates(*options)) {
    table = cli::obtain_table(*options, model, cli::load_data(*options, *model.spec), report);
  }
  const cli::EngineSet set =
      cli::make_engines(*options, {cli::lower(*options, options->precisions.front(), model.graph, table)}, batch);
  gpueval::Engine& engine = *set.engines.front();
  const gpueval::InputSpec& input = model.spec->input;
  const auto elements = static_cast<std::size_t>(batch) * static_cast<std::size_t>(input.height) *
                        static_cast<std::size_t>(input.width) * 3;
  const auto batches = read_batches(argv[1], elements);
  const auto classes = static_cast<std::size_t>(engine.graph().output_node().shape.elements());
  std::vector<float> logits(static_cast<std::size_t>(batch) * classes);
  std::size_t turn = 0;
  const auto step = [&] { engine.run(batches[turn++ % batches.size()], batch, logits); };
  step();
  turn = 0;
  const std::vector<float> first(logits.begin(), logits.begin() + static_cast<std::ptrdiff_t>(classes));
  gpueval::bench::serve({{"ready", {{"scheme", options->scheme}}}, {"logits", first}}, batch, step);
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
