// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <utility>

#include "core/stop_signal.h"
#include "cpu/int8/int8_conv.h"
#include "cpu/roof/roof.h"
#include "gpueval/conditions.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/report.h"
#include "ops_bench.h"
#include "patterns.h"
#include "shapes.h"
#include "subject.h"
#include "task/statistics.h"

namespace gpueval::bench {
namespace {

constexpr int kColdRuns = 15;  // of one row; each waits for a flush of the caches

// The subject of the case that runs now: Google Benchmark calls a benchmark several times with growing counts, and the
// cold case of a shape follows the hot one.
class Stage {
 public:
  Subject& subject(const Case& current) {
    Row row = current.row;
    row.cold = false;
    if (const std::string name = row_name(row); name != owner_) {
      clear();
      subject_ = current.make();
      owner_ = name;
    }
    return *subject_;
  }
  void clear() {
    subject_.reset();
    owner_.clear();
  }

 private:
  std::string owner_;
  std::unique_ptr<Subject> subject_;
};

const char* const kInterrupted = "interrupted";

void measure(benchmark::State& state, Stage& stage, Case& c) {
  if (StopSignal::raised()) {
    state.SkipWithError(kInterrupted);
    return;
  }
  Row& row = c.row;
  try {
    Subject& subject = stage.subject(c);
    std::vector<double> samples;
    for ([[maybe_unused]] auto step : state) {
      samples.push_back(row.cold ? subject.cold() : subject.hot());
      state.SetIterationTime(samples.back());
    }
    if (samples.empty()) return;
    row.note = subject.describe();
    if (const std::string wrong = subject.verify(); !wrong.empty()) {
      row.failed = true;
      row.note = wrong;
      state.SkipWithError(wrong.c_str());
    }
    // Calls with more samples replace those that only found the count; of repetitions the fastest counts.
    const int count = static_cast<int>(samples.size());
    std::sort(samples.begin(), samples.end());
    const double middle = percentile(samples, 50);
    if (count > row.samples || (count == row.samples && middle < row.seconds)) {
      row.seconds = middle;
      row.spread = count < kNoiseBounds.least_rounds ? 0 : (percentile(samples, 90) - percentile(samples, 10)) / middle;
    }
    row.samples = std::max(count, row.samples);
    state.counters["TOPS"] = row.tops();
  } catch (const Unsupported& error) {
    row.note = fmt::format("unsupported: {}", error.what());
    state.SkipWithError(row.note.c_str());
  } catch (const std::exception& error) {
    row.failed = true;
    row.note = error.what();
    state.SkipWithError(row.note.c_str());
  }
}

// Google Benchmark's own table would repeat ours: a line of progress on stderr instead.
class Progress : public benchmark::BenchmarkReporter {
 public:
  explicit Progress(std::function<void()> save) : save_(std::move(save)) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_message == kInterrupted) continue;
      const std::string name = run.benchmark_name();
      const bool emulated = name.find("/emu/") != std::string::npos;  // its time says nothing
      const std::string time = emulated ? "emulated" : fmt::format("{:.4g} us", run.GetAdjustedRealTime());
      std::fprintf(stderr, "%s: %s%s\n", name.c_str(), time.c_str(),
                   run.error_occurred ? (" " + run.error_message).c_str() : "");
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - saved_ < std::chrono::seconds(1)) return;
    save_();
    saved_ = now;
  }

 private:
  std::function<void()> save_;
  std::chrono::steady_clock::time_point saved_{};
};

std::string load_average() {
  std::ifstream file("/proc/loadavg");
  std::string one, five;
  file >> one >> five;
  return one.empty() ? "unknown" : one + ", " + five;
}

struct Device {
  std::string name;
  std::shared_ptr<cuda::Runtime> runtime;  // null: the CPU
};

// Those asked for; an asked one that is missing is an error, one that was not asked for is left out.
std::vector<Device> find_devices(const Options& options) {
  std::string why;
  const std::shared_ptr<cuda::Runtime> gpu = cuda::open_gpu(0, &why);
  std::vector<Device> devices;
  if (options.devices.empty()) {
    devices.push_back({"cpu", nullptr});
    if (gpu) devices.push_back({"cuda", gpu});
  }
  for (const std::string& name : options.devices) {
    if (name == "cuda" && !gpu) {
      throw Error(fmt::format("--device cuda: {}", why), ErrorKind::kDevice);
    }
    devices.push_back({name, name == "cpu" ? nullptr : name == "cuda" ? gpu : cuda::open_emulator()});
  }
  return devices;
}

std::vector<int> thread_counts(const Options& options) {
  if (!options.threads.empty()) return options.threads;
  set_threads(0);
  const std::set<int> counts = {1, threads()};
  return {counts.begin(), counts.end()};
}

