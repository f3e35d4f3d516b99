// SPDX-License-Identifier: Apache-2.0
#include "cpu/roof/roof.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>

#include "core/clock.h"
#include "core/threads.h"
#include "cpu/roof/roof_loops.h"
#include "gpueval/engine.h"
#include "gpueval/tensor.h"

namespace gpueval::cpu {
namespace {

// Short against a time slice: on a busy machine some parts run undisturbed, and the best one counts.
constexpr double kPartSeconds = 2e-3;
constexpr std::size_t kCopyPart = std::size_t{16} << 20;
constexpr int kLeastParts = 5;
constexpr std::size_t kMiB = std::size_t{1} << 20;

RoofLoops loops_of(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::kAmx) return {kRoofAmxInt8, kRoofAvx512Vnni.f32};
  if (isa == Isa::kAvx512Vnni) return kRoofAvx512Vnni;
#if defined(GPUEVAL_AVX_VNNI)
  if (isa == Isa::kAvxVnni) return {kRoofAvxVnniInt8, kRoofAvx2.f32};
#endif
  if (isa == Isa::kAvx2) return kRoofAvx2;
#endif
  return kRoofPortable;
}

constexpr double kAgree = 0.05, kPatience = 10;

double thread_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Best {
  double seconds = 0;   // of the quickest part
  bool settled = true;  // two others agree with it
  int parts = 0;
};

// The quickest part. part(): runs one, returns its seconds.
Best quickest(double seconds, const std::function<double()>& part) {
  part();  // threads and clocks awake
  std::vector<double> best;
  double total = 0;
  for (Best result;;) {
    const double elapsed = part();
    total += elapsed;
    ++result.parts;
    best.insert(std::upper_bound(best.begin(), best.end(), elapsed), elapsed);
    if (best.size() > 3) best.pop_back();
    result.seconds = best.front();
    result.settled = best.size() == 3 && best.back() <= (1 + kAgree) * best.front();
    if (result.parts < kLeastParts || total < seconds) continue;
    if (result.settled || total > kPatience * seconds) return result;
  }
}

// What `workers` threads do in a part of so many units each, a second; what one thread does alone if that is more: the
// others were kept from running.
struct Rate {
  double value = 0;
  std::string remark;
};
Rate best_rate(double seconds, double units, const std::function<double(int workers)>& part) {
  const int count = threads();
  const Best all = quickest(seconds, [&] { return part(count); });
  Rate rate{units * count / all.seconds, ""};
  if (!all.settled)
    rate.remark = fmt::format("the best of {} runs is one of its kind, the machine was busy", all.parts);
  if (count == 1) return rate;
  if (const double alone = units / quickest(seconds, [&] { return part(1); }).seconds; alone > rate.value) {
    rate = {alone,
            fmt::format("{} threads together were slower than one, whose figure it is; the machine was busy", count)};
  }
  return rate;
}

// Seconds from the start of `workers` threads to the end of all.
template <typename Work>
double timed(int workers, const Work& work) {
  const double begin = steady_seconds();
  if (workers == 1) {
    work(0);
  } else {
    parallel_for(workers, work);
  }
  return steady_seconds() - begin;
}

Rate loop_rate(const RoofLoop& loop, double seconds) {
  static std::atomic<std::int64_t> sink{0};
  std::int64_t rounds = 1000;
  // By the thread's own time, which a busy machine does not lengthen: the parts would be too short.
  for (double begin = thread_cpu_seconds(); rounds < (std::int64_t{1} << 50); rounds *= 2) {
    sink += loop.run(rounds);
    const double end = thread_cpu_seconds();
    if (end - begin >= kPartSeconds) break;
    begin = end;
  }
  return best_rate(seconds, static_cast<double>(rounds) * loop.operations,
                   [&](int workers) { return timed(workers, [&](std::int64_t) { sink += loop.run(rounds); }); });
}

// Cycles through the buffers in parts, each shared out over the threads.
Rate copy_rate(std::size_t bytes, double seconds) {
  const AlignedBuffer src(bytes), dst(bytes);
  std::memset(src.data(), 1, bytes);  // every page its own memory, not the system's one page of zeros
  std::memset(dst.data(), 1, bytes);
  const auto count = static_cast<std::size_t>(threads());
  const std::size_t part = std::min(kCopyPart, bytes), share = part / count;
  std::size_t at = 0;
  return best_rate(seconds, 2.0 * static_cast<double>(share), [&](int workers) {
    const double elapsed = timed(workers, [&](std::int64_t thread) {
      const std::size_t from = at + share * static_cast<std::size_t>(thread);
      std::memcpy(dst.data() + from, src.data() + from, share);
    });
    at = at + 2 * part <= bytes ? at + part : 0;
    return elapsed;
  });
}

}  // namespace

std::size_t last_level_cache_bytes() {
  long bytes = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
  bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 32 * kMiB;
}

Roofs measure_roofs(Isa isa, const RoofOptions& options) {
  set_threads(options.threads);
  Roofs roofs{.threads = threads(), .isa = to_string(isa)};
  const RoofLoops loops = loops_of(isa);
  const auto measured = [&](const char* name, const Rate& rate) {
    if (!rate.remark.empty()) roofs.remarks.push_back(fmt::format("{}: {}", name, rate.remark));
    return rate.value;
  };
  roofs.int8_tops = measured("int8", loop_rate(loops.int8, options.seconds)) * 1e-12;
  roofs.f32_tflops = measured("float32", loop_rate(loops.f32, options.seconds)) * 1e-12;
  roofs.copy_bytes =
      options.copy_bytes > 0 ? options.copy_bytes : std::clamp(2 * last_level_cache_bytes(), 64 * kMiB, 256 * kMiB);
  roofs.copy_gbs = measured("copy", copy_rate(roofs.copy_bytes, options.seconds)) * 1e-9;
  return roofs;
}

}  // namespace gpueval::cpu
