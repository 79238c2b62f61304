"""plan: memory of a rank and within a limit, measured seconds, and --estimate, a step's least time on a GPU by its data sheet."""
import json
import os
import signal
import subprocess
import time

import pictures
from place import strict_json
from program import unchanged

PLAN = ["plan", "--model", "resnet18_narrow", "--batch", 4]
# A byte takes a nanosecond and an operation next to nothing, or the other way round.
SLOW_MEMORY = {"name": "slow memory", "memory_gb_per_s": 1, "f32_tflops": 1e6, "tf32_tflops": 1e6, "bf16_tflops": 1e6,
               "f16_tflops": 1e6}
SLOW_ARITHMETIC = {"name": "slow arithmetic", "memory_gb_per_s": 1e9, "f32_tflops": 1, "tf32_tflops": 2, "bf16_tflops": 4,
                   "f16_tflops": 4}


def estimated(place, gpu, *options):
    return strict_json(place.run(*PLAN, "--json", "--estimate", gpu, *options).stdout)["estimate"]


def gpu_file(place, content):
    return pictures.write(place.path("gpu.json"), content if isinstance(content, str) else json.dumps(content))


def case_estimate_is_marked_as_one(place):
    text = place.run(*PLAN, "--estimate", "a100").stdout
    head, lines = text.split("\nestimate for ", 1)
    assert "MiB" in head and "nothing ran" in lines and "NVIDIA A100" in lines, text
    assert "conv2d_bwd_weights" in lines and "layer4" not in lines, text
    assert lines.splitlines()[-1].startswith("estimate: "), text
    assert "layer4.1.conv2" in place.run(*PLAN, "--estimate", "a100", "--explain").stdout.split("\nestimate for ")[1]
    assert "estimate" not in strict_json(place.run(*PLAN, "--json").stdout)


def case_estimate_adds_up(place):
    e = estimated(place, "rtx4090", "--explain")
    assert e["gpu"]["name"] == "NVIDIA GeForce RTX 4090" and "nothing ran" in e["method"], e["gpu"]
    for key in ("flops", "bytes", "microseconds"):
        assert abs(sum(op["runs"] * op[key] for op in e["operations"]) / e[key] - 1) < 1e-9, key
        assert abs(sum(kind[key] for kind in e["kinds"]) / e[key] - 1) < 1e-9, key
    assert abs(sum(kind["share"] for kind in e["kinds"]) - 1) < 1e-9
    assert abs(e["images_per_second"] * e["microseconds"] / 4e6 - 1) < 1e-9
    assert {op["bound"] for op in e["operations"]} <= {"memory", "arithmetic"}
    assert "operations" not in estimated(place, "h100")


def case_estimate_follows_gpu_and_precision(place):
    assert estimated(place, "h100")["microseconds"] < estimated(place, "rtx4090")["microseconds"]
    e = estimated(place, "h100", "--precision", "f16")  # whatever this machine can compute with
    assert e["precision"] == "f16" and e["bytes"] < 0.6 * estimated(place, "h100")["bytes"]
    accumulated = estimated(place, "h100", "--accumulate", 3)
    assert accumulated["images"] == 12 and accumulated["flops"] > 2.9 * estimated(place, "h100")["flops"]


def case_estimate_for_a_gpu_of_a_file(place):
    e = estimated(place, gpu_file(place, SLOW_MEMORY))
    assert e["gpu"] == SLOW_MEMORY, e["gpu"]
    assert abs(e["microseconds"] / (e["bytes"] / 1e3) - 1) < 1e-9, e
    assert all(kind["memory_bound_microseconds"] == kind["microseconds"] for kind in e["kinds"])
    e = estimated(place, gpu_file(place, SLOW_ARITHMETIC))
    assert abs(e["microseconds"] / (e["flops"] / 1e6) - 1) < 1e-6, e
    products = {k: estimated(place, place.path("gpu.json"), "--precision", k)["microseconds"] for k in ("f32", "tf32")}
    assert 0.5 < products["tf32"] / products["f32"] < 0.52, products


def case_estimate_refuses_what_is_no_gpu(place):
    def changed(**fields):
        return {k: v for k, v in {**SLOW_MEMORY, **fields}.items() if v is not None}

    with unchanged(place.here):
        place.refuses(2, *PLAN, "--estimate", "voodoo2", names=["--estimate voodoo2", "h100", "FILE.json"])
        place.refuses(2, *PLAN, "--estimate", names=["--estimate"])
        place.refuses(66, *PLAN, "--estimate", place.path("gone.json"), names=["gone.json"])
    for content, names in [
        ('{"name": "x"', ["JSON"]),
        ("[1]", ["object"]),
        (changed(tf32_tflops=None), ["tf32_tflops", "missing"]),
        (changed(name=None), ["name", "missing"]),
        (changed(name=7), ["name"]),
        (changed(name=""), ["name"]),
        (changed(memory_gb_per_s="fast"), ["memory_gb_per_s"]),
        (changed(memory_gb_per_s=0), ["memory_gb_per_s", "0.001"]),
        (changed(f16_tflops=-1), ["f16_tflops"]),
        (changed(bf16_tflops=True), ["bf16_tflops"]),
        (json.dumps(SLOW_MEMORY).replace("1,", "1e999,", 1), ["JSON"]),
        (changed(f32_tflops=1e300), ["f32_tflops"]),
        (changed(f8_tflops=1), ["f8_tflops", "no field"]),
    ]:
        file = gpu_file(place, content)
        with unchanged(place.here):
            place.refuses(65, *PLAN, "--estimate", file, names=["gpu.json", *names])


