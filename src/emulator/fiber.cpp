// SPDX-License-Identifier: Apache-2.0
#include "emulator/fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "gpueval/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(GPUEVAL_EMULATOR_UCONTEXT)
// Saves the registers a callee must keep, changes stacks, restores. Its only caller is Fiber::change, which is never
// inlined: all fibers sleep under the same chain of calls, so the processor predicts every return (2.5 times faster
// than a jump, after which all returns up the chain are off by one).
extern "C" void gpueval_emulator_switch(void** save, void* load);
asm(R"(
.text
.p2align 4
.globl gpueval_emulator_switch
.hidden gpueval_emulator_switch
.type gpueval_emulator_switch, @function
gpueval_emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size gpueval_emulator_switch, .-gpueval_emulator_switch
)");
#endif

namespace gpueval::emulator {
namespace {

constexpr std::size_t kGuardBytes = 4096;
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStackBytes = 256u << 10;
#else
constexpr std::size_t kStackBytes = 64u << 10;
#endif

constinit thread_local Fiber* starting = nullptr;  // whose start() runs next

std::byte* map_stack() {
  void* memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) fail("emulator: no memory for the stack of a thread: {}", std::strerror(errno));
  if (mprotect(memory, kGuardBytes, PROT_NONE) != 0) {
    const int error = errno;
    munmap(memory, kGuardBytes + kStackBytes);
    fail("emulator: no guard page for the stack of a thread: {}", std::strerror(error));
  }
  return static_cast<std::byte*>(memory);
}

}  // namespace

Fiber::Fiber() {
#if defined(__SANITIZE_ADDRESS__)
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    void* stack = nullptr;
    pthread_attr_getstack(&attributes, &stack, &stack_bytes_);
    stack_ = stack;
    pthread_attr_destroy(&attributes);
  }
#endif
}

// colour moves the first frame by cache lines: stacks at equal distances would all use the same cache sets.
Fiber::Fiber(void (*entry)(void*), void* argument, unsigned colour)
    : entry_(entry),
      argument_(argument),
      mapping_(map_stack()),
      stack_(mapping_ + kGuardBytes),
      stack_bytes_(kStackBytes) {
  const std::size_t usable = kStackBytes - (colour % 61) * 64;
#if defined(GPUEVAL_EMULATOR_UCONTEXT)
  getcontext(&state_);
  state_.uc_stack.ss_sp = mapping_ + kGuardBytes;
  state_.uc_stack.ss_size = usable;
  state_.uc_link = nullptr;
  makecontext(&state_, &Fiber::start, 0);
#else
  void** top = reinterpret_cast<void**>(mapping_ + kGuardBytes + usable);
  *--top = nullptr;  // where start() would return to: ends a debugger's walk, and aligns the frame as a call does
  *--top = reinterpret_cast<void*>(&Fiber::start);
  for (int i = 0; i < 6; ++i) *--top = nullptr;  // the callee-saved registers
  stack_pointer_ = top;
#endif
}

Fiber::~Fiber() {
  if (mapping_ == nullptr) return;
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(mapping_ + kGuardBytes, kStackBytes);  // frames of an abandoned fiber
#endif
  munmap(mapping_, kGuardBytes + kStackBytes);
}

void Fiber::start() {
  Fiber* self = starting;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  self->entry_(self->argument_);
  __builtin_trap();
}

void Fiber::change(Fiber& from, Fiber& to) {
  starting = &to;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.fake_stack_, to.stack_, to.stack_bytes_);
#endif
#if defined(GPUEVAL_EMULATOR_UCONTEXT)
  swapcontext(&from.state_, &to.state_);
#else
  gpueval_emulator_switch(&from.stack_pointer_, to.stack_pointer_);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from.fake_stack_, nullptr, nullptr);
#endif
}

}  // namespace gpueval::emulator
