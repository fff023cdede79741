"""Starts children and steps in the order of their needs, keeps the children alive, stops all."""

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from rag_platform.errors import StartError
from rag_platform.supervisor import tree
from rag_platform.supervisor.child import Child, Pace
from rag_platform.supervisor.display import Display
from rag_platform.supervisor.logs import bound, last_line, log_path
from rag_platform.supervisor.process import Process
from rag_platform.supervisor.state import ChildState, PlatformState, State, write_state
from rag_platform.supervisor.step import FAILED, Step

DEFAULT_PACE = Pace()
_HOUSEKEEPING_SECONDS = 2.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs once. The caller holds the home's lock."""

    def __init__(
        self,
        home: Path,
        children: Sequence[Child],
        steps: Sequence[Step],
        *,
        display: Display,
        pace: Pace = DEFAULT_PACE,
        on_ready: Callable[[], None],
    ) -> None:
        self._home = home
        self._children = {child.name: child for child in children}
        self._steps = steps
        self._display = display
        self._pace = pace
        self._on_ready = on_ready
        self._state = PlatformState(
            children={
                child.name: ChildState(
                    name=child.name, address=child.address, log=log_path(home, child.name)
                )
                for child in children
            }
        )
        self._needs = {item.name: item.needs for item in (*children, *steps)}
        self._ready = {item.name: asyncio.Event() for item in (*children, *steps)}
        self._processes: dict[str, Process] = {}
        self._hasten = asyncio.Event()
        self._unwritable = False

    async def run(self) -> None:
        """Until a signal asks to stop. Raises :class:`StartError` if something cannot start."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()

        def stop() -> None:
            if over.done():
                self._hasten.set()
            else:
                over.set_result(None)

        async def shielded(work: Coroutine[None, None, None]) -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - raised again by whoever awaits `over`
                if not over.done():
                    over.set_exception(error)

        tree.adopt_orphans()
        self._guard = tree.start_guard(self._state.token)
        loop.add_signal_handler(signal.SIGCHLD, self._poll)
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, stop)
        self._write()
        self._display.begin(self._ready)
        work = [self._keep(child) for child in self._children.values()]
        work += [self._perform(step) for step in self._steps]
        work += [self._announce(), self._housekeep()]
        tasks = [asyncio.create_task(shielded(item)) for item in work]
        try:
            await over
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._display.settle()
            await self._stop()
            loop.remove_signal_handler(signal.SIGCHLD)
            # Its pipe is closed only now, so that it would end what we failed to.
            self._guard.communicate()

    async def _announce(self) -> None:
        await self._need(tuple(self._ready))
        self._display.settle()
        self._on_ready()

    async def _need(self, names: Sequence[str]) -> None:
        for name in names:
            await self._ready[name].wait()

    async def _perform(self, step: Step) -> None:
        await self._need(step.needs)
        self._display.show(step.name, "running")
        log = log_path(self._home, f"step-{step.name}")
        environment = {**step.environment, **tree.mark(self._state.token, step.name)}
        process = self._processes[step.name] = Process(step.command, Path.cwd(), environment, log)
        await process.exited.wait()
        del self._processes[step.name]
        if process.code:
            self._display.show(step.name, "failing")
            if process.code == FAILED:
                raise StartError(last_line(log))
            raise StartError(
                f"The step {step.name} {process.epitaph()}.", f"Its whole log is {log}."
            )
        self._display.show(step.name, "done")
        self._ready[step.name].set()

    async def _keep(self, child: Child) -> None:
        await self._need(child.needs)
        pace, log = self._pace, self._state.children[child.name].log
        delay, attempts = pace.backoff, 0
        while True:
            begin = time.monotonic()
            reason = await self._live(child)
            attempts += 1
            if not self._ready[child.name].is_set() and attempts >= pace.attempts:
                self._change(child.name, "failing", last_death=reason)
                raise StartError(
                    f"{child.name} did not start in {attempts} attempts: it {reason}.",
                    f"Its whole log is {log}.",
                )
            if time.monotonic() - begin > pace.settled:
                delay = pace.backoff
            self._change(child.name, "restarting", last_death=reason, restarts=attempts)
            self._display.say(f"{child.name} {reason}; it starts again in {delay:g} s. Log: {log}")
            await asyncio.sleep(delay)
            delay = min(2 * delay, pace.longest_backoff)

    async def _live(self, child: Child) -> str:
        """Start it, watch it and say how it ended."""
        environment = {**child.environment, **tree.mark(self._state.token, child.name)}
        log = self._state.children[child.name].log
        try:
            process = Process(child.command, child.cwd, environment, log)
        except OSError as error:
            return f"could not be started ({error.strerror or error})"
        self._processes[child.name] = process
        self._change(child.name, "starting", pid=process.pid, started=process.started)
        reason = await self._watch(child, process)
        await self._bury(child.name, process)
        return reason

    async def _watch(self, child: Child, process: Process) -> str:
        pace = self._pace
        deadline = process.since + pace.ready
        while not await child.ready() or process.exited.is_set():
            if await process.wait(pace.poll):
                return process.epitaph()
            if time.monotonic() > deadline:
                line = last_line(process.log)
                return f"was not ready after {pace.ready:g} s (last line: {line})"
        self._change(child.name, "ready")
        self._ready[child.name].set()
        failures = 0
        storage = _inode(child.storage)
        while not await process.wait(pace.watch):
            if child.storage and _inode(child.storage) != storage:
                return f"lost its storage: {child.storage} was deleted or replaced"
            if child.watched:
                failures = 0 if await child.ready() else failures + 1
            if failures >= pace.failures:
                return f"did not answer {failures} times in a row"
        return process.epitaph()

    async def _bury(self, name: str, process: Process) -> None:
        """End what is left of a child that died or hangs, so that it can start again."""
        process.signal(signal.SIGKILL)
        await process.exited.wait()
        tree.kill(tree.marked(self._state.token, name))
        del self._processes[name]

    async def _stop(self) -> None:
        """End all, those first that others don't need; SIGKILL for what takes too long."""
        self._display.say("Stopping.")
        running = dict(self._processes)
        while running:
            needed = {need for name in running for need in self._all_needs(name)}
            wave = [name for name in running if name not in needed]
            await asyncio.gather(*(self._end(name, running.pop(name)) for name in wave))
        # Also what left its group or ignored the signal.
        await asyncio.to_thread(tree.end, self._state.token, min(1.0, self._pace.grace))
        left = tree.marked(self._state.token)
        self._display.say(f"Still running: {left}" if left else "Stopped; nothing is left running.")

    def _all_needs(self, name: str) -> set[str]:
        """What it needs, what that needs, and so on."""
        direct = self._needs[name]
        return {*direct, *(further for need in direct for further in self._all_needs(need))}

    async def _end(self, name: str, process: Process) -> None:
        grace = self._pace.grace
        if name in self._children:
            grace = min(grace, self._children[name].grace)
            self._change(name, "stopping")
        process.signal(signal.SIGTERM)
        hasten = asyncio.create_task(self._hasten.wait())
        exited = asyncio.create_task(process.exited.wait())
        await asyncio.wait((hasten, exited), timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        process.signal(signal.SIGKILL)
        await exited
        hasten.cancel()
        if name in self._children:
            self._change(name, "stopped", pid=0)

    def _poll(self) -> None:
        for process in self._processes.values():
            process.poll()
        if self._guard.poll() is not None:
            self._guard.communicate()
            self._guard = tree.start_guard(self._state.token)
        tree.reap_orphans({self._guard.pid, *(p.pid for p in self._processes.values())})

    async def _housekeep(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING_SECONDS)
            self._poll()
            for child in self._state.children.values():
                bound(child.log, self._pace.log_bytes)

    def _change(self, name: str, state: State, **values: object) -> None:
        child = self._state.children[name]
        self._state.children[name] = child.model_copy(update={"state": state, **values})
        self._display.show(name, state)
        self._write()

    def _write(self) -> None:
        try:
            write_state(self._home, self._state)
            self._unwritable = False
        except OSError as error:
            # The children's lives don't hang on a state file.
            if not self._unwritable:
                self._display.say(f"The supervisor's state cannot be written: {error}.")
            self._unwritable = True


def _inode(file: Path | None) -> int | None:
    try:
        return file.stat().st_ino if file else None
    except OSError:
        return None
