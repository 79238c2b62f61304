#!/usr/bin/python3
"""Would the tests notice? Changes the CUDA backend's sources one small step at a time, rebuilds what the change touches, and runs
standin-tests: a mutant that no test notices has survived.

usage: run.py BUILD_FOLDER [--only GLOB] [--jobs N] [--list]

BUILD_FOLDER holds a built standin-tests. No file of the repository is changed: mutants live in a temporary folder that the
compiler looks into first. What is changed, everywhere in kernels/cuda:

  barrier     a __syncthreads or __syncwarp is removed
  event       a wait for an event, or its recording, is removed: an order between streams, or between a stream and the host
  bound       a comparison moves by one: < to <=, <= to <, > to >=, >= to >
  stride      a row stride or a step through memory is one too long
  unscale     the loss scale is taken for 1
  operands    two neighbouring operands are taken for each other

equivalent.txt lists the mutants that do the same as the original, each with the reason; they do not count. Exits 1 when fewer
than 95 % of the others are caught, or when a line of equivalent.txt fits no mutant.
"""
import argparse
import concurrent.futures
import fnmatch
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = "kernels/cuda"
LEAST = 0.95
SECONDS = 600  # a mutant that runs longer has been noticed: it hangs

# Which test cases can notice a change in a file, by the beginning of its name; any other file: all of them.
CASES = [
    ("bn_act", "*batch normalisation*"),
    ("pool", "*pooling*"),
    ("global_avg_pool", "*pooling*"),
    ("softmax", "*cross-entropy*"),
    ("optimize", "*optimizers*"),
    ("transfers", "transfers*"),
    ("event", "transfers*"),
    ("recording", "recordings*"),
    ("memory_pool", "machines*,memory*"),
    ("devices", "machines*"),
]
ALL = "kernels*,orders*,whole plan*,transfers*,recordings*,machines*,memory*"


class Mutant:
    def __init__(self, path, number, kind, before, after):
        self.path, self.number, self.kind, self.before, self.after = path, number, kind, before, after

    def key(self):
        return f"{self.path} | {self.kind} | {self.before.strip()} | {self.after.strip()}"

    def __str__(self):
        return f"{self.path}:{self.number}: {self.kind}: {self.before.strip()}  ->  {self.after.strip() or '(removed)'}"


def code_of(line):
    """The line without its comment."""
    return line.split("//")[0]


def replaced(line, match, text):
    return line[: match.start()] + text + line[match.end():]


def barriers(line):
    for m in re.finditer(r"__sync(threads|warp)\([^()]*\);", code_of(line)):
        yield "barrier", replaced(line, m, ";")


def events(line):
    if re.match(r"\s*\w+(\[\w+\])?\.(record|hold_up|wait)\(.*\);", code_of(line)):
        yield "event", re.sub(r"\S.*", "", line, count=1)


def bounds(line):
    code = code_of(line)
    if "template" in code or "static_assert" in code or "#" in code:
        return
    other = {" < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > "}
    for m in re.finditer(r" (<|<=|>|>=) ", code):
        yield "bound", replaced(line, m, other[m.group()])


def strides(line):
    code = code_of(line)
    if re.search(r"\*\s*(\w+(\.|->))?\w*stride\b", code) or re.search(r"\bstep\b", code) and "+=" in code:
        for m in re.finditer(r"(?<=\* )(\w+(\.|->))?\w*stride\b|(?<=\+= )step\b", code):
            yield "stride", replaced(line, m, f"({m.group()} + 1)")


def unscales(line):
    for m in re.finditer(r"\b(\w+(\.|->))*loss_scale\b", code_of(line)):
        yield "unscale", replaced(line, m, "1.0F")


def operands(line):
    """Neighbours in a call that are operands by number or name."""
    code = code_of(line)
    for m in re.finditer(r"(input\(\w+\)|output\(\w+\)|operands\[\w+\])(\.\w+(<[^<>]*>)?(\(\))?)?, "
                         r"(input\(\w+\)|output\(\w+\)|operands\[\w+\])(\.\w+(<[^<>]*>)?(\(\))?)?", code):
        first, second = m.group().split(", ", 1)
        yield "operands", replaced(line, m, f"{second}, {first}")


def mutants_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as text:
        lines = text.readlines()
    for number, line in enumerate(lines, 1):
        for change in (barriers, events, bounds, strides, unscales, operands):
            for kind, after in change(line):
                yield Mutant(path, number, kind, line, after)


