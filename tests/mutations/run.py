#!/usr/bin/python3
"""Would the tests notice? Changes the CUDA backend's sources one small step at a time and runs standin-tests and simt-tests: a
mutant that no test notices has survived.

usage: run.py BUILD_FOLDER [--only GLOB] [--jobs N] [--list]

All mutants are compiled together, once, into a copy of the sources in BUILD_FOLDER; the environment says which one lives (mutant.h).
A first run of every test case tells which mutants it comes by; each mutant is then tried on those alone, the fastest first, until one
fails, crashes, or hangs. Indices beyond an array, a vector or a span trap. What is changed, everywhere in kernels/cuda:

  barrier     a __syncthreads or __syncwarp is removed
  event       a wait for an event or a stream, an event's recording, or the choice of cuDNN's stream is removed
  bound       a comparison moves by one (< to <=, <= to <, > to >=, >= to >), or a division that rounds up takes one too few
  stride      a stride, or a loop's step through memory, is one too long
  unscale     the loss scale is taken for 1
  operands    two neighbouring operands are taken for each other, or an operand for the next one

equivalent.txt lists the mutants that do the same as the original, with the reason; they do not count. Exits 1 when fewer than 95 %
of the others are caught, or when a line of equivalent.txt fits no mutant.
"""
import argparse
import concurrent.futures
import fnmatch
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = "kernels/cuda"
LEAST = 0.95
PROGRAMS = ["simt-tests", "standin-tests"]
# Of the host's threads the CUDA backend has none; trajectories take long, and find nothing that no other case finds first.
WITHOUT = "*any_threads*,trajectories*"
KINDS = ["barrier", "event", "bound", "stride", "unscale", "operands"]


class Edit:
    """Text in place of line[start:end]: `after` as a reader sees it, `switched` where all mutants are compiled together: {lives} asks
    whether this one lives, {number} is its number, {old} the text that it replaces."""

    def __init__(self, start, end, after, switched="({lives} ? " + "{after} : {old})"):
        self.start, self.end, self.after, self.switched = start, end, after, switched


class Mutant:
    def __init__(self, path, at, kind, line, edits):
        self.path, self.at, self.kind, self.line, self.edits = path, at, kind, line, edits
        self.number = 0

    def key(self):
        after = self.line
        for edit in sorted(self.edits, key=lambda e: -e.start):
            after = after[:edit.start] + edit.after + after[edit.end:]
        return f"{os.path.basename(self.path)}: {self.line.strip()}  ->  {after.strip()}"

    def __str__(self):
        return f"{self.kind}, line {self.at + 1}: {self.key()}"


def barriers(code):
    for m in re.finditer(r"__sync(threads|warp)\([^()]*\);", code):
        yield [Edit(m.start(), m.end(), ";", "if (!{lives}) {old}")]


def events(code):
    for m in re.finditer(r"(?:^\s*|\) )(([\w.\[\]]+(\.|->))?(record|hold_up|wait|wait_silently|synchronize|queue_cudnn_on)\([^;]*\);)", code):
        if m.group(3) or m.group(4) == "queue_cudnn_on":
            yield [Edit(m.start(1), m.end(1), ";", "if (!{lives}) {old}")]


def is_minimum(before, after):
    """Whether it is `a < b ? a : b` or `a > b ? a : b`, which is the same number with <= or >=: where a and b are equal, so are the
    two answers."""
    m = re.match(r"(.+?) \? (.+?) : (.+)", after)
    if not m or not before.endswith(m.group(2)) or not m.group(3).startswith(m.group(1)):
        return False
    return re.search(r"(^|[({,=:]|return) ?$", before[:-len(m.group(2))]) is not None


def bounds(code):
    if "static_assert" in code or "#" in code:
        return
    moved = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
    named = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}
    for m in re.finditer(r"(?<= )(<|<=|>|>=)(?= )", code):
        if not is_minimum(code[:m.start() - 1], code[m.end() + 1:]):
            yield [Edit(m.start(), m.end(), moved[m.group()], f"<xf::mutants::{named[m.group()]}{{{{{{number}}}}}}>")]
    for m in re.finditer(r"(?<=- )1(?=\) / )|(?<=\+ )\d+(?=\) / )", code):
        yield [Edit(m.start(), m.end(), str(int(m.group()) + (1 if m.group() == "1" else -1)))]


