#!/usr/bin/python3
"""The job scripts of tools/slurm on a Slurm of one node that is started for it.

usage: run.py BINARY [WORD...]      only the cases with one of the words in their names
Needs root, and the packages slurm-wlm and munge; python3 with h5py, numpy and Pillow. Prints a line a case and a closing count;
exits 1 when a case failed.
"""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(HERE, "..", "cli"), os.path.join(HERE, "..", "faults")]
sys.dont_write_bytecode = True

import pictures  # noqa: E402
from cluster import Cluster  # noqa: E402
from place import same_tensors  # noqa: E402
from program import Skip  # noqa: E402
from same_run import check_same  # noqa: E402

CORES = min(2, len(os.sched_getaffinity(0)))
BUNDLED = os.path.join(ROOT, "weights", "bundled", "resnet18_narrow.h5")
# So that it takes some seconds on one thread, and would lose an epoch's part where it is not saved.
LONG = "(--model resnet18_narrow --from-scratch --preprocess unit --epochs 30 --batch 4 --optimizer adam --lr 0.001 --device cpu)"
SHORT = "(--epochs 2 --batch 4 --device cpu)"


class Site:
    """What the cases share: the cluster, the data, and a training that nothing disturbs."""

    def __init__(self, binary, folder, cluster):
        self.binary, self.folder, self.cluster = binary, folder, cluster
        self.data = pictures.folder(self.path("data"), per_class=40)
        self.environment = {"PATH": os.path.dirname(binary) + ":" + os.environ["PATH"], "OMP_WAIT_POLICY": "passive",
                            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        self._reference = None

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def submit(self, script, sbatch=(), **lines):
        """A job of a script of tools/slurm in which the lines that a user changes are changed, as sbatch starts it with these options."""
        with open(os.path.join(ROOT, "tools", "slurm", script + ".sbatch")) as f:
            text = f.read()
        for name, value in lines.items():
            text, changed = re.subn(rf"^{name}=(\([^)]*\)|.*)$", lambda _, line=f"{name}={value}": line, text, flags=re.MULTILINE)
            assert changed == 1, f"{script}: {changed} lines {name}="
        edited = pictures.write(self.path(script + ".sbatch"), text)
        memory = "--mem-per-cpu=500M" if "--mem-per-cpu" in text else "--mem=500M"
        return self.cluster.submit(memory, "--cpus-per-task=1", *sbatch, edited, environment=self.environment)

    def tell(self, command, *options):
        """What a command prints as a job."""
        job = self.cluster.submit("--output=tell-%j.log", *options, "--wrap", command, environment=self.environment)
        self.cluster.finish(job)
        return self.log(f"tell-{job}.log")

    def log(self, name):
        with open(self.path(name), errors="replace") as f:
            return f.read()

    @property
    def reference(self):
        if self._reference is None:
            job = self.submit("one-device", data=self.data, run=self.path("reference"), options=LONG)
            self.cluster.finish(job)
            self._reference = self.path("reference")
        return self._reference

    def epochs(self, run):
        try:
            return len(self.log(os.path.join(run, "metrics.jsonl")).splitlines())
        except FileNotFoundError:
            return 0


def config(run):
    with open(os.path.join(run, "config.json")) as f:
        return json.load(f)


def ended_and_went_on(site, job, run, times):
    """A job ended early so often, saved itself each time and went on, and nothing shows it."""
    site.cluster.finish(job)
    assert site.cluster.jobs(job)[0]["Restarts"] == str(times), site.cluster.jobs(job)
    log = site.log(f"xferrun-{job}.log")
    assert len(re.findall("stopped in epoch", log)) == len(re.findall("going on in epoch", log)) == times, log[-3000:]
    check_same(site.path(run), site.reference)


def case_preempted_twice(site):
    """By SIGTERM to all of the job's processes."""
    site.reference
    job = site.submit("one-device", data=site.data, run=site.path("preempted"), options=LONG)
    for restart in range(2):
        had = site.epochs("preempted")
        site.cluster.wait_for(lambda: site.epochs("preempted") > had + 2, "progress")
        site.cluster.finish(site.cluster.submit("--partition=high", "--exclusive", "--output=/dev/null", "--wrap", "true"))
        assert site.cluster.jobs(job)[0]["Restarts"] == str(restart + 1), site.cluster.jobs(job)
    ended_and_went_on(site, job, "preempted", 2)


def case_a_signal_before_the_time_is_over(site):
    """SIGUSR1 to the shell alone: what --signal=B:USR1@120 makes Slurm send, and the script has itself requeued."""
    site.reference
    job = site.submit("one-device", data=site.data, run=site.path("signalled"), options=LONG)
    site.cluster.wait_for(lambda: site.epochs("signalled") > 2, "progress")
    site.cluster("scancel", "--batch", "--signal=USR1", job)
    ended_and_went_on(site, job, "signalled", 1)


def case_a_cancelled_job_stays_away(site):
    """Its training saves itself and ends with 75, too."""
    job = site.submit("one-device", data=site.data, run=site.path("cancelled"), options=LONG)
    site.cluster.wait_for(lambda: site.epochs("cancelled") > 2, "progress")
    site.cluster("scancel", job)
    site.cluster.wait_for(lambda: "stopped in epoch" in site.log(f"xferrun-{job}.log"), "stop")
    time.sleep(3)  # in which it would be pending again
    assert site.cluster.states(job) == ["CANCELLED"] and site.cluster.jobs(job)[0]["Restarts"] == "0", site.cluster.jobs(job)


def case_array_of_networks_and_seeds(site):
    start = site.path("start")
    subprocess.run([site.binary, "fine-tune", "--model", "merged_view", "--from-scratch", "--data", site.data, "--out", start, "--epochs", "1",
                    "--device", "cpu", "--preprocess", "unit"], check=True, capture_output=True, timeout=300)
    job = site.submit("array", ["--array=0-3"], networks="(resnet18_narrow merged_view)", weights=f"({BUNDLED} {start}/best.h5)",
                      seeds="(5 6)", data=site.data, runs=site.path("runs"), options=SHORT)
    site.cluster.finish(job)
    runs = sorted(os.path.basename(r) for r in glob.glob(site.path("runs", "*")))
    assert runs == [f"{network}-seed-{seed}" for network in ("merged_view", "resnet18_narrow") for seed in (5, 6)], runs
    for run in runs:
        options = config(site.path("runs", run))["options"]
        assert run == f"{options['model']}-seed-{options['seed']}" and os.path.exists(site.path("runs", run, "evaluation.json")), options
    for network in ("merged_view", "resnet18_narrow"):
        assert same_tensors(*(site.path("runs", f"{network}-seed-{seed}", "best.h5") for seed in (5, 6))), "two seeds gave one network"
        assert all("top-1" in site.log(f"xferrun-{job}_{task}.log") for task in range(4))


def case_threads_that_slurm_gives(site):
    assert config(site.reference)["threads"] == 1
    cores = [json.loads(site.tell("xferrun devices --json", f"--cpus-per-task={n}").splitlines()[-1])["devices"][0]["usable_cores"]
             for n in range(1, CORES + 1)]
    assert cores == list(range(1, CORES + 1)), cores


def case_threads_that_an_affinity_allows(site):
    """As TaskPlugin=task/affinity or task/cgroup sets it."""
    first = min(os.sched_getaffinity(0))
    told = site.tell(f"taskset --cpu-list {first} xferrun devices --json", "--exclusive")
    assert json.loads(told)["devices"][0]["usable_cores"] == 1, told


def case_threads_that_a_quota_allows(site):
    """Of a control group, or of one above it."""
    root = "/sys/fs/cgroup/cpu" if os.path.isdir("/sys/fs/cgroup/cpu") else "/sys/fs/cgroup"
    group = os.path.join(root, f"xferrun-test-{os.getpid()}")
    try:
        os.makedirs(os.path.join(group, "below"))
        v1 = os.path.exists(os.path.join(group, "cpu.cfs_quota_us"))
        with open(os.path.join(group, "cpu.cfs_quota_us" if v1 else "cpu.max"), "w") as f:
            f.write("100000" if v1 else "100000 100000")
    except OSError as e:
        raise Skip(f"no control group can be made here: {e}") from None
    else:
        told = site.tell(f"echo $$ > {group}/below/cgroup.procs; exec xferrun devices --json", "--exclusive")
        assert json.loads(told)["devices"][0]["usable_cores"] == 1, told
    finally:
        for name in ("below", ""):
            if os.path.isdir(os.path.join(group, name)):
                os.rmdir(os.path.join(group, name))


def case_several_devices(site):
    """Two processes that share each batch; stopped by a signal, they go on."""
    if not os.path.exists(os.path.join(os.path.dirname(site.binary), "..", "lib", "libxferrun_mpi.so")):
        raise Skip("the program has no MPI module")
    if CORES < 2:
        raise Skip("two processes need two cores")
    whole = site.submit("several-devices", ["--ntasks=2"], data=site.data, run=site.path("whole"), options=LONG)
    site.cluster.finish(whole)
    job = site.submit("several-devices", ["--ntasks=2"], data=site.data, run=site.path("shared"), options=LONG)
    site.cluster.wait_for(lambda: site.epochs("shared") > 2, "progress")
    site.cluster("scancel", "--batch", "--signal=USR1", job)
    site.cluster.finish(job)
    assert "going on in epoch" in site.log(f"xferrun-{job}.log"), site.log(f"xferrun-{job}.log")[-3000:]
    check_same(site.path("shared"), site.path("whole"))


def missing():
    """Why there can be no Slurm here, or None."""
    if os.geteuid() != 0:
        return "starting a Slurm takes root"
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    absent = [name for name in ("slurmctld", "slurmd", "munged", "sbatch") if shutil.which(name, path=path) is None]
    return f"there is no {', '.join(absent)}" if absent else None


def run_case(function, site):
    """The verdict, and the reason when it is not "ok"."""
    try:
        function(site)
        return "ok", ""
    except Skip as skip:
        return "skip", str(skip)
    except Exception as e:  # the others still run
        return "FAIL", f"{type(e).__name__}: {e}"


def main(binary, words):
    why = missing()
    if why:
        print(f"skipped: slurm: {why}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is started ends, too
    cases = [(n[5:], f) for n, f in globals().items() if n.startswith("case_") and (not words or any(w in n for w in words))]
    folder = tempfile.mkdtemp(prefix="xferrun-slurm-")
    os.chmod(folder, 0o755)  # munge's socket is for everybody
    failed = 0
    try:
        with Cluster(folder, CORES) as cluster:
            site = Site(os.path.abspath(binary), folder, cluster)
            for name, function in cases:
                start = time.monotonic()
                verdict, reason = run_case(function, site)
                print(f"{verdict:4} {name} ({time.monotonic() - start:.1f} s)" + (f"\n  {reason}" if verdict == "FAIL" else ""), flush=True)
                if verdict == "skip":
                    print(f"skipped: slurm {name}: {reason}", flush=True)
                failed += verdict == "FAIL"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
