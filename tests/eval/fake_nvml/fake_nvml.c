// SPDX-License-Identifier: Apache-2.0
// A stand-in for the driver's libnvidia-ml.so.1: one device that its power limit slows down.
#include <string.h>

enum { kSuccess = 0, kNotSupported = 3, kNotFound = 6 };
static int device;

int nvmlInit_v2(void) { return kSuccess; }
int nvmlShutdown(void) { return kSuccess; }
int nvmlDeviceGetHandleByPciBusId_v2(const char* bus, void** handle) {
  if (strcmp(bus, "0000:1b:00.0") != 0) return kNotFound;
  *handle = &device;
  return kSuccess;
}
int nvmlDeviceGetClockInfo(void* handle, int type, unsigned* mhz) {
  *mhz = 1410;
  return handle == &device && type == 1 ? kSuccess : kNotSupported;
}
int nvmlDeviceGetMaxClockInfo(void* handle, int type, unsigned* mhz) {
  *mhz = 1980;
  return handle == &device && type == 1 ? kSuccess : kNotSupported;
}
int nvmlDeviceGetTemperature(void* handle, int sensor, unsigned* celsius) {
  *celsius = 71;
  return handle == &device && sensor == 0 ? kSuccess : kNotSupported;
}
int nvmlDeviceGetPowerUsage(void* handle, unsigned* milliwatts) {
  (void)handle;
  *milliwatts = 1;
  return kNotSupported;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void* handle, unsigned long long* bits) {
  *bits = 0x4;
  return handle == &device ? kSuccess : kNotSupported;
}
