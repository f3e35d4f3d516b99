# SPDX-License-Identifier: Apache-2.0
"""The parts of bench/peers/speed_peers.py and bench/scaling.py that need no other program: python3 -m unittest."""
import argparse
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
sys.path[:0] = [BENCH, os.path.join(BENCH, "peers")]

import scaling  # noqa: E402
import speed_peers  # noqa: E402
import speed_stats  # noqa: E402
import speed_subjects  # noqa: E402

RATES = {"gpu_eval_int8": [10, 12, 11], "ort_int8": [5, 5, 5], "openvino_int8": [20, 1, 9], "onednn_int8": [99, 99, 99],
         "gpu_eval_float32": [3, 3, 3], "ort_float32": [4, 4, 4]}
# Answers as a worker does, 2 images an order; an order of 99 seconds ends it with a message.
FAKE_WORKER = """
import json, os, sys
print(json.dumps({"ready": {"cores": len(os.sched_getaffinity(0))}}), flush=True)
for line in sys.stdin:
    order = json.loads(line)
    if order["seconds"] == 99: sys.exit("no such file")
    print(json.dumps({"ms": [order["warm_up"], 5], "seconds": order["seconds"], "images": 2}), flush=True)
"""


def cell(rates, network="squeezenet", batch=1, threads=2):
    return {"network": network, "batch": batch, "threads": threads, "rates": rates, "notes": {}}


class Statistics(unittest.TestCase):
    def test_the_best_peer_has_the_highest_median_and_is_a_whole_program(self):
        self.assertEqual(speed_stats.best_peer(RATES, "int8"), "openvino_int8")
        self.assertEqual(speed_stats.best_peer(RATES, "float32"), "ort_float32")
        parallel = {"ort_int8": [2], "openvino_tp_int8": [3]}
        self.assertEqual(speed_stats.best_peer(parallel, "int8"), "openvino_tp_int8")
        self.assertEqual(speed_stats.best_peer(parallel, "int8", parallel=False), "ort_int8")
        self.assertIsNone(speed_stats.best_peer({"gpu_eval_int8": [1], "onednn_int8": [2]}, "int8"))

    def test_a_ratio_of_steady_rates_has_no_width(self):
        self.assertEqual(speed_stats.ratio_interval([4, 4, 4], [2, 2, 2]), (2, 2, 2))

    def test_an_interval_holds_its_ratio_and_lies_within_the_rounds(self):
        ratio, low, high = speed_stats.ratio_interval([10, 12, 11], [5, 5, 5])
        self.assertAlmostEqual(ratio, 2.2)
        self.assertLessEqual(2.0, low)
        self.assertLess(low, ratio)
        self.assertLess(ratio, high)
        self.assertLessEqual(high, 2.4)

    def test_rounds_are_drawn_in_pairs(self):
        # A machine that was slow in a round was slow for both: the ratio does not notice.
        _, low, high = speed_stats.ratio_interval([10, 100, 1000], [5, 50, 500])
        self.assertEqual((low, high), (2, 2))

    def test_other_rounds_are_refused(self):
        with self.assertRaises(ValueError):
            speed_stats.ratio_interval([1, 2], [1])

    def test_behind_names_the_cells_where_a_peer_is_ahead(self):
        lines = speed_stats.behind({"x": cell(RATES)}, ["squeezenet"])
        self.assertEqual(len(lines), 1)
        self.assertIn("squeezenet batch 1, threads 2, float32: ours 3.0, ONNX Runtime float32 4.0", lines[0])

    def test_the_table_has_a_row_a_cell_in_the_order_of_networks_and_batches(self):
        cells = {"a": cell(RATES, batch=16), "b": cell(RATES), "c": cell(RATES, "vgg16"), "d": cell(RATES, threads=1)}
        rows = speed_stats.table(cells, "int8", 2, ["vgg16", "squeezenet"])[2:]
        self.assertEqual([row.split(" | ")[:2] for row in rows],
                         [["| vgg16", "1"], ["| squeezenet", "1"], ["| squeezenet", "16"]])
        self.assertIn("11.0 (10.0..12.0) | 9.0 (1.0..20.0) | 5.0 (5.0..5.0) | 99.0 (99.0..99.0) | **1.22**", rows[0])

    def test_requests_in_parallel_have_a_ratio_of_their_own(self):
        rates = {"gpu_eval_int8": [10], "openvino_int8": [5], "openvino_tp_int8": [20]}
        row = speed_stats.table({"a": cell(rates)}, "int8", 2, ["squeezenet"])[2]
        self.assertTrue(row.endswith("| **2.00** (2.00..2.00), OpenVINO | **0.50** (0.50..0.50), OpenVINO |"), row)