class Build:
    """The commands that make standin-tests, as ninja knows them."""

    def __init__(self, folder):
        self.folder = folder
        lines = subprocess.run(["ninja", "-C", folder, "-t", "commands", "standin-tests"], check=True, text=True,
                               capture_output=True).stdout.splitlines()
        self.compile = {}  # source, from the root: (command, object)
        for line in lines:
            words = shlex.split(line)
            if "-c" not in words or "-o" not in words:
                continue
            source = os.path.relpath(os.path.join(folder, words[words.index("-c") + 1]), ROOT)
            self.compile[source] = (words, words[words.index("-o") + 1])
        link = next(line for line in reversed(lines) if "-o bin/standin-tests" in line)
        self.link = shlex.split(link.split("&&")[1])
        self.includes = {}

    def users_of(self, path):
        """Sources that are compiled again when `path` changes."""
        if path in self.compile:
            return [path]
        return [s for s in self.compile if s.startswith(FOLDER) and path in self.headers_of(s)]

    def headers_of(self, source):
        if source not in self.includes:
            words, _ = self.compile[source]
            listed = subprocess.run([w for w in self.plain(words) if w not in ("-c",)] + ["-MM", "-w"], check=True, text=True,
                                    capture_output=True, cwd=self.folder).stdout
            found = {os.path.relpath(os.path.join(self.folder, w), ROOT) for w in listed.replace("\\\n", " ").split()[1:]}
            self.includes[source] = found
        return self.includes[source]

    @staticmethod
    def plain(words):
        """A compile command without its outputs, launcher and dependency files."""
        kept, skip = [], 0
        for word in words:
            if skip:
                skip -= 1
            elif word in ("-MT", "-MF", "-o"):
                skip = 1
            elif word not in ("-MD", "ccache"):
                kept.append(word)
        return kept


def cases_for(path):
    name = os.path.basename(path).removeprefix("lower_")
    return next((cases for start, cases in CASES if name.startswith(start)), ALL)


def try_mutant(build, mutant):
    """What became of it: "caught", "survived", or "does not compile"."""
    with tempfile.TemporaryDirectory() as work:
        target = os.path.join(work, mutant.path)
        os.makedirs(os.path.dirname(target))
        with open(os.path.join(ROOT, mutant.path), encoding="utf-8") as text:
            lines = text.readlines()
        lines[mutant.number - 1] = mutant.after if mutant.after.endswith("\n") else mutant.after + "\n"
        with open(target, "w", encoding="utf-8") as text:
            text.writelines(lines)
        link = list(build.link)
        for i, source in enumerate(build.users_of(mutant.path)):
            words, made = build.compile[source]
            words = build.plain(words)
            if source == mutant.path:
                words[words.index("-c") + 1] = target
            made_now = os.path.join(work, f"{i}.o")
            # An index beyond a thread's own array traps, where it would otherwise read or write a neighbour unnoticed.
            flags = ["-O1", "-fsanitize=bounds", "-fsanitize-undefined-trap-on-error"]
            done = subprocess.run([words[0], "-I" + work, "-w"] + words[1:] + ["-o", made_now] + flags, cwd=build.folder,
                                  capture_output=True, check=False)
            if done.returncode != 0:
                return "does not compile"
            link = [made_now if w == made else w for w in link]
        program = os.path.join(work, "tests")
        link[link.index("-o") + 1] = program
        subprocess.run(link, cwd=build.folder, check=True, capture_output=True)
        try:
            # Within its memory: a bound that is gone may ask for all there is.
            done = subprocess.run(["prlimit", "--as=34359738368", program, "-tc=" + cases_for(mutant.path), "--abort-after=1"],
                                  capture_output=True, timeout=SECONDS, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
        except subprocess.TimeoutExpired:
            return "caught"
        return "survived" if done.returncode == 0 else "caught"


def read_equivalents():
    reasons = {}
    with open(os.path.join(ROOT, "tests/mutations/equivalent.txt"), encoding="utf-8") as text:
        for line in text:
            if line.strip() and not line.startswith("#"):
                key, _, reason = line.strip().rpartition(" | ")
                reasons[key] = reason
    return reasons


def main():
    parser = argparse.ArgumentParser(description="Would the tests notice?")
    parser.add_argument("build")
    parser.add_argument("--only", default="*", help="files of kernels/cuda, as a glob")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--list", action="store_true", help="the mutants, without trying them")
    o = parser.parse_args()
    names = [n for n in sorted(os.listdir(os.path.join(ROOT, FOLDER))) if n.endswith((".cu", ".h", ".cpp"))]
    all_mutants = [m for n in names if fnmatch.fnmatch(n, o.only) for m in mutants_of(f"{FOLDER}/{n}")]
    equivalents = read_equivalents()
    tried = [m for m in all_mutants if m.key() not in equivalents]
    if o.list:
        print("\n".join(str(m) for m in tried))
        return 0
    build = Build(os.path.abspath(o.build))
    tried = [m for m in tried if build.users_of(m.path)]
    counts = {}
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for mutant, verdict in zip(tried, pool.map(lambda m: try_mutant(build, m), tried)):
            kind = counts.setdefault(mutant.kind, {"caught": 0, "survived": 0, "does not compile": 0})
            kind[verdict] += 1
            if verdict == "survived":
                print(f"survived: {mutant}", flush=True)
    caught = sum(c["caught"] for c in counts.values())
    survived = sum(c["survived"] for c in counts.values())
    for kind, c in sorted(counts.items()):
        print(f"{kind:9} {c['caught']:4} of {c['caught'] + c['survived']:4} caught")
    share = caught / max(1, caught + survived)
    print(f"{caught} of {caught + survived} caught: {100 * share:.1f} %; {len(all_mutants) - len(tried)} left out")
    keys = {m.key() for m in all_mutants}
    stale = [k for k in equivalents if k not in keys] if o.only == "*" else []
    for key in stale:
        print(f"equivalent.txt: fits no mutant: {key}")
    return 1 if share < LEAST or stale else 0


if __name__ == "__main__":
    sys.exit(main())
