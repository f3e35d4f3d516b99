// SPDX-License-Identifier: Apache-2.0
// Stackful coroutines for the emulated threads. A fiber's stack is mapped with a guard page below it, so an overflow
// faults instead of overwriting a neighbour. Fibers stay on the host thread that made them.
#pragma once

#include <cstddef>

#if !defined(__x86_64__) || defined(GPUEVAL_EMULATOR_PORTABLE)
#define GPUEVAL_EMULATOR_UCONTEXT 1
#include <ucontext.h>
#endif

namespace gpueval::emulator {

class Fiber {
 public:
  Fiber();                                                       // the host thread's own stack
  Fiber(void (*entry)(void*), void* argument, unsigned colour);  // starts at the first switch; entry never returns
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Suspends the running fiber `from` and resumes (or starts) `to`.
  [[gnu::noinline]] static void change(Fiber& from, Fiber& to);

 private:
  static void start();

#if defined(GPUEVAL_EMULATOR_UCONTEXT)
  ucontext_t state_{};
#else
  void* stack_pointer_ = nullptr;
#endif
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  std::byte* mapping_ = nullptr;  // guard page and stack; null for the host thread
  const void* stack_ = nullptr;   // for the sanitizer
  std::size_t stack_bytes_ = 0;
  void* fake_stack_ = nullptr;
};

}  // namespace gpueval::emulator
