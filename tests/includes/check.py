#!/usr/bin/python3
"""Who may include whom: reads the `#include` lines of the repository and names every one that breaks the rule.

usage: check.py [ROOT]      (default: the repository that holds this file)

An entry of MAY lists what a room includes besides itself; a name that ends in `/` is a folder, any other a single file.
A room that is missing here is an error, so a new room states its place. Exits 1 when a line breaks the rule.
"""
import os
import re
import sys
import tempfile

CORE, IO, GRAPH = ["engine/core/"], ["engine/io/"], ["engine/graph/"]
AUTOGRAD, BACKEND = CORE + GRAPH, CORE + GRAPH + ["engine/dist/comm.h"]
PLAN = AUTOGRAD + ["engine/autograd/", "engine/run/backend.h", "engine/dist/comm.h"]
RUN = PLAN + ["engine/plan/"]
TRAIN = RUN + ["engine/run/", "engine/data/", "engine/dist/"] + IO
EVERYTHING = ["engine/", "kernels/", "models/", "weights/", "tools/", "benchmarks/", "tests/"]

MAY = {
    "engine/core/": [],
    "engine/io/": CORE,
    "engine/graph/": CORE,
    "engine/autograd/": AUTOGRAD,
    "engine/run/backend.h": BACKEND,
    "engine/plan/": PLAN,
    "engine/run/": RUN,
    "engine/train/": TRAIN,
    "engine/data/": CORE + IO,
    "engine/signal/": CORE + IO,
    "engine/analyze/": CORE + IO,
    "engine/dist/": CORE,
    "models/": CORE + GRAPH + ["engine/data/preprocess.h"],
    "weights/": CORE + IO + GRAPH + ["models/dialect.h", "models/registry.h", "engine/train/state.h"],
    "kernels/": CORE + IO + GRAPH + ["engine/run/backend.h", "engine/dist/", "engine/analyze/tsne_backend.h"],
    "tools/": EVERYTHING,
    "benchmarks/": EVERYTHING,
    "tests/": EVERYTHING,
}

# A heavy library stays in the folders that own it: (header, folders, whether their own headers may include it).
OWNED = [
    (r"(hdf5|hdf5_hl|H5\w*)\.h", ["engine/io/"], False),
    (r"dnnl\w*\.(hpp|h)|oneapi/dnnl/.*", ["kernels/cpu/"], True),
    (r"(cuda|cudnn|cublas|nccl|nvml|nvtx)\w*(/.*)?\.(h|hpp)|cooperative_groups(/.*)?\.h", ["kernels/cuda/", "kernels/simt/", "benchmarks/peers/cudnn/", "tests/standin/"], True),
    (r"mpi\.h", ["kernels/mpi/"], True),
]

