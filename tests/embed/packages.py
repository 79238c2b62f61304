#!/usr/bin/python3
"""The packages: makes them of a build, reads what they say and hold, unpacks them and works with what is there.

usage: packages.py BUILD      a build folder of the whole project
Prints a line and a closing count, and exits 1 when something is wrong. Nothing is installed.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from run import EXAMPLES, STRICT_C, run  # noqa: E402

MODULES = {"xferrun-cuda": "libxferrun_cuda.so", "xferrun-mpi": "libxferrun_mpi.so"}


def fields(deb):
    """Package, Depends … of a package."""
    return dict(re.findall(r"^([\w-]+): (.*)$", run("dpkg-deb", "--field", deb), flags=re.M))


def files(deb):
    return {line.split()[5].lstrip(".") for line in run("dpkg-deb", "--contents", deb).splitlines()}


def check_contents(packages):
    program, development = packages["xferrun"], packages["libxferrun-dev"]
    for library in ("libc6", "libdnnl2", "libstdc++6"):
        assert re.search(rf"\b{re.escape(library)}\b", fields(program)["Depends"]), fields(program)
    assert {"/usr/bin/xferrun", "/usr/lib/libxferrun.so.0", "/usr/share/man/man1/xferrun-fine-tune.1",
            "/usr/share/bash-completion/completions/xferrun"} <= files(program), files(program)
    assert not [f for f in files(program) if f.endswith((".h", ".a", *MODULES.values()))]
    assert fields(development)["Depends"] == "xferrun (= 0.1.0)", fields(development)
    assert {"/usr/include/xferrun.h", "/usr/include/xferrun/engine/graph/graph.h", "/usr/lib/libxferrun.a", "/usr/lib/libxferrun.so",
            "/usr/lib/cmake/xferrun/xferrunConfig.cmake", "/usr/lib/pkgconfig/xferrun.pc"} <= files(development)
    for name in MODULES.keys() & packages.keys():
        module = [f for f in files(packages[name]) if not f.endswith("/")]
        assert module == [f"/usr/lib/xferrun/{MODULES[name]}"], module
    if "xferrun-mpi" in packages:
        assert "libopenmpi3" in fields(packages["xferrun-mpi"])["Depends"], fields(packages["xferrun-mpi"])
    if "xferrun-cuda" in packages:
        assert "libcudnn9" in fields(packages["xferrun-cuda"])["Recommends"]
    for one in packages:
        for other in packages:
            shared = [f for f in files(packages[one]) & files(packages[other]) if not f.endswith("/")]
            assert one == other or not shared, f"both {one} and {other} have {shared}"


def check_use(packages, folder):
    """Unpacked elsewhere, the program runs and a C program is built against what is there."""
    root = os.path.join(folder, "root")
    for deb in packages.values():
        run("dpkg-deb", "--extract", deb, root)
    trained = os.path.join(folder, "demo")
    run(f"{root}/usr/bin/xferrun", "demo", "--out", trained, "--device", "cpu")
    env = {"PKG_CONFIG_PATH": f"{root}/usr/lib/pkgconfig", "LD_LIBRARY_PATH": f"{root}/usr/lib"}
    flags = run("pkg-config", "--cflags", "--libs", "xferrun", env=env).split()
    program = os.path.join(folder, "classify")
    run(*STRICT_C, os.path.join(EXAMPLES, "classify_folder.c"), "-o", program, *flags)
    run(program, f"{trained}/fine-tuned", folder, env=env)  # no image is there: loading is what matters


def check_archive(archive, folder):
    run("tar", "-xzf", archive, "-C", folder)
    program, = glob.glob(os.path.join(folder, "xferrun-0.1.0-*", "bin", "xferrun"))
    assert run(program, "--version").startswith("xferrun 0.1.0")


def main(build):
    folder = tempfile.mkdtemp(prefix="xferrun-packages-")
    try:
        run("cpack", "--config", os.path.join(build, "CPackConfig.cmake"), "-B", folder)
        packages = {fields(deb)["Package"]: deb for deb in glob.glob(os.path.join(folder, "*.deb"))}
        modules = {name for name, module in MODULES.items() if os.path.exists(os.path.join(build, "lib", module))}
        assert packages.keys() == {"xferrun", "libxferrun-dev"} | modules, packages
        check_contents(packages)
        check_use(packages, folder)
        archive, = glob.glob(os.path.join(folder, "*.tar.gz"))
        check_archive(archive, folder)
    except (AssertionError, subprocess.SubprocessError) as e:
        print(f"FAIL {e}\n0 passed, 1 failed")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("1 passed, 0 failed: " + ", ".join(sorted(packages)))
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
