#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/gpu_first.sh with programs that fail, hang and crash: the other steps run, and all results come back."""
import os
import subprocess
import tarfile
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "gpu_first.sh")

PROGRAMS = {
    # The wrappers' tests crash; of four rows one is right, one fails, one hangs, one crashes.
    "test_cuda": r"""
case "$*" in
  *--gtest_list_tests*) for row in right wrong hanging crashing; do echo "  ZeroWeightsGiveBias/emu_$row  # GetParam()"; done ;;
  *Prim*) echo "illegal address"; kill -SEGV $$ ;;
  *emu_right*) echo fine ;;
  *emu_wrong*) echo "1 differs"; exit 1 ;;
  *emu_hanging*) sleep 100 ;;
  *emu_crashing*) kill -ABRT $$ ;;
esac""",
    "gpu_bench": "echo begun; trap '' TERM; while :; do sleep 0.2; done",  # hangs, deaf to the first signal
    # One network is measured, the other one fails; the logits of the two devices differ.
    "gpu_eval": r"""
previous=
for word; do
  [[ $previous != --json ]] || echo '{"measured": 1}' >"$word"
  [[ $previous != --save-logits ]] || echo "$*" >"$word"
  previous=$word
done
[[ "$*" != *"list devices"* ]] || echo "cuda    ${FAKE_CUDA:-no      no NVIDIA driver}"
[[ "$*" != *float32* ]] || { echo "error: out of memory"; exit 1; }""",
}


class GpuFirst(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "out")
        os.mkdir(os.path.join(self.folder.name, "bin"))
        for name, text in PROGRAMS.items():
            path = os.path.join(self.folder.name, "bin", name)
            with open(path, "w", encoding="utf-8") as file:
                file.write("#!/usr/bin/env bash\n" + text + "\n")
            os.chmod(path, 0o755)

    def run_script(self, *options, **environment):
        return subprocess.run([SCRIPT, *options], capture_output=True, text=True, timeout=100, check=False,
                              env=os.environ | {"GPUEVAL_STEP_SECONDS": "2"} | environment)

    def test_goes_on_after_every_kind_of_failure(self):
        run = self.run_script(self.out, "--root", self.folder.name, "--device", "emu")
        self.assertEqual(run.returncode, 1, run.stderr)
        with open(os.path.join(self.out, "steps.txt"), encoding="utf-8") as file:
            steps = file.read()
        for line in (r"ok device ", r"FAIL\(139\) wrappers .*Segmentation fault", r"ok selftest ",
                     r"ok row right", r"FAIL\(1\) row wrong", r"FAIL\(124\) row hanging", r"FAIL\(134\) row crashing",
                     r"FAIL\(137\) roofs_and_tiny \d+s stopped after 2 s: begun", r"ok network_demo_batch1_int8",
                     r"FAIL\(1\) network_demo_batch2_float32 .*out of memory", r"ok logits_demo_cpu", r"ok logits_demo_emu",
                     r"FAIL\(1\) logits_demo_equal", r"ok device_after", r"end \d+ s"):
            self.assertRegex(steps, line)
        self.assertLessEqual(len(os.listdir(self.out)), 3)
        with tarfile.open(os.path.join(self.out, "results.tar.gz")) as results:
            names = results.getnames()
            self.assertEqual(results.extractfile("results/network_demo_batch1_int8.json").read(), b'{"measured": 1}\n')
        for name in ("steps.txt", "logs/wrappers.log", "logs/row_crashing.log", "logs/network_demo_batch2_float32.log"):
            self.assertIn("results/" + name, names)

    def test_names_what_it_did_not_reach(self):
        run = self.run_script(self.out, "--root", self.folder.name, "--device", "emu", "--end", "4")
        with open(os.path.join(self.out, "steps.txt"), encoding="utf-8") as file:
            steps = file.read()
        self.assertRegex(steps, "SKIP wrappers: the time was used up")
        self.assertRegex(steps, "SKIP network_demo_batch1_int8: the time was used up")
        self.assertEqual(run.returncode, 1, "the rows failed")

    def test_refuses_what_it_cannot_do(self):
        for options, code, message in (
                ((), 2, "expected a folder OUT"), ((self.out, "--end", "soon"), 2, "found 'soon'"),
                ((self.out, "--device", "cpu"), 2, "found 'cpu'"), ((self.out, "--root", "/none"), 2, "/none"),
                ((self.out, "--root", self.folder.name), 5, "no NVIDIA driver")):
            run = self.run_script(*options)
            self.assertEqual(run.returncode, code, options)
            self.assertIn(message, run.stderr)


if __name__ == "__main__":
    unittest.main()
