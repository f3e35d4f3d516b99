// SPDX-License-Identifier: Apache-2.0
#include "cpu/roof/roof.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

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

// Units a second of work(units) on all threads: the best of the parts that fill `seconds`.
template <typename Work>
double best_rate(double seconds, std::int64_t units, const Work& work) {
  const auto timed = [&] {
    const double begin = steady_seconds();
    parallel_for(threads(), [&](std::int64_t) { work(units); });
    return steady_seconds() - begin;
  };
  timed();  // threads and clocks awake
  // The quickest of three: a disturbed call must not end the search for a part's size.
  while (std::min({timed(), timed(), timed()}) < kPartSeconds / 2 && units < (std::int64_t{1} << 50)) units *= 2;
  double best = timed(), total = best;
  for (int part = 1; part < kLeastParts || total < seconds; ++part) {
    const double elapsed = timed();
    best = std::min(best, elapsed);
    total += elapsed;
  }
  return static_cast<double>(units) * threads() / best;
}

double loop_rate(const RoofLoop& loop, double seconds) {
  static std::atomic<std::int64_t> sink{0};
  return best_rate(seconds, 1000, [&](std::int64_t rounds) { sink += loop.run(rounds); }) * loop.operations;
}

// Cycles through the buffers in parts, each shared out over the threads.
double copy_rate(std::size_t bytes, double seconds) {
  const AlignedBuffer src(bytes), dst(bytes);
  std::memset(src.data(), 1, bytes);  // every page its own memory, not the system's one page of zeros
  std::memset(dst.data(), 1, bytes);
  const auto count = static_cast<std::size_t>(threads());
  const std::size_t part = std::min(kCopyPart, bytes), share = part / count;
  double best = 1e30, total = 0;
  std::size_t at = 0;
  for (int run = 0; run < kLeastParts || total < seconds; ++run) {
    const double begin = steady_seconds();
    parallel_for(threads(), [&](std::int64_t thread) {
      const std::size_t from = at + share * static_cast<std::size_t>(thread);
      std::memcpy(dst.data() + from, src.data() + from, share);
    });
    const double elapsed = steady_seconds() - begin;
    best = std::min(best, elapsed);
    total += elapsed;
    at = at + 2 * part <= bytes ? at + part : 0;
  }
  return 2.0 * static_cast<double>(share * count) / best;
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
  roofs.int8_tops = loop_rate(loops.int8, options.seconds) * 1e-12;
  roofs.f32_tflops = loop_rate(loops.f32, options.seconds) * 1e-12;
  roofs.copy_bytes =
      options.copy_bytes > 0 ? options.copy_bytes : std::clamp(2 * last_level_cache_bytes(), 64 * kMiB, 256 * kMiB);
  roofs.copy_gbs = copy_rate(roofs.copy_bytes, options.seconds) * 1e-9;
  return roofs;
}

}  // namespace gpueval::cpu
