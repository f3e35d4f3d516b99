// SPDX-License-Identifier: Apache-2.0
// Linked with a run path that scripts/check_run_paths.py must refuse. Never run.
int main(void) { return 0; }
