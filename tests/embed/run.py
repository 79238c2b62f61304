#!/usr/bin/python3
"""xferrun inside of other programs: installs a build into a folder, builds tools/embed/examples and the C API's test there, and
compares what they answer with `xferrun predict`.

usage: run.py BUILD      a build folder of the whole project
Prints a line a case and a closing count, and exits 1 when a case failed.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
EXAMPLES = os.path.join(ROOT, "tools", "embed", "examples")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))

import pictures  # noqa: E402

STRICT_C = ["gcc", "-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror"]


def run(*words, env=None, code=0):
    """Runs a program; returns its stdout."""
    done = subprocess.run([str(w) for w in words], env={**os.environ, **(env or {})}, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=300)
    shown = " ".join(str(w) for w in words)
    assert done.returncode == code, f"{shown}\n  exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout


class Installed:
    """An installation of the build, and a run of its program."""

    def __init__(self, build, folder):
        self.folder, self.prefix = folder, os.path.join(folder, "prefix")
        run("cmake", "--install", build, "--prefix", self.prefix)
        self.library_folder, = {os.path.dirname(p) for p in
                                glob.glob(os.path.join(self.prefix, "lib*", "**", "libxferrun.so"), recursive=True)}
        self.program = os.path.join(self.prefix, "bin", "xferrun")
        self.environment = {"LD_LIBRARY_PATH": self.library_folder, "OMP_WAIT_POLICY": "passive",
                            "PKG_CONFIG_PATH": os.path.join(self.library_folder, "pkgconfig")}
        self.data = pictures.folder(os.path.join(folder, "data"))
        self.run_folder = os.path.join(folder, "run")
        run(self.program, "fine-tune", "--model", "resnet18_narrow", "--from-scratch", "--preprocess", "unit", "--data",
            self.data, "--out", self.run_folder, "--device", "cpu", "--threads", 1, "--epochs", 1, "--batch", 8)
        self.images = os.path.join(folder, "images")  # all in one folder
        os.makedirs(self.images)
        for i, image in enumerate(sorted(glob.glob(os.path.join(self.data, "*", "*.png")))[::5]):
            shutil.copy(image, os.path.join(self.images, f"{i:02}.png"))
        self.predicted = self._predicted()

    def _predicted(self):
        """What the program itself says, a line an image as the examples print it."""
        lines = run(self.program, "predict", self.run_folder, *sorted(glob.glob(f"{self.images}/*")), "--device", "cpu",
                    "--threads", 1, "--batch", 1).splitlines()
        answers = [json.loads(line) for line in lines]
        return [f"{a['path']}\t{a['label']}\t{a['probability']:.9g}" for a in answers]

    def pkg_config(self):
        return run("pkg-config", "--cflags", "--libs", "xferrun", env=self.environment).split()

    def same_as_predicted(self, text):
        lines = sorted(text.splitlines())
        assert len(lines) > 3 and lines == self.predicted, f"{lines}\n  and predict says\n{self.predicted}"


def case_examples_find_the_package(at):
    out = os.path.join(at.folder, "examples")
    run("cmake", "-S", EXAMPLES, "-B", out, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={at.prefix}", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", out)
    at.same_as_predicted(run(os.path.join(out, "classify-folder"), at.run_folder, at.images))
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    for ranks in (1, 3):
        at.same_as_predicted(run("mpirun", "--oversubscribe", "-n", ranks, os.path.join(out, "classify-with-mpi"), at.run_folder,
                                 at.images, env={**at.environment, **root}))


def case_another_version_is_refused(at):
    """By find_package(), which asks for one."""
    source = os.path.join(at.folder, "wants-0.2")
    os.makedirs(source)
    with open(os.path.join(source, "CMakeLists.txt"), "w") as f:
        f.write("cmake_minimum_required(VERSION 3.18)\nproject(p C)\nfind_package(xferrun 0.2 REQUIRED)\n")
    done = subprocess.run(["cmake", "-S", source, "-B", source + "/b", f"-DCMAKE_PREFIX_PATH={at.prefix}"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and "0.1.0" in done.stderr, done.stderr


def case_c_with_pkg_config(at):
    program = os.path.join(at.folder, "classify")
    run(*STRICT_C, os.path.join(EXAMPLES, "classify_folder.c"), "-o", program, *at.pkg_config(), env=at.environment)
    at.same_as_predicted(run(program, at.run_folder, at.images, env=at.environment))
    done = subprocess.run([program, "/nowhere", at.images], env={**os.environ, **at.environment}, capture_output=True, text=True)
    assert done.returncode == 66 and "/nowhere: does not exist" in done.stderr, done


def case_python(at):
    at.same_as_predicted(run(os.path.join(EXAMPLES, "classify.py"), at.run_folder, *sorted(glob.glob(f"{at.images}/*")),
                             env=at.environment))


def case_c_api(at):
    program = os.path.join(at.folder, "api-test")
    run(*STRICT_C, os.path.join(HERE, "api_test.c"), "-o", program, "-pthread", *at.pkg_config(), "-lm", env=at.environment)
    assert "1 passed" in run(program, env=at.environment)


def case_headers(at):
    """The C header alone is C99 and C++; every header of the C++ API has all that it includes."""
    include = os.path.join(at.prefix, "include")
    alone = os.path.join(at.folder, "alone.c")
    with open(alone, "w") as f:
        f.write("#include <xferrun.h>\nint main(void) { return xf_version() == NULL; }\n")
    run(*STRICT_C, "-fsyntax-only", "-I", include, alone)
    run("g++", "-x", "c++", "-std=c++11", "-Wall", "-Werror", "-fsyntax-only", "-I", include, alone)
    inner = os.path.join(include, "xferrun")
    headers = sorted(os.path.relpath(p, inner) for p in glob.glob(f"{inner}/**/*.h", recursive=True))
    assert "engine/graph/graph.h" in headers and len(headers) > 40, headers
    every = os.path.join(at.folder, "every.cpp")
    with open(every, "w") as f:
        f.writelines(f'#include "{header}"\n' for header in headers)
    run("g++", "-std=c++20", "-fopenmp", "-Wall", "-fsyntax-only", "-I", inner, every)


def case_shared_library_shows_the_c_api_alone(at):
    library = os.path.join(at.library_folder, "libxferrun.so")
    shown = {line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()}
    with open(os.path.join(at.prefix, "include", "xferrun.h")) as f:
        declared = set(re.findall(r"\b(xf_\w+)\(", re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)))
    assert shown == declared, shown ^ declared
    assert "libxferrun.so.0" in run("readelf", "-d", library)


def case_modules_are_found(at):
    """In lib/xferrun, from the program and from the shared library. The module here is none, and is named in the refusal; so
    that one is looked for at all, there is a driver, which is none either."""
    modules = os.path.join(at.library_folder, "xferrun")
    os.makedirs(modules, exist_ok=True)
    empty, module = os.path.join(at.folder, "empty.c"), os.path.join(modules, "libxferrun_cuda.so")
    driver = os.path.join(at.folder, "driver")
    os.makedirs(driver)
    open(empty, "w").close()
    for library in (module, os.path.join(driver, "libcuda.so.1")):
        run("gcc", "-shared", "-o", library, empty)
    env = {**os.environ, **at.environment, "LD_LIBRARY_PATH": f"{at.library_folder}:{driver}"}
    image = sorted(glob.glob(f"{at.images}/*"))[0]
    ask = ("import ctypes, sys; xf = ctypes.CDLL('libxferrun.so.0'); error = ctypes.create_string_buffer(4096); "
           "o = (ctypes.c_void_p * 4)(32, ctypes.cast(ctypes.c_char_p(b'cuda'), ctypes.c_void_p).value); "
           "code = xf.xf_load(sys.argv[1].encode(), o, ctypes.byref(ctypes.c_void_p()), error); "
           "print(error.value.decode(), file=sys.stderr); sys.exit(code)")
    for words in ([at.program, "predict", at.run_folder, image, "--device", "cuda"], [sys.executable, "-c", ask, at.run_folder]):
        done = subprocess.run(words, env=env, capture_output=True, text=True)
        assert done.returncode == 69 and f"{module}: belongs to another build" in done.stderr, done
    os.remove(module)


def case_manual_and_completion(at):
    """A page and a completion for every command; both are well-formed."""
    pages = sorted(glob.glob(os.path.join(at.prefix, "share", "man", "man1", "*.1")))
    names = {os.path.basename(p)[:-2] for p in pages}
    listed = re.findall(r"^  ([a-z-]+) ", run(at.program, "--help").split("Subcommands:")[1].split("Example:")[0],
                        flags=re.M)
    assert names >= {"xferrun", "xferrun-weights-fetch"} | {f"xferrun-{name}" for name in listed} and len(listed) > 10, names
    for page in pages:
        done = subprocess.run(["groff", "-k", "-man", "-ww", "-Tutf8", "-z", page], capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr
    with open(os.path.join(at.prefix, "share", "man", "man1", "xferrun-fine-tune.1")) as f:
        page = f.read().replace("\\-", "-")
    options = re.findall(r"(?<=[ ,])--[a-z-]+", run(at.program, "fine-tune", "--help").split("Options:")[1])
    assert len(options) > 30 and not [o for o in options if o not in page], options
    script = os.path.join(at.prefix, "share", "bash-completion", "completions", "xferrun")

    def completed(*words):
        ask = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _xferrun; printf "%s\\n" "${COMPREPLY[@]}"'
        return run("bash", "-c", ask, script, *words).split()

    assert completed("xferrun", "fi") == ["fine-tune"]
    assert completed("xferrun", "weights", "ve") == ["verify"]
    assert completed("xferrun", "fine-tune", "--epochs", "3", "--warm") == ["--warmup"]
    assert completed("xferrun", "fine-tune", "--data", "") == []
    zsh, fish = (os.path.join(at.prefix, "share", path) for path in
                 ("zsh/site-functions/_xferrun", "fish/vendor_completions.d/xferrun.fish"))
    run("zsh", "-n", zsh)
    for line, completion in (("xferrun fi", "fine-tune"), ("xferrun fine-tune --warm", "--warmup")):
        assert run("fish", "-c", f"source {fish}; complete -C '{line}'").split()[0] == completion, line


def main(build):
    folder = tempfile.mkdtemp(prefix="xferrun-embed-")
    failed = 0
    try:
        at = Installed(os.path.abspath(build), folder)
        cases = [(name[5:], function) for name, function in globals().items() if name.startswith("case_")]
        for name, function in cases:
            start = time.monotonic()
            try:
                function(at)
                verdict = "ok  "
            except Exception:  # a case may fail in any way; the others still run
                verdict = "FAIL"
                failed += 1
                traceback.print_exc(file=sys.stdout)
            print(f"{verdict} {name} ({time.monotonic() - start:.1f} s)", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