HEADERS, SOURCES = (".h", ".hpp", ".cuh"), (".cpp", ".cc", ".cu", ".def")
SKIP = {".git", ".ci"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def room_of(path):
    """The longest entry of MAY that holds `path`, or none."""
    fits = [r for r in MAY if path == r or (r.endswith("/") and path.startswith(r))]
    return max(fits, key=len, default=None)


def allowed(path, target):
    room = room_of(path)
    if room.endswith("/") and target.startswith(room):
        return True
    return any(target == m or (m.endswith("/") and target.startswith(m)) for m in MAY[room])


def check_include(path, bracket, target, files):
    """What is wrong with one line of `path`, or none. `files`: every source path of the repository."""
    for pattern, owners, in_headers in OWNED:
        if re.fullmatch(pattern, target):
            owner = any(path.startswith(o) for o in owners)
            if path.endswith(HEADERS) and not (owner and in_headers):
                return f"{target} belongs in no header outside {' and '.join(owners)}" if in_headers else f"{target} belongs in no header"
            if not owner and path.startswith(("engine/", "models/", "weights/", "kernels/")):
                return f"{target} belongs to {' and '.join(owners)}"
            return None
    if bracket == "<":
        return f'{target} is ours: write "{target}"' if target in files else None
    if target not in files:
        return f'"{target}" is no file of the repository (paths start at its root; libraries take <>)'
    if not allowed(path, target):
        return f"{room_of(path)} may not include {target}"
    return None


def sources(root):
    for folder, names, files in os.walk(root):
        at_root = os.path.relpath(folder, root) == "."
        names[:] = sorted(n for n in names if n not in SKIP and not (at_root and n.startswith("build")))
        for f in sorted(files):
            if f.endswith(HEADERS + SOURCES):
                yield os.path.relpath(os.path.join(folder, f), root)


def check(root):
    """All violations below `root`, as `file:line: what`."""
    files = set(sources(root))
    found = []
    for path in sorted(files):
        if room_of(path) is None:
            found.append(f"{path}:1: no room of tests/includes/check.py holds this file")
            continue
        with open(os.path.join(root, path), encoding="utf-8") as text:
            for number, line in enumerate(text, 1):
                match = INCLUDE.match(line)
                wrong = match and check_include(path, match[1], match[2], files)
                if wrong:
                    found.append(f"{path}:{number}: {wrong}")
    return found


BREAKS = [  # (file, its include line, what the message must name)
    ("engine/core/a.h", '#include "engine/io/hdf5.h"', "engine/core/ may not include engine/io/hdf5.h"),
    ("engine/graph/a.h", '#include "engine/io/hdf5.h"', "engine/graph/ may not"),
    ("engine/run/backend.h", '#include "engine/plan/plan.h"', "engine/run/backend.h may not"),
    ("engine/plan/a.cpp", '#include "engine/run/executor.h"', "engine/plan/ may not"),
    ("engine/run/a.cpp", '#include "engine/train/state.h"', "engine/run/ may not"),
    ("engine/train/a.cpp", '#include "models/registry.h"', "engine/train/ may not"),
    ("engine/data/a.cpp", '#include "engine/graph/graph.h"', "engine/data/ may not"),
    ("models/a.cpp", '#include "engine/run/executor.h"', "models/ may not"),
    ("weights/a.cpp", '#include "engine/run/executor.h"', "weights/ may not"),
    ("kernels/cpu/a.cpp", '#include "engine/run/executor.h"', "kernels/ may not"),
    ("engine/io/a.h", "#include <hdf5.h>", "hdf5.h belongs in no header"),
    ("weights/a.cpp", "#include <hdf5.h>", "hdf5.h belongs to engine/io/"),
    ("tests/a.h", "  #  include <dnnl.hpp>", "dnnl.hpp belongs in no header"),
    ("engine/plan/a.cpp", "#include <dnnl.hpp>", "dnnl.hpp belongs to kernels/cpu/"),
    ("engine/core/a.h", "#include <cuda_runtime.h>", "cuda_runtime.h belongs in no header"),
    ("models/a.cpp", '#include "graph.h"', "no file of the repository"),
    ("models/a.cpp", '#include "../engine/graph/graph.h"', "no file of the repository"),
    ("models/a.cpp", "#include <engine/graph/graph.h>", 'write "engine/graph/graph.h"'),
    ("engine/newroom/a.h", "#include <vector>", "no room"),
]
KEEPS = [
    ("engine/io/a.cpp", "#include <hdf5.h>"),
    ("engine/io/a.cpp", '#include "engine/io/hdf5.h"'),
    ("engine/plan/a.cpp", '#include "engine/run/backend.h"'),
    ("engine/train/a.cpp", '#include "engine/graph/graph.h"'),
    ("kernels/cpu/a.h", "#include <dnnl.hpp>"),
    ("kernels/cpu/a.cpp", '#include "engine/run/backend.h"'),
    ("weights/a.cpp", '#include "engine/train/state.h"'),
    ("tests/io/a.cpp", '#include "models/registry.h"'),
    ("tests/io/a.cpp", "#include <hdf5.h>"),
    ("benchmarks/a.cpp", "#include <dnnl.hpp>"),
    ("models/a.cpp", '// #include "engine/run/executor.h"'),
]
TARGETS = ["engine/io/hdf5.h", "engine/graph/graph.h", "engine/plan/plan.h", "engine/run/executor.h",
           "engine/run/backend.h", "engine/train/state.h", "models/registry.h"]


def self_test():
    """Runs the rule over a tree of one offending (or clean) file at a time."""
    for case in BREAKS + [(f, line, None) for f, line in KEEPS]:
        with tempfile.TemporaryDirectory() as root:
            for path, text in [(t, "") for t in TARGETS] + [case[:2]]:
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as f:
                    f.write(text + "\n")
            found = check(root)
        good = not found if case[2] is None else len(found) == 1 and case[2] in found[0]
        assert good, f"self-test: {case} gave {found}"


if __name__ == "__main__":
    self_test()
    repository = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    violations = check(repository)
    print("\n".join(violations) if violations else f"{len(list(sources(repository)))} files keep the include rule")
    sys.exit(bool(violations))