void add_roofs(const Options& options, const Device& device, Result& result) {
  if (device.runtime != nullptr) {
    const std::vector<RoofValue> roofs = device_roofs(*device.runtime, device.name, options.roof_time);
    result.roofs.insert(result.roofs.end(), roofs.begin(), roofs.end());
    return;
  }
  for (const int count : thread_counts(options)) {
    const std::vector<RoofValue> roofs = cpu_roofs(count, options.roof_time);
    result.roofs.insert(result.roofs.end(), roofs.begin(), roofs.end());
  }
}

void describe(const Device& device, Result& result) {
  if (device.runtime == nullptr) {
    result.devices["cpu"] = fmt::format("{}, int8: {}", host_info().cpu, cpu::best_isa());
    result.cache_bytes["cpu"] = cpu::last_level_cache_bytes();
    return;
  }
  const cuda::DeviceProperties& p = device.runtime->properties();
  std::string text = fmt::format("{}, sm_{}, {} multiprocessors", p.name, p.sm, p.multiprocessors);
  if (!p.driver.empty()) text += fmt::format(", driver {}, CUDA {}", p.driver, p.cuda);
  result.devices[device.name] = text;
  result.cache_bytes[device.name] = p.l2_bytes;
}

// Every kernel of every device on every shape, unsupported ones too.
std::vector<Case> all_cases(const Options& options, const std::vector<Device>& devices) {
  const std::vector<ShapeRow> shapes = load_shapes(shapes_folder());
  const Pattern kernels(options.kernels);
  std::vector<Case> cases;
  const auto add = [&](std::vector<Case> found) {
    for (Case& c : found) {
      if (!kernels.matches(c.row.kernel)) continue;
      for (const bool cold : {false, true}) {
        if (cold ? !options.cold() : !options.hot()) continue;
        c.row.cold = cold;
        cases.push_back(c);
      }
    }
  };
  for (const Device& device : devices) {
    const bool emulated = device.name == "emu";
    for (const int batch : options.batches) {
      const std::string regex = options.shapes.empty() && emulated ? "^tiny/" : options.shapes;
      for (const ShapeRow& shape : select_shapes(shapes, regex, batch)) {
        if (device.runtime != nullptr) {
          add(device_cases(*device.runtime, device.name, shape.network, shape.desc));
          continue;
        }
        for (const int count : thread_counts(options)) add(cpu_cases(shape.network, shape.desc, count));
      }
    }
  }
  return cases;
}

void register_case(const Options& options, Stage& stage, Case& c) {
  auto* row =
      benchmark::RegisterBenchmark(row_name(c.row).c_str(), [&](benchmark::State& state) { measure(state, stage, c); });
  row->Unit(benchmark::kMicrosecond)->UseManualTime();
  if (c.row.device == "emu") {
    row->Iterations(1);  // its time says nothing
  } else if (c.row.cold) {
    row->Iterations(kColdRuns);
  } else {
    row->MinTime(c.row.device == "cuda" ? options.min_time / 16 : options.min_time);  // a sample is 16 launches
  }
}

void run_benchmarks(const std::vector<std::string>& rest, const std::string& program,
                    const std::function<void()>& save) {
  std::vector<std::string> words{program};
  words.insert(words.end(), rest.begin(), rest.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  if (argc > 1) fail_usage("Google Benchmark does not know '{}'", argv[1]);
  Progress progress(save);
  benchmark::RunSpecifiedBenchmarks(&progress);
  benchmark::ClearRegisteredBenchmarks();  // they refer to this session's cases
  benchmark::Shutdown();
}

}  // namespace

Result run_session(const Options& options, const std::vector<std::string>& rest, const std::string& command,
                   const std::function<void(const Result&)>& save) {
  Result result{.command = command, .load_before = load_average(), .interrupted = true};
  const std::vector<Device> devices = find_devices(options);
  const SystemReading begin = read_system();
  for (const Device& device : devices) {
    describe(device, result);
    if (options.roof_time > 0 && !options.list) add_roofs(options, device, result);
  }
  if (!options.list) save(result);
  if (!options.roofs_only) {
    std::vector<Case> cases = all_cases(options, devices);
    if (cases.empty() && !options.ops) fail_usage("--kernels '{}': no kernel matches", options.kernels);
    const auto with_rows = [&] {
      Result copy = result;
      copy.load_after = load_average();
      for (const Case& c : cases) {
        // What is not timed yet, or was left out by --benchmark_filter, has neither.
        if (options.list || c.row.samples > 0 || !c.row.note.empty()) copy.rows.push_back(c.row);
      }
      return copy;
    };
    if (!options.list) {
      Stage stage;
      for (Case& c : cases) {
        if (c.make) register_case(options, stage, c);
      }
      if (options.ops) register_ops();
      run_benchmarks(rest, "gpu_bench", [&] {
        try {
          save(with_rows());
        } catch (const Error&) {  // the last one will tell
        }
      });
      stage.clear();
    }
    result = with_rows();
  }
  raise_roofs(result.rows, result.roofs);
  set_threads(0);
  result.conditions = conditions_between(begin, read_system());
  result.load_after = load_average();
  result.interrupted = StopSignal::raised();
  return result;
}

}  // namespace gpueval::bench