class Subjects(unittest.TestCase):
    def test_names_become_options(self):
        self.assertEqual(speed_subjects.model_words("mobilenet_0.25"),
                         ["--model", "mobilenet", "--alpha", "0.25", "--weights", "random"])
        self.assertEqual(speed_subjects.model_words("vgg16"), ["--model", "vgg16", "--weights", "random"])

    def test_a_file_is_taken_as_it_is_and_called_by_its_name(self):
        self.assertEqual(speed_subjects.model_words("a/b.c.keras")[:2], ["--model", "a/b.c.keras"])
        self.assertNotIn("--weights", speed_subjects.model_words("a/b.h5"))
        self.assertEqual(speed_subjects.label("a/b.c.keras"), "b.c")
        self.assertEqual(speed_subjects.label("mobilenet_0.25"), "mobilenet_0.25")

    def test_a_worker_answers_each_turn_on_its_cores(self):
        worker = speed_subjects.Worker("fake", [sys.executable, "-c", FAKE_WORKER], 1)
        self.assertEqual(worker.first["ready"]["cores"], 1)
        self.assertEqual(worker.turn(0.5, 3), (4.0, [3, 5]))
        self.assertEqual(worker.turn(4, 1), (0.5, [1, 5]))
        worker.close()
        self.assertEqual(worker.process.returncode, 0)

    def test_a_worker_that_dies_is_an_error_with_its_last_words(self):
        worker = speed_subjects.Worker("fake", [sys.executable, "-c", FAKE_WORKER], 1)
        with self.assertRaisesRegex(speed_subjects.SubjectError, "fake: ended with code 1: no such file"):
            worker.turn(99, 0)
        worker.close()

    def test_logits_of_another_network_are_refused(self):
        def workers(found):
            return {"ort_float32": mock.Mock(first={"logits": [1, 2, 3]}),
                    "openvino_float32": mock.Mock(first={"logits": found})}
        notes = {"ort_float32": {}, "openvino_float32": {}}
        speed_peers.check_logits(workers([2, 4, 6]), notes)
        self.assertEqual(notes["openvino_float32"]["correlation_with_ort_float32"], 1)
        for wrong in ([3, 2, 1], [float("nan")] * 3):
            with self.assertRaisesRegex(speed_subjects.SubjectError, "openvino_float32: its logits"):
                speed_peers.check_logits(workers(wrong), notes)


class Resuming(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "speed.json")
        self.options = argparse.Namespace(threads=[2], networks=["vgg16", "squeezenet"], batches=[1], subjects=["ort_int8"],
                                          rounds=1, seconds=1, warm_up=0, seed=1, binary_hash="abc", time_limit=0)
        self.measured = []

    def measure(self, result):
        def fake(network, batch, threads, options):
            self.measured.append(network)
            return cell({"ort_int8": [1]}, network, batch, threads) | {
                "settings": speed_peers.settings(options), "loading_seconds": 0, "measuring_seconds": 0}
        with mock.patch.multiple(speed_peers, measure_cell=fake, environment=lambda options: {}, say=lambda text: None):
            return speed_peers.measure(self.options, result, self.path)

    def saved(self):
        with open(self.path, encoding="utf-8") as file:
            return json.load(file)

    def test_a_second_run_measures_nothing_anew(self):
        self.assertTrue(self.measure({"cells": {}}))
        self.assertEqual(self.measured, ["vgg16", "squeezenet"])
        self.assertTrue(self.measure(self.saved()))
        self.assertEqual(len(self.measured), 2)

    def test_another_binary_measures_everything_anew(self):
        self.measure({"cells": {}})
        self.options.binary_hash = "def"
        self.measure(self.saved())
        self.assertEqual(self.measured, ["vgg16", "squeezenet"] * 2)

    def test_past_the_time_limit_no_cell_is_started(self):
        self.options.time_limit = 10
        with mock.patch.object(speed_peers.time, "monotonic", side_effect=[0, 5, 11]):
            self.assertFalse(self.measure({"cells": {}}))
        self.assertEqual(list(self.saved()["cells"]), ["vgg16/b1/t2"])


class Scaling(unittest.TestCase):
    def test_axes_end_at_powers_of_two_around_the_values(self):
        self.assertEqual(scaling.octaves([3, 9]), [2, 4, 8, 16])
        self.assertEqual(scaling.octaves([4]), [4, 8])

    def test_a_chart_has_a_line_a_series_and_a_mark_a_point(self):
        chart = scaling.chart("title <", {"a": [(1, 2.0), (2, 4.0)], "b": [(1, 8.0), (2, 8.0)]})
        self.assertEqual(chart.count("<polyline"), 2)
        self.assertEqual(chart.count("<circle"), 4)
        self.assertIn("title &lt;", chart)


if __name__ == "__main__":
    unittest.main()
