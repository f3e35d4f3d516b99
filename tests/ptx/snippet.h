// SPDX-License-Identifier: Apache-2.0
// A few lines of PTX run for one block: %r0, %r1, %r2 hold a word each of three inputs, and what %r3 holds at the end
// is the thread's output. %rd1 is the address of the outputs, %rd2 that of the thread's own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "ptx/decoder.h"
#include "ptx/device_memory.h"
#include "ptx/launch.h"
#include "ptx/text.h"

namespace gpueval::ptx {

using Words = std::vector<std::uint32_t>;

class Snippet {
 public:
  // The body's first line is line 12.
  explicit Snippet(const std::string& body) : kernel_(decode(parse_function("snippet.ptx", text(body), 0, 1))) {}

  // a, b, c: a word a thread; shorter ones are zeros from there on. Throws what the kernel did wrong.
  Words run(unsigned threads, Words a = {}, Words b = {}, Words c = {}, std::size_t shared_bytes = 1024) {
    Words memory;
    for (Words* words : {&a, &b, &c}) {
      words->resize(threads);
      memory.insert(memory.end(), words->begin(), words->end());
    }
    memory.resize(4 * std::size_t{threads});
    auto* const device = static_cast<std::uint32_t*>(allocate(memory.size() * 4));
    std::copy(memory.begin(), memory.end(), device);
    Launch launch{.kernel = &kernel_, .threads = threads, .shared_bytes = shared_bytes};
    const std::uint64_t inputs = reinterpret_cast<std::uint64_t>(device);
    launch.parameters.resize(sizeof(inputs));
    std::memcpy(launch.parameters.data(), &inputs, sizeof(inputs));
    launch.descending = descending;
    launch.late_copies = late_copies;
    try {
      ptx::run(launch);
    } catch (...) {
      release(device);
      throw;
    }
    const Words out(device + 3 * std::size_t{threads}, device + 4 * std::size_t{threads});
    release(device);
    return out;
  }
  std::uint32_t run_one(std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0) {
    return run(1, {a}, {b}, {c}).front();
  }

  bool descending = false, late_copies = true;

 private:
  static std::string text(const std::string& body) {
    return R"(.entry probe(.param .u64 in) { // three inputs and the output, one after another
.reg .pred %p<9>; .reg .b16 %rs<9>; .reg .b32 %r<40>; .reg .f32 %f<9>; .reg .b64 %rd<9>; .reg .f64 %fd<9>;
ld.param.u64 %rd1, [in];
mov.u32 %r30, %tid.x; mul.wide.u32 %rd3, %r30, 4;
mov.u32 %r31, %ntid.x; mul.wide.u32 %rd4, %r31, 4;
add.s64 %rd2, %rd1, %rd3; ld.global.u32 %r0, [%rd2];
add.s64 %rd2, %rd2, %rd4; ld.global.u32 %r1, [%rd2];
add.s64 %rd2, %rd2, %rd4; ld.global.u32 %r2, [%rd2];
add.s64 %rd2, %rd2, %rd4; mov.u32 %r3, 0;
add.s64 %rd1, %rd1, %rd4; add.s64 %rd1, %rd1, %rd4; add.s64 %rd1, %rd1, %rd4;

)" + body + "\n$END:\nst.global.u32 [%rd2], %r3;\nret;\n}\n";
  }
  Kernel kernel_;
};

}  // namespace gpueval::ptx
