#!/usr/bin/python3
"""Two ranks on two machines, as far as one can show: network namespaces with a slow line between them.

usage: two_hosts.py BIN_FOLDER [RATE...]      (RATE as tc takes it; default: 1gbit 5gbit)
Trains a small network over the line, which must give the bits of two ranks on one machine, and prints how much of ResNet50's
exchanges each rate leaves hidden. Skips, and says why, without root, network namespaces or tc's tbf. A latency of 0.5 ms is added
where the kernel has netem.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import ranks
from ranks import finish, run, same_bits, training

import pictures  # noqa: E402

NAMES, ADDRESSES, NETWORK = ("xferrun-a", "xferrun-b"), ("10.231.77.1", "10.231.77.2"), "10.231.77.0/24"


def do(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")


class TwoHosts:
    """The namespaces, joined by a line of a given rate."""

    def __init__(self, here):
        self.agent = os.path.join(here, "agent")
        with open(self.agent, "w") as f:  # what mpirun calls instead of ssh: HOST COMMAND...
            f.write(f'#!/bin/sh\nshift\nexec ip netns exec {NAMES[1]} unshare --uts sh -c "hostname second; $*"\n')
        os.chmod(self.agent, 0o755)

    def __enter__(self):
        try:
            for name in NAMES:
                do("ip", "netns", "add", name)
            do("ip", "link", "add", "xferrun-0", "netns", NAMES[0], "type", "veth", "peer", "name", "xferrun-1", "netns", NAMES[1])
            for i, name in enumerate(NAMES):
                do("ip", "-n", name, "addr", "add", ADDRESSES[i] + "/24", "dev", f"xferrun-{i}")
                do("ip", "-n", name, "link", "set", f"xferrun-{i}", "up")
                do("ip", "-n", name, "link", "set", "lo", "up")
        except OSError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in NAMES:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)

    def limit(self, rate):
        """Returns whether there is a latency too."""
        late = True
        for i, name in enumerate(NAMES):
            tc = ("tc", "-n", name, "qdisc", "replace", "dev", f"xferrun-{i}")
            do(*tc, "root", "handle", "1:", "tbf", "rate", rate, "burst", "1mb", "latency", "20ms")
            try:
                do(*tc, "parent", "1:1", "netem", "delay", "0.5ms")
            except OSError:
                late = False
        return late

    def start(self, binary, *arguments):
        """Two ranks, one in each."""
        mpirun = ["mpirun", "-n", "2", "--host", ",".join(a + ":1" for a in ADDRESSES), "--bind-to", "none", "--mca", "plm_rsh_agent", self.agent,
                  "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", NETWORK, "--mca", "oob_tcp_if_include", NETWORK]
        command = " ".join([*mpirun, binary, *map(str, arguments)])
        return subprocess.Popen(["ip", "netns", "exec", NAMES[0], "unshare", "--uts", "sh", "-c", f"hostname first; exec {command}"],
                                env=ranks.MPI, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def main():
    folder, rates = os.path.abspath(sys.argv[1]), sys.argv[2:] or ["1gbit", "5gbit"]
    if os.geteuid() != 0 or not all(map(shutil.which, ("mpirun", "ip", "tc", "unshare"))):
        print("skipped: two hosts: it takes root, mpirun, ip, tc and unshare")
        return 0
    with tempfile.TemporaryDirectory() as here:
        try:
            with TwoHosts(here) as hosts:
                hosts.limit(rates[0])
                compare(hosts, os.path.join(folder, "xferrun"), here)
                for rate in rates:
                    late = hosts.limit(rate)
                    show(hosts, os.path.join(folder, "bench-step"), rate, late, os.path.join(here, rate))
        except OSError as e:
            print(f"skipped: two hosts: {e}")
            return 0
    print("1 passed, 0 failed")
    return 0


def compare(hosts, binary, here):
    data = pictures.folder(os.path.join(here, "data"))

    one, two = (training(data, os.path.join(here, out), "--batch", 8, "--threads", 1) for out in ("one", "two"))
    finish(hosts.start(binary, *two))
    run(2, binary, *one)
    assert same_bits(os.path.join(here, "one", "best.h5"), os.path.join(here, "two", "best.h5")), "two machines trained otherwise than one"


def show(hosts, bench, rate, late, trace):
    done = finish(hosts.start(bench, "--model", "resnet50", "--mode", "train", "--batch", 16, "--steps", 5, "--device", "cpu", "--threads", 1,
                              "--profile", trace))
    print(f"{rate}{', 0.5 ms' if late else ''}: {done.stdout.strip()}")
    print("  " + next(line for line in done.stderr.splitlines() if "all-reduce: " in line))


if __name__ == "__main__":
    sys.exit(main())