def planned(place, *options, batch=8):
    return strict_json(place.run("plan", "--model", "resnet18_narrow", "--device", "cpu", "--batch", batch, "--json", *options).stdout)


def case_memory_of_a_rank(place):
    """A rank computes its share of a batch, and holds the gradients that travel."""
    alone, rank = planned(place, batch=4), planned(place, "--ranks", 2, batch=8)
    for key in ("parameter_bytes", "image_bytes", "checkpoint_bytes"):
        assert rank[key] == alone[key], (key, rank, alone)
    # The statistics of batch normalisation wait for the end of the step.
    assert 0 < rank["activation_bytes"] - alone["activation_bytes"] < rank["parameter_bytes"], (rank, alone)
    assert alone["communication_bytes"] == 0 and rank["communication_bytes"] == 50 << 20, (alone, rank)
    parts = ("parameter_bytes", "activation_bytes", "image_bytes", "process_bytes", "communication_bytes")
    for p in (alone, rank):
        assert p["peak_bytes"] == sum(p[key] for key in parts), p
        assert p["most_bytes"] == p["peak_bytes"] + p["checkpoint_bytes"] + (512 << 20), p
    place.refuses(2, *PLAN, "--ranks", 3, names=["--batch 4", "3 ranks"])
    place.refuses(2, *PLAN, "--ranks", 0, names=["--ranks"])
    text = place.run(*PLAN, "--ranks", 2).stdout
    assert "shared by 2 ranks" in text and "a rank" in text.splitlines()[-1], text


def case_largest_batch_within_a_limit(place):
    limit = 1 << 30
    for ranks in ([], ["--ranks", 3]):
        batch = planned(place, *ranks, "--memory-limit", "1G", batch=6)["largest_batch"]
        step = 3 if ranks else 1
        assert batch > 6 and batch % step == 0, batch
        # The program itself is not of the same size each time.
        assert planned(place, *ranks, batch=batch - 2 * step)["most_bytes"] <= limit
        assert planned(place, *ranks, batch=batch + 2 * step)["most_bytes"] > limit
    assert planned(place, "--memory-limit", "1024M")["largest_batch"] > planned(place, "--memory-limit", "900 MiB")["largest_batch"] > 0
    assert planned(place, "--memory-limit", "300M")["largest_batch"] == 0
    assert "largest_batch" not in planned(place)
    assert "no batch" in place.run(*PLAN, "--memory-limit", "300M").stdout
    assert "--batch " in place.run(*PLAN, "--memory-limit", "8G").stdout.splitlines()[-1]
    for size in ("0", "-1G", "much", "8X", "99999999999T"):
        place.refuses(2, *PLAN, f"--memory-limit={size}", names=["--memory-limit"])


def case_measured_seconds(place):
    with unchanged(place.here):
        m = planned(place, "--measure", "--threads", 1)
        assert "epoch_seconds" not in m and m["step_seconds"] > 0 and m["checkpoint_seconds"] > 0, m
        assert abs(m["images_per_second"] * m["step_seconds"] / 8 - 1) < 1e-9, m
        assert abs(m["stop_seconds"] - 2 * m["step_seconds"] - 2 * m["checkpoint_seconds"]) < 1e-9, m
        # 13 batches make 4 updates of 3; the last one stays out, as in a training.
        m = planned(place, "--measure", "--images", 100, "--accumulate", 3, "--epochs", 5)
        assert abs(m["epoch_seconds"] / m["step_seconds"] - 12) < 1e-9, m
        assert abs(m["training_seconds"] / m["epoch_seconds"] - 5) < 1e-9, m
        assert abs(m["stop_seconds"] - 4 * m["step_seconds"] - 2 * m["checkpoint_seconds"]) < 1e-9, m
        text = place.run(*PLAN, "--measure", "--images", 50, "--ranks", 2).stdout
        assert "--signal=B:USR1@60" in text and "an epoch of 50 images" in text and "one rank alone" in text, text
        place.refuses(2, *PLAN, "--images", 100, names=["--images", "--measure"])
        place.refuses(74, *PLAN, "--measure", "--out", place.path("gone"), names=["gone"])


def case_a_measurement_that_is_stopped_leaves_nothing(place):
    process = place.start("plan", "--model", "resnet18_narrow", "--batch", 256, "--threads", 1, "--device", "cpu", "--measure",
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not os.listdir(place.here):
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 75 and b"--measure: stopped" in stderr, (process.returncode, stderr)
    assert not os.listdir(place.here)
