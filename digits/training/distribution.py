"""Several devices, and several machines, that train one model together.

Every device takes its share of each batch, and all keep the same weights: Keras's `DataParallel`,
which needs the JAX backend. The devices of one machine are used without any option. Where several
processes train, on one machine or on many, Keras's variables tell each of them so:

    KERAS_BACKEND=jax
    KERAS_DISTRIBUTION_JOB_ADDRESSES=10.0.0.1:1234    of the first process, and a free port there
    KERAS_DISTRIBUTION_NUM_PROCESSES=2
    KERAS_DISTRIBUTION_PROCESS_ID=0                   the first; 1 in the other
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from digits.command_line import UserError, first_line, note, note_if_slow
from digits.model import quiet_keras as keras
from digits.streams import drop_stdout

ADDRESSES, PROCESSES, PROCESS = (
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)
WAIT = 300  # seconds until all processes must be there
SILENCE = 30  # seconds after which one that says nothing is lost; JAX's own 100 are long
EXCHANGE = ("Gloo", "NCCL")  # whose errors mean that another process does not answer
LOST = "another process of this training is lost; --resume goes on, with any number of them"


@dataclass
class Team:
    """The processes and devices that train together; one of each, unless `join` finds more."""

    process: int = 0  # this one
    processes: int = 1
    address: str = ""  # of the first
    devices: int = 1  # of all processes

    @property
    def first(self) -> bool:
        """Whether this is the process that prints, saves and draws."""
        return self.process == 0

    def join(self, batch_size: int) -> None:
        """Meet the other processes, and use every device that batches can be dealt out to.

        Call it before anything is computed. Raises UserError where that cannot be.
        """
        if keras.backend.backend() != "jax":
            if self.processes > 1:
                raise UserError(f"{PROCESSES} needs the JAX backend; set KERAS_BACKEND=jax")
            return
        if self.processes > 1:
            self._meet()
        devices = keras.distribution.list_devices()
        here = len(devices) // self.processes
        share, rest = divmod(batch_size, self.processes)
        if rest:
            raise UserError(
                f"batches of {batch_size} cannot be dealt out to {self.processes} processes; "
                f"try --batch-size {self.processes * (share + 1)}"
            )
        used = max(n for n in range(1, here + 1) if share % n == 0)
        if used < here and self.first:
            print(f"batches of {batch_size} use {used} of {here} devices", file=sys.stderr)
        self.devices = used * self.processes
        if self.devices > 1:
            mesh = [device for i, device in enumerate(devices) if i % here < used]
            together = keras.distribution.DataParallel(devices=mesh, auto_shard_dataset=False)
            keras.distribution.set_distribution(together)

    def _meet(self) -> None:
        import jax  # Keras's own way to meet sets no time after which a process is lost

        try:
            with note_if_slow(f"waiting for {self.processes} processes at {self.address}"):
                jax.distributed.initialize(
                    *(self.address, self.processes, self.process),
                    initialization_timeout=WAIT,
                    heartbeat_timeout_seconds=SILENCE,
                )
        except RuntimeError as error:
            raise UserError(
                f"the {self.processes} processes did not meet at {self.address}: "
                + first_line(error)
            ) from None

    def share_of(self, items: Sequence) -> Sequence:
        """Return this process's part; what cannot be dealt out evenly is left out."""
        size = len(items) // self.devices * self.devices // self.processes
        return items[self.process * size :][:size]

    def share_of_each(self, batches: Iterable[tuple]) -> Iterable[tuple]:
        """Return the stream of `batches` with this process's part of each."""
        if self.processes == 1:
            return batches
        return (tuple(map(self.share_of, batch)) for batch in batches)

    def alone(self, model: keras.Model) -> keras.Model:
        """Return the trained model on one device, which this process can use without the others."""
        if self.devices == 1:
            return model
        weights = model.get_weights()
        keras.distribution.set_distribution(None)
        copy = type(model).from_config(model.get_config())
        copy.set_weights(weights)
        return copy


def current() -> Team:
    """Return who trains together now, as Keras knows it."""
    together = keras.distribution.distribution()
    if together is None:
        return Team()
    import jax

    return Team(jax.process_index(), jax.process_count(), devices=together.device_mesh.devices.size)


def team() -> Team:
    """Return who is to train, as the environment says. Raises UserError if it says half of it."""
    names = (PROCESS, PROCESSES, ADDRESSES)
    given = {name: os.environ[name] for name in names if os.environ.get(name)}
    if not given:
        return Team()
    for name in names:
        if name not in given:
            raise UserError(f"{next(iter(given))} is set, but {name} is not")
    process, processes, addresses = (given[name] for name in names)
    if not (processes.isdecimal() and process.isdecimal() and int(process) < int(processes)):
        raise UserError(f"{PROCESS} is {process}, and must be from 0 to {PROCESSES} - 1")
    if processes != "1" and not hasattr(os, "fork"):
        raise UserError(f"{PROCESSES}: JAX connects no processes on Windows; use WSL2, or unset it")
    address = addresses.split(",")[0]
    if not address.rpartition(":")[2].isdecimal():
        raise UserError(f"{ADDRESSES} is {address}, and must be like 10.0.0.1:1234")
    return Team(int(process), int(processes), address)


def watched(main: Callable[[], int]) -> int:
    """Return the exit code of `main`; one of several processes runs it in a child.

    Where the first process is lost, JAX ends the others with abort(); and one that stops early
    would wait for the others, which wait for it. So the child ends at once, and what it cannot
    say any more, its parent does.
    """
    if os.environ.get(PROCESSES, "1") == "1" or not hasattr(os, "fork"):
        return main()
    sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        threading.Thread(target=_end_with_the_parent, args=(reading,), daemon=True).start()
        sys.stdout = open(os.dup(1), "w", encoding=sys.stdout.encoding)  # noqa: SIM115
        drop_stdout()  # Gloo, which connects the processes, says so there
        code = _answered(main)
        if code:
            os._exit(code)
        return code
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child answers Ctrl-C
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == -signal.SIGABRT:
        return _say_lost()
    return code if code >= 0 else 128 - code


def _answered(main: Callable[[], int]) -> int:
    try:
        return main()
    except Exception as error:
        if any(name in str(error) for name in EXCHANGE):
            return _say_lost()
        traceback.print_exc()
        return 1


def _say_lost() -> int:
    note(LOST)
    return 2


def _end_with_the_parent(pipe: int) -> None:
    os.read(pipe, 1)  # ends when the parent does, however that came
    os._exit(1)
