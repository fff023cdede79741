import os
import signal

import psutil
import pytest

from rag_platform.supervisor import tree
from rag_platform.supervisor.state import ChildState, PlatformState, end_leftovers, write_state

STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if len(sys.argv) > 1:
    for own in (False, True):
        subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=own)
print("listening", flush=True)
time.sleep(600)
"""
FAMILY = {"name": "family", "code": STUBBORN, "arguments": [STUBBORN]}
QUIET = {"name": "quiet", "code": "print('listening', flush=True); import time; time.sleep(600)"}


def start_family(platform, wait_for, **pace):
    platform.start(QUIET, FAMILY, **pace)
    platform.wait_ready("quiet")
    platform.wait_ready("family")
    wait_for(
        lambda: platform.home.joinpath("logs/family.log").read_text().count("listening") == 3,
        "all listening",
    )
    # The supervisor, its guard, two children, two grandchildren; a fork shows twice for a moment.
    wait_for(lambda: len(platform.marked()) == 6, "six processes")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_leaves_no_process_though_some_ignore_it(platform, wait_for, number):
    start_family(platform, wait_for)
    platform.signal(number)
    assert platform.wait_exit() == 0
    assert not platform.marked()
    assert platform.said.splitlines()[-1] == "Stopped; nothing is left running."
    assert platform.child("family").state == "stopped"


def test_a_second_interrupt_hastens_the_stop(platform, wait_for):
    start_family(platform, wait_for, grace=600.0)
    platform.signal(signal.SIGINT)
    platform.wait_said("Stopping.")
    platform.signal(signal.SIGINT)
    assert platform.wait_exit() == 0
    assert not platform.marked()


def test_children_stop_in_the_reverse_order_of_their_needs(platform):
    code = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print(time.monotonic())))
print("listening", flush=True)
time.sleep(600)
"""
    platform.start(
        {"name": "first", "code": code},
        {"name": "second", "code": code, "needs": ["first"]},
        {"name": "third", "code": code, "needs": ["migrate"]},
        steps={"migrate": ["second"]},
    )
    platform.wait_said("all ready")
    platform.signal(signal.SIGTERM)
    assert platform.wait_exit() == 0
    names = ("third", "second", "first")
    logs = [platform.home / "logs" / f"{name}.log" for name in names]
    times = [float(log.read_text().split()[-1]) for log in logs]
    assert times == sorted(times)


def test_a_supervisor_that_is_killed_takes_its_processes_along(platform, wait_for):
    start_family(platform, wait_for)
    platform.signal(signal.SIGKILL)
    platform.wait_exit()
    wait_for(lambda: not platform.marked(), "all processes gone")


def test_a_start_ends_what_a_supervisor_killed_with_its_guard_left_behind(platform, wait_for):
    start_family(platform, wait_for)
    guard = next(p for p in platform.marked() if "tree.py" in " ".join(p.cmdline()))
    left = [p for p in platform.marked() if p.pid not in (guard.pid, platform.supervisor.pid)]
    os.kill(guard.pid, signal.SIGKILL)
    platform.signal(signal.SIGKILL)
    platform.wait_exit()
    family = psutil.Process(platform.child("family").pid)
    family.kill()
    wait_for(lambda: not tree.alive(family), "it ended")
    # On a busy machine a child that did not answer in time may have been ended before.
    alive = sum(tree.alive(process) for process in left)
    assert alive >= 2
    platform.start(QUIET)
    platform.wait_said("all ready")
    assert f"Ended {alive} processes that an earlier start had left behind." in platform.said
    assert not any(tree.alive(process) for process in left)


def test_leftovers_are_ended_only_if_id_and_start_time_both_agree(platform):
    stranger = psutil.Process()
    log = platform.home / "x.log"
    entry = ChildState(name="x", pid=stranger.pid, started=stranger.create_time() - 60, log=log)
    write_state(platform.home, PlatformState(children={"x": entry}))
    assert end_leftovers(platform.home, 0.1) == []
