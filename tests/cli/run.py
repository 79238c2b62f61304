#!/usr/bin/python3
"""The built program from outside: messages, exit codes, files, JSON. What the unit tests cannot see.

usage: run.py BINARY [WORD...]      only the cases with one of the words in their names (or in their file's)
       run.py --list
A case is a function of a module beside this file whose name begins with `case_`; it gets a Place. Prints a line a case and a
closing count, and exits 1 when a case failed.
"""
import concurrent.futures
import glob
import importlib
import os
import shutil
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import place  # noqa: E402
import program  # noqa: E402


def all_cases():
    for path in sorted(glob.glob(os.path.join(HERE, "*_cases.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        room = module.__name__[: -len("_cases")]
        for name, function in vars(module).items():
            if name.startswith("case_"):
                yield f"{room}/{name[5:]}", function


def run_case(function, here, shared):
    """The verdict, and the reason when it is not "ok"."""
    os.makedirs(here)
    try:
        function(place.Place(here, shared))
        return "ok", ""
    except program.Skip as skip:
        return "skip", str(skip)
    except Exception as e:  # a case may fail in any way; the others still run
        where = [f for f in traceback.extract_tb(e.__traceback__) if f.filename.endswith("_cases.py")]
        line = f"{os.path.basename(where[-1].filename)}:{where[-1].lineno}: " if where else ""
        return "FAIL", f"{line}{type(e).__name__}: {e}"
    finally:
        shutil.rmtree(here, ignore_errors=True)


def timed(function, *arguments):
    start = time.monotonic()
    return *run_case(function, *arguments), time.monotonic() - start


def run_all(chosen, binary, folder):
    """Runs the cases, as many at once as there are cores; prints a line for each in their order. How many failed."""
    shared = place.Shared(binary, os.path.join(folder, "shared"))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        running = [pool.submit(timed, f, os.path.join(folder, str(i)), shared) for i, (_, f) in enumerate(chosen)]
        for (name, _), result in zip(chosen, running):
            verdict, reason, seconds = result.result()
            print(f"{verdict:4} {name} ({seconds:.1f} s)" + (f"\n  {reason}" if verdict == "FAIL" else ""), flush=True)
            if verdict == "skip":
                print(f"skipped: cli {name}: {reason}")
            failed += verdict == "FAIL"
    return failed


def main(arguments):
    cases = list(all_cases())
    if arguments == ["--list"]:
        print("\n".join(name for name, _ in cases))
        return 0
    if not arguments or arguments[0].startswith("-"):
        sys.exit(__doc__)
    binary, words = os.path.abspath(arguments[0]), arguments[1:]
    chosen = [(n, f) for n, f in cases if not words or any(w in n for w in words)]
    folder = tempfile.mkdtemp(prefix="xferrun-cli-")
    try:
        failed = run_all(chosen, binary, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
