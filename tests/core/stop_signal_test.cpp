// SPDX-License-Identifier: Apache-2.0
#include "core/stop_signal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

namespace gpueval {
namespace {

using namespace std::chrono_literals;

// Runs `body` in a process of its own; its wait status.
int in_child(const std::function<void()>& body, const std::function<void(pid_t)>& meanwhile = {}) {
  int ready[2];
  if (pipe(ready) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    const StopSignal stop;
    if (write(ready[1], "x", 1) != 1) _exit(99);
    body();
    _exit(StopSignal::raised() ? 10 : 11);
  }
  char byte;
  EXPECT_EQ(read(ready[0], &byte, 1), 1);
  if (meanwhile) meanwhile(child);
  int status = 0;
  waitpid(child, &status, 0);
  close(ready[0]);
  close(ready[1]);
  return status;
}

TEST(StopSignal, TheFirstOfEachKindIsOrderly) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXCPU}) {
    const int status = in_child([&] { raise(signal); });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 10) << signal << ": " << status;
  }
}

TEST(StopSignal, ASecondOneKills) {
  for (const int second : {SIGINT, SIGTERM}) {
    const int status = in_child(
        [] {
          for (;;) std::this_thread::sleep_for(1s);
        },
        [&](pid_t child) {
          kill(child, SIGINT);
          std::this_thread::sleep_for(400ms);
          kill(child, second);
        });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == second) << status;
  }
}

// timeout(1) signals its child and then its group.
TEST(StopSignal, TheSameOneTwiceAtOnceDoesNotKill) {
  const int status = in_child([] {
    raise(SIGTERM);
    raise(SIGTERM);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 10) << status;
}

TEST(StopSignal, EndsASystemCallThatWaits) {
  const int status = in_child(
      [] {
        int ends[2];
        char byte;
        if (pipe(ends) == 0 && read(ends[0], &byte, 1) < 0 && errno == EINTR) return;
        _exit(98);
      },
      [](pid_t child) {
        std::this_thread::sleep_for(200ms);
        kill(child, SIGINT);
      });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 10) << status;
}

TEST(StopSignal, ClosedPipesAndLimitsOfSizeAreErrorsOfWrite) {
  const int status = in_child([] {
    int ends[2];
    if (pipe(ends) != 0) _exit(98);
    close(ends[0]);
    if (write(ends[1], "x", 1) >= 0 || errno != EPIPE) _exit(97);
    raise(SIGXFSZ);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 11) << status;
}

TEST(StopSignal, PutsEverythingBack) {
  std::signal(SIGHUP, SIG_IGN);
  {
    const StopSignal stop;
    raise(SIGHUP);  // as under nohup
    EXPECT_FALSE(StopSignal::raised());
    EXPECT_NO_THROW(stop_point());
  }
  EXPECT_EQ(std::signal(SIGHUP, SIG_DFL), SIG_IGN);
  EXPECT_EQ(std::signal(SIGINT, SIG_DFL), SIG_DFL);
  EXPECT_EQ(std::signal(SIGPIPE, SIG_DFL), SIG_DFL);
}

TEST(StopSignal, StopPointsThrow) {
  const int status = in_child([] {
    raise(SIGINT);
    try {
      stop_point();
    } catch (const Interrupted& error) {
      _exit(error.kind() == ErrorKind::kInterrupted ? 130 : 1);
    }
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 130) << status;
}

}  // namespace
}  // namespace gpueval
