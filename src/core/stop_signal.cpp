// SPDX-License-Identifier: Apache-2.0
#include "core/stop_signal.h"

#include <ctime>

namespace gpueval {
namespace {

constexpr long long kSameSignalNs = 200'000'000;

volatile std::sig_atomic_t g_raised = 0;
volatile long long g_raised_ns = 0;  // only written by the handler of the first signal

long long now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void on_signal(int signal) {
  if (g_raised == 0) {
    g_raised_ns = now_ns();
    g_raised = 1;
    return;
  }
  if (now_ns() - g_raised_ns < kSameSignalNs) return;
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  raise(signal);  // as soon as this handler is left
}

}  // namespace

StopSignal::StopSignal() {
  g_raised = 0;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    const int signal = kSignals[i];
    sigaction(signal, nullptr, &before_[i]);
    if (signal == SIGHUP && before_[i].sa_handler == SIG_IGN) continue;
    struct sigaction action = {};
    action.sa_handler = signal == SIGPIPE || signal == SIGXFSZ ? SIG_IGN : on_signal;
    sigaction(signal, &action, nullptr);  // without SA_RESTART: calls that wait shall end
  }
}

StopSignal::~StopSignal() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
}

bool StopSignal::raised() { return g_raised != 0; }

void stop_point() {
  if (StopSignal::raised()) throw Interrupted();
}

}  // namespace gpueval
