#!/usr/bin/python3
"""PyTorch at its best on a CPU, row by row, and `bench-step` beside it in the same run.

usage: pytorch.py --venv DIR [--ours build/bin/bench-step] [--rounds 3] [--out rows.jsonl] [more: --help]

DIR is a virtual environment outside the repository; the first run makes it and installs torch and torchvision (2.5 GB to
download, 6 GB on disk). torch.compile needs g++ and Python's headers (Debian: g++ python3-venv python3-dev).

Every row (network, mode, precision, variant) runs in a fresh process: synthetic images, channels_last, huge pages on
(THP_MEM_ALLOC_ENABLE=1), warm-up, then the median of --steps steps. A round measures each network, mode and precision in
turn, PyTorch's variants first and ours right after; the rounds repeat that, and a row's figure is the median of its rounds.
Variants: eager; compile (inductor); in inference also freeze (inductor with constants folded and weights packed). In
bf16: autocast, in inference also the model itself in bfloat16. Inference folds BN into the convolutions. Training is SGD with
momentum, fused. A row without a figure is printed as missed, with the reason.
Peak memory is the whole process's (VmHWM); `step_peak_bytes` leaves out what only start and compilation needed.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

NETWORKS = ("inception_v2", "inception_v3", "resnet50", "resnet101", "resnet152", "vgg16", "vgg19")
MODES, PRECISIONS = ("train", "infer"), ("f32", "bf16")
CLASSES = 22
HERE = os.path.dirname(os.path.abspath(__file__))


def side(name):
    return 299 if name == "inception_v3" else 224


def dialect(name):
    """The one that the network here and ours have in common."""
    return "caffe" if name == "inception_v2" else "torchvision"


def variants(mode, precision):
    """The ways in which PyTorch can run one mode and precision."""
    engines = ["eager", "compile"] + (["freeze"] if mode == "infer" else [])
    if precision == "f32":
        return engines
    casts = ["autocast"] + (["bfloat16"] if mode == "infer" else [])
    return [f"{engine}+{cast}" for cast in casts for engine in engines]


# ---- one row, in a process of its own, with the virtual environment's Python


def memory(field):
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field + ":"))


def build(name):
    import torchvision

    if name == "inception_v2":
        sys.path.append(os.path.join(HERE, "..", "..", "tests", "parity"))
        from bn_inception import BNInception
        return BNInception(CLASSES)
    options = {"aux_logits": False, "init_weights": False} if name == "inception_v3" else {}
    return getattr(torchvision.models, name)(weights=None, num_classes=CLASSES, **options)


def network(name, batch):
    """The network (torchvision's; InceptionV2 is Cadene's), channels_last, its BN statistics those of one random batch.

    Without statistics that fit the weights, the activations of an untrained network sink below the normal range of f32,
    and the timing would be that of denormal numbers.
    """
    import torch

    torch.manual_seed(0)
    model = build(name).to(memory_format=torch.channels_last)
    images = torch.randn(batch, 3, side(name), side(name)).to(memory_format=torch.channels_last)
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for m in norms:
        m.momentum = 1.0
    with torch.no_grad():
        model.train()(images)
    for m, momentum in zip(norms, momenta):
        m.momentum = momentum
    return model, images


def fold_norms(module):
    """Folds each BatchNorm2d into the Conv2d that is registered right before it."""
    import torch
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    last_name, last = None, None
    for name, child in list(module.named_children()):
        if isinstance(child, torch.nn.BatchNorm2d) and isinstance(last, torch.nn.Conv2d):
            setattr(module, last_name, fuse_conv_bn_eval(last, child))
            setattr(module, name, torch.nn.Identity())
        fold_norms(child)
        last_name, last = name, child


def training_step(torch, model, images, cast):
    labels = torch.arange(images.shape[0]) % CLASSES
    loss_of = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with cast():
            loss = loss_of(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def inference_step(torch, model, images, cast):
    def step():
        with torch.inference_mode(), cast():
            return float(model(images)[0, 0])

    return step


def run_row(args):
    import torch

    torch.set_num_threads(args.threads)
    base = memory("VmRSS")
    engine, _, cast_name = args.variant.partition("+")
    model, images = network(args.network, args.batch)
    if args.mode == "infer":
        model.eval()
        with torch.no_grad():
            want = model(images)
            fold_norms(model)
            error = float((model(images) - want).abs().max() / want.abs().max())
        assert error < 1e-3, f"folding BN changed the result by {error:.1e}"
        model = model.to(memory_format=torch.channels_last)
        if cast_name == "bfloat16":
            model, images = model.bfloat16(), images.bfloat16()

    def cast():
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=cast_name == "autocast")

    if engine == "freeze":
        import torch._inductor.config

        torch._inductor.config.freezing = True
    runner = torch.compile(model) if engine != "eager" else model
    step = (training_step if args.mode == "train" else inference_step)(torch, runner, images, cast)

    start = time.perf_counter()
    for _ in range(3):
        step()
    warm_up = time.perf_counter() - start
    peak = memory("VmHWM")
    with open("/proc/self/clear_refs", "w", encoding="ascii") as reset:
        reset.write("5")  # VmHWM starts anew
    seconds, start = [], time.perf_counter()
    while len(seconds) < args.steps and (len(seconds) < 3 or time.perf_counter() - start < args.seconds):
        before = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - before)
    median = statistics.median(seconds)
    print(json.dumps({
        "images_per_second": args.batch / median,
        "step_seconds": {"median": median, "min": min(seconds), "max": max(seconds), "steps": len(seconds)},
        "peak_bytes": max(peak, memory("VmHWM")), "step_peak_bytes": memory("VmHWM"), "import_bytes": base,
        "warm_up_seconds": warm_up, "torch": torch.__version__,
    }))


# ---- the whole comparison


def make_venv(folder):
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        subprocess.run(["/usr/bin/python3", "-m", "venv", folder], check=True)
    probe = subprocess.run([python, "-c", "import torch, torchvision"], capture_output=True, check=False)
    if probe.returncode != 0:
        print(f"installing torch and torchvision into {folder}", file=sys.stderr, flush=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "torch>=2.15", "torchvision"], check=True)
    return python


def measure(command, args):
    """Runs one row; its JSON object, or {"missed": why}. Both sides get the same processors and number of threads."""
    env = {**os.environ, "OMP_NUM_THREADS": str(args.threads), "THP_MEM_ALLOC_ENABLE": "1",
           "TORCHINDUCTOR_CACHE_DIR": os.path.join(os.path.abspath(args.venv), "inductor-cache")}
    processors = sorted(os.sched_getaffinity(0))[: args.threads]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=args.timeout, check=False,
                              preexec_fn=lambda: os.sched_setaffinity(0, processors))
    except subprocess.TimeoutExpired:
        return {"missed": f"no result within {args.timeout} s"}
    except OSError as error:
        return {"missed": str(error)}
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return {"missed": f"exit {done.returncode}: {lines[-1] if lines else 'nothing on stderr'}"}
    return json.loads(done.stdout.strip().splitlines()[-1])


def plan_rows(args, python):
    """Every row of one round, ours right after PyTorch's of the same kind: ((network, mode, precision, variant), command)."""
    for net in args.networks:
        for mode in args.modes:
            for precision in args.precisions:
                for variant in variants(mode, precision):
                    if args.variants and variant not in args.variants:
                        continue
                    yield (net, mode, precision, variant), [
                        python, os.path.abspath(__file__), "--row", "--network", net, "--mode", mode, "--precision", precision,
                        "--variant", variant, "--batch", str(args.batch), "--threads", str(args.threads),
                        "--steps", str(args.steps), "--seconds", str(args.seconds)]
                if args.ours:
                    yield (net, mode, precision, "ours"), [
                        os.path.abspath(args.ours), "--model", net, "--dialect", dialect(net), "--mode", mode, "--batch", str(args.batch),
                        "--precision", precision, "--device", "cpu", "--json",
                        "--steps", str(args.steps if mode == "train" else 4 * args.steps)]  # seconds, not moments


