"""plan --estimate: a step's least time on a GPU, by its data sheet."""
import json

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
