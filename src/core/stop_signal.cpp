// SPDX-License-Identifier: Apache-2.0
#include "core/stop_signal.h"

#include <csignal>

namespace gpueval {
namespace {

volatile std::sig_atomic_t g_raised = 0;

void on_signal(int) { g_raised = 1; }

void set_handler(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

StopSignal::StopSignal() {
  g_raised = 0;
  set_handler(on_signal);
}

StopSignal::~StopSignal() { set_handler(SIG_DFL); }

bool StopSignal::raised() { return g_raised != 0; }

}  // namespace gpueval