def strides(code):
    for m in re.finditer(r"(?<=\* )(\w+(\.|->))?\w*stride\b|\bfor \([^;]*;[^;]*; \w+ \+= (?P<step>([^()]|\([^()]*\))+)\)", code):
        start, end = m.span("step") if m.group("step") else m.span()
        yield [Edit(start, end, f"({code[start:end]} + 1)")]


def unscales(code):
    for m in re.finditer(r"simt::load<float>\((\w+\.)?loss_scale\)|\bloss_scale(?= \*)|(?<=<double>\()loss_scale", code):
        yield [Edit(m.start(), m.end(), "1.0F")]


def operands(code):
    found = list(re.finditer(r"\b(?:operands\[|(?:o|of|all|operands)\.(?:in|out)\()(?P<index>([^()\[\]]|\([^()]*\))+)[\])](?:\.data)?", code))
    swapped = set()
    for a, b in zip(found, found[1:]):
        if code[a.end():b.start()] == ", ":
            swapped.update((a, b))
            yield [Edit(*a.span("index"), b["index"]), Edit(*b.span("index"), a["index"])]
    for m in found:
        if m not in swapped:
            yield [Edit(*m.span("index"), f"{m['index']} + 1")]


def mutants_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as text:
        lines = text.readlines()
    for at, line in enumerate(lines):
        for kind, change in zip(KINDS, (barriers, events, bounds, strides, unscales, operands)):
            for edits in change(line.split("//")[0].rstrip()):
                yield Mutant(path, at, kind, line, edits)


