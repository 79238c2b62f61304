"""A Slurm of one node: munged, slurmctld and slurmd of their own on this machine, in a folder."""
import os
import shutil
import signal
import socket
import subprocess
import time

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
CryptoType=crypto/munge
# A requeued job waits until the credential that it was started with has expired.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdSpoolDir={folder}/spool
StateSaveLocation={folder}/state
SlurmUser=root
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=0,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=low Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=0
PartitionName=high Nodes={host} MaxTime=INFINITE State=UP PriorityTier=10
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Cluster:
    """Runs within a `with`. Needs root, and the packages slurm-wlm and munge."""

    def __init__(self, folder, cpus):
        self.folder, self.daemons = folder, []
        self.environment = {**os.environ, "SLURM_CONF": self._file("slurm.conf")}
        for name in [n for n in self.environment if n.startswith("SLURM_") and n != "SLURM_CONF"]:
            del self.environment[name]  # of a job that this one runs in
        for name in ("spool", "state"):
            os.makedirs(self._file(name))
        host = socket.gethostname().split(".")[0]
        with open(self._file("slurm.conf"), "w") as f:
            f.write(CONFIGURATION.format(folder=folder, host=host, ports=free_ports(2), cpus=cpus))

    def __enter__(self):
        try:
            self._start_munge()
            self._start("slurmctld", "-D")
            self._start("slurmd", "-D")
            self.wait_for(lambda: set(self("sinfo", "--noheader", "--format=%T").split()) == {"idle"}, "an idle node", 60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if len(self.daemons) == 3:
                self("scancel", "--full", "--signal=KILL", "--user=root")
                self("scancel", "--user=root")
                self.wait_for(lambda: not self("squeue", "--noheader").strip(), "end of all jobs", 20)
        except (AssertionError, subprocess.TimeoutExpired) as e:
            print(f"the jobs could not be ended: {e}")
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for step in self._left():
            os.kill(step, signal.SIGKILL)

    def _left(self):
        """Processes that the daemons started and that are still there: a step waits for ever for a controller that is gone."""
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/environ", "rb") as f:
                    if f"SLURM_CONF={self._file('slurm.conf')}".encode() in f.read().split(b"\0"):
                        yield int(name)
            except OSError:
                pass  # it has ended

    def __call__(self, *command):
        """What a Slurm command prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def submit(self, *options, environment=None):
        """The number of a job."""
        done = subprocess.run(["sbatch", "--parsable", *options], env={**self.environment, **(environment or {})}, capture_output=True,
                              text=True, cwd=self.folder, timeout=60)
        assert done.returncode == 0, f"sbatch {' '.join(options)}: {done.stderr}"
        return done.stdout.strip()

    def jobs(self, number):
        """The fields of a job, or of each of an array."""
        lines = self("scontrol", "show", "job", "--oneliner", number).splitlines()
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines if line.strip()]

    def states(self, number):
        return [job["JobState"] for job in self.jobs(number)]

    def wait_for(self, condition, what, seconds=300):
        end = time.monotonic() + seconds
        while not condition():
            dead = [d.args[0] for d in self.daemons if d.poll() is not None]
            assert not dead, f"{dead} ended: {self.log()}"
            assert time.monotonic() < end, f"no {what} within {seconds} s; {self.log()}"
            time.sleep(0.2)

    def finish(self, number, seconds=600):
        """Waits until a job, or each of an array, has ended; it must have done so without an error."""
        self.wait_for(lambda: not {"PENDING", "RUNNING", "COMPLETING", "REQUEUED"} & set(self.states(number)), f"end of job {number}", seconds)
        assert set(self.states(number)) == {"COMPLETED"}, (self.states(number), self.log())

    def log(self):
        """The daemons' last words."""
        text = ""
        for name in ("slurmctld", "slurmd", "munged"):
            if os.path.exists(self._file(name + ".log")):
                with open(self._file(name + ".log"), errors="replace") as f:
                    text += f"\n{name}: " + "".join(f.readlines()[-8:])
        return text

    def _file(self, name):
        return os.path.join(self.folder, name)

    def _start(self, name, *arguments):
        with open(self._file(name + ".log"), "wb") as log:
            program = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
            # In a session of its own: a signal to this process's group leaves it to __exit__.
            self.daemons.append(subprocess.Popen([program, *arguments], env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                                 start_new_session=True))

    def _start_munge(self):
        with open(os.open(self._file("munge.key"), os.O_CREAT | os.O_WRONLY, 0o400), "wb") as f:
            f.write(os.urandom(128))
        files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munged.pid", "log-file": "munged.log", "seed-file": "seed"}
        self._start("munged", "--foreground", "--force", *(f"--{option}={self._file(name)}" for option, name in files.items()))
        self.wait_for(lambda: os.path.exists(self._file("munge.socket")), "munge socket", 20)