def summarise(results):
    """One line a row (the median of its rounds), then ours beside the best of PyTorch's."""
    best = {}
    print(f"\n{'network':13}{'mode':6}{'precision':10}{'variant':18}{'images/s':>9}{'step s':>9}{'peak MiB':>10}  rounds")
    for key, rounds in results.items():
        good = [r for r in rounds if "missed" not in r]
        label = f"{key[0]:13}{key[1]:6}{key[2]:10}{key[3]:18}"
        if not good:
            print(f"{label}missed: {rounds[-1]['missed']}")
            continue
        speed, step, peak = (statistics.median(f(r) for r in good) for f in (
            lambda r: r["images_per_second"], lambda r: r["step_seconds"]["median"], lambda r: r["peak_bytes"]))
        print(f"{label}{speed:9.2f}{step:9.3f}{peak / 2**20:10.0f}  {len(good)} of {len(rounds)}")
        best.setdefault(key[:3], {})[key[3]] = (speed, peak)
    for kind, rows in best.items():
        peers = {v: r for v, r in rows.items() if v != "ours"}
        if "ours" not in rows or not peers:
            continue
        fastest, leanest = max(peers, key=lambda v: peers[v][0]), min(peers, key=lambda v: peers[v][1])
        print(f"{' '.join(kind)}: {rows['ours'][0] / peers[fastest][0]:.2f}x the images/s of {fastest}, "
              f"{rows['ours'][1] / peers[leanest][1]:.2f}x the peak memory of {leanest}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", help="virtual environment with torch, made when absent")
    parser.add_argument("--ours", help="the bench-step executable to measure beside PyTorch")
    parser.add_argument("--out", help="file that every finished row is appended to, a JSON line each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--variants", nargs="+", help="only these of PyTorch's variants")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12, help="timed steps of a row, at most")
    parser.add_argument("--seconds", type=float, default=30, help="timed seconds of a row, at most (but three steps)")
    parser.add_argument("--timeout", type=float, default=900, help="seconds after which a row is missed")
    for name in ("network", "mode", "precision", "variant"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    parser.add_argument("--row", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        run_row(args)
        return
    if not args.venv:
        parser.error("--venv DIR is needed")

    python = make_venv(args.venv)
    results = {}
    for number in range(1, args.rounds + 1):
        for key, command in plan_rows(args, python):
            row = measure(command, args)
            results.setdefault(key, []).append(row)
            line = json.dumps({**dict(zip(("network", "mode", "precision", "variant"), key)), "round": number, **row})
            print(line, flush=True)
            if args.out:
                with open(args.out, "a", encoding="utf-8") as out:
                    out.write(line + "\n")
    summarise(results)


if __name__ == "__main__":
    main()