def with_all(path, mutants):
    """The text of the file with all of its mutants, each under its number."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as text:
        lines = text.readlines()
    edits = [(m, e) for m in mutants for e in m.edits]
    for place in sorted({(m.at, e.start, e.end) for m, e in edits}, reverse=True):
        at, start, end = place
        now = lines[at][start:end]
        for mutant, edit in edits:
            if (mutant.at, edit.start, edit.end) == place:
                now = edit.switched.format(lives=f"xf::mutants::lives({mutant.number})", number=mutant.number, after=edit.after, old=now)
        lines[at] = lines[at][:start] + now + lines[at][end:]
    return '#include "tests/mutations/mutant.h"\n' + "".join(lines)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def files_of(root):
    """What lies there, from there; without builds and hidden folders."""
    found = set()
    for folder, inside, names in os.walk(root):
        if folder == root:
            inside[:] = [i for i in inside if not i.startswith((".", "build"))]
        found.update(os.path.relpath(os.path.join(folder, n), root) for n in names)
    return found


def copy_with_all(source, mutants):
    """The repository in the folder `source`, with all mutants. What is there already keeps its date: it is not compiled again."""
    paths = files_of(ROOT)
    for gone in files_of(source) - paths:
        os.remove(os.path.join(source, gone))
    for path in paths:
        mine = [m for m in mutants if m.path == path]
        text = with_all(path, mine).encode() if mine else read(os.path.join(ROOT, path))
        to = os.path.join(source, path)
        if not os.path.exists(to) or read(to) != text:
            os.makedirs(os.path.dirname(to), exist_ok=True)
            with open(to, "wb") as file:
                file.write(text)


def build(folder, mutants):
    """Both programs with all mutants in them: their folder."""
    source, made = os.path.join(folder, "mutants/source"), os.path.join(folder, "mutants/build")
    copy_with_all(source, mutants)
    flags = "-O1 -w -D_GLIBCXX_ASSERTIONS -fsanitize=bounds-strict -fsanitize-undefined-trap-on-error"
    for command in (["cmake", "-S", source, "-B", made, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", f"-DCMAKE_CXX_FLAGS_DEBUG={flags}",
                     f"-DCUDNN_FRONTEND_INCLUDE={os.path.join(folder, 'cudnn-frontend/include')}"],
                    ["cmake", "--build", made, "--target", *PROGRAMS, "--parallel", str(os.cpu_count())]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"the mutants do not compile:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return os.path.join(made, "bin")


class Case:
    """A test case of a program: how long it takes, and the numbers of the mutants that it comes by."""

    def __init__(self, program, name):
        self.program, self.name = program, name
        self.seconds, self.reached = 0, set()

    def run(self, limits, **environment):
        """Whether it passes within limits of prlimit."""
        exact = re.sub(r"[,\\*]", "?", self.name)
        command = ["prlimit", *limits, self.program, f"--test-case={exact}", "--case-sensitive", "--abort-after=1"]
        settings = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        return subprocess.run(command, capture_output=True, check=False, env=settings).returncode == 0

    def measure(self):
        start = time.monotonic()
        with tempfile.NamedTemporaryFile("r") as reached:
            if not self.run([], XFERRUN_REACHED=reached.name):
                sys.exit(f"fails without a mutant: {self.name}")
            self.reached = {int(line) for line in reached}
        self.seconds = time.monotonic() - start

    def notices(self, mutant):
        """A loop without end runs out of seconds of the processor, which other work does not take; a bound that is gone may ask for
        all the memory there is."""
        limits = [f"--cpu={int(2 * self.seconds) + 5}", f"--as={32 << 30}"]
        return not self.run(limits, XFERRUN_MUTANT=str(mutant.number))


def cases_of(program):
    listed = subprocess.run([program, "--list-test-cases", f"--test-case-exclude={WITHOUT}", "--no-colors"], check=True,
                            capture_output=True, text=True).stdout
    return [Case(program, line) for line in listed.splitlines() if line and not line.startswith(("[doctest]", "==="))]


def read_equivalents():
    """The keys, which are the lines that are indented; the others are reasons."""
    with open(os.path.join(ROOT, "tests/mutations/equivalent.txt"), encoding="utf-8") as text:
        return {line.strip() for line in text if line.startswith(" ")}


def main():
    parser = argparse.ArgumentParser(description="Would the tests notice?")
    parser.add_argument("build")
    parser.add_argument("--only", default="*", help="files of kernels/cuda, as a glob")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--list", action="store_true", help="the mutants, without trying them")
    o = parser.parse_args()
    names = [n for n in sorted(os.listdir(os.path.join(ROOT, FOLDER))) if n.endswith((".cu", ".h", ".cpp")) and n != "load.cpp"]
    mutants = [m for n in names for m in mutants_of(f"{FOLDER}/{n}")]
    for number, mutant in enumerate(mutants, 1):
        mutant.number = number
    equivalents = read_equivalents()
    tried = [m for m in mutants if m.key() not in equivalents and fnmatch.fnmatch(os.path.basename(m.path), o.only)]
    if o.list:
        print("\n".join(str(m) for m in tried))
        return 0
    programs = build(os.path.abspath(o.build), mutants)
    cases = [case for program in PROGRAMS for case in cases_of(os.path.join(programs, program))]
    caught = {kind: 0 for kind in KINDS}
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        list(pool.map(Case.measure, cases))
        cases.sort(key=lambda case: case.seconds)

        def noticed(mutant):
            return any(case.notices(mutant) for case in cases if mutant.number in case.reached)

        for mutant, verdict in zip(tried, pool.map(noticed, tried)):
            caught[mutant.kind] += verdict
            if not verdict:
                seen = any(mutant.number in case.reached for case in cases)
                print(f"survived{'' if seen else ', never run'}: {mutant}", flush=True)
    for kind in KINDS:
        print(f"{kind:9} {caught[kind]:4} of {sum(m.kind == kind for m in tried):4} caught")
    share = sum(caught.values()) / max(1, len(tried))
    print(f"{sum(caught.values())} of {len(tried)} caught: {100 * share:.1f} %; {len(mutants) - len(tried)} left out")
    stale = equivalents - {m.key() for m in mutants}
    for key in sorted(stale):
        print(f"equivalent.txt: fits no mutant: {key}")
    return 1 if share < LEAST or stale else 0


if __name__ == "__main__":
    sys.exit(main())
