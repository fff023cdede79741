import os
import signal

import psutil

QUIET = {"name": "quiet", "code": "print('listening', flush=True); import time; time.sleep(600)"}
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def server(port, **more):
    return {"name": "server", "code": SERVER, "arguments": [str(port)], "port": port} | more


def test_a_child_that_is_killed_starts_again_and_the_reason_is_shown(platform):
    platform.start(QUIET)
    first = platform.wait_ready("quiet")
    os.kill(first.pid, signal.SIGKILL)
    again = platform.wait_ready("quiet", restarts=1)
    assert again.pid != first.pid
    assert again.last_death == "was ended by SIGKILL (last line: listening)"
    death = "quiet was ended by SIGKILL (last line: listening); it starts again in 0.05 s."
    assert f"{death} Log: {first.log}" in platform.said


def test_the_end_of_a_child_counts_as_a_death_though_its_exit_code_is_0(platform):
    code = "import time; print('listening', flush=True); time.sleep(0.5); print('goodbye')"
    platform.start({"name": "brief", "code": code})
    platform.wait_ready("brief", restarts=1)
    assert "brief exited with code 0 (last line: goodbye)" in platform.said


def test_a_child_that_hangs_is_replaced(platform, free_port):
    platform.start(server(free_port), failures=2)
    first = platform.wait_ready("server")
    os.kill(first.pid, signal.SIGSTOP)
    again = platform.wait_ready("server", restarts=1)
    assert again.last_death == "did not answer 2 times in a row"
    assert not psutil.pid_exists(first.pid)


def test_what_a_dead_child_had_started_is_ended_before_it_starts_again(platform):
    code = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("listening", flush=True)
time.sleep(600)
"""
    platform.start({"name": "parent", "code": code})
    first = platform.wait_ready("parent")
    (grandchild,) = psutil.Process(first.pid).children()
    os.kill(first.pid, signal.SIGKILL)
    platform.wait_ready("parent", restarts=1)
    assert not grandchild.is_running()


def test_a_child_that_never_starts_ends_the_platform_with_one_sentence(platform):
    platform.start(QUIET, {"name": "broken", "code": "raise ValueError('no such model')"})
    assert platform.wait_exit() == 1
    log = platform.home / "logs" / "broken.log"
    assert platform.said.splitlines()[-1] == (
        "broken did not start in 3 attempts: it exited with code 1 (last line: ValueError: no such"
        f" model). Its whole log is {log}."
    )
    assert not platform.marked()


def test_a_child_that_never_gets_ready_ends_the_platform_with_its_last_line(platform):
    platform.start(
        {"name": "slow", "code": "print('loading', flush=True); import time; time.sleep(600)"},
        ready=0.5,
        attempts=1,
    )
    assert platform.wait_exit() == 1
    assert "it was not ready after 0.5 s (last line: loading)." in platform.said.splitlines()[-1]


def test_a_child_starts_only_when_what_it_needs_is_ready(platform, free_port):
    code = f"""
import urllib.request
urllib.request.urlopen("http://127.0.0.1:{free_port}/").close()
print("listening", flush=True)
import time; time.sleep(600)
"""
    platform.start(
        {"name": "client", "code": code, "needs": ["server", "migrate"]},
        server(free_port),
        steps={"migrate": []},
    )
    platform.wait_said("all ready")
    assert platform.child("client").restarts == 0
    assert (platform.home / "logs" / "step-migrate.log").read_text() == "migrated\n"


def test_a_step_that_fails_ends_the_platform_with_its_sentence(platform):
    platform.start(QUIET, steps={"refuse": []})
    assert platform.wait_exit() == 1
    assert platform.said.splitlines()[-1] == "The ledger is from the future. Update the platform."


def test_the_log_of_a_child_that_never_stops_talking_stays_small(platform, wait_for):
    code = """
print("listening", flush=True)
import itertools, time
for number in itertools.count():
    print(number, "x" * 1000, flush=True)
    time.sleep(0.001)
"""
    platform.start({"name": "talker", "code": code}, log_bytes=100_000)
    log = platform.wait_ready("talker").log
    older = log.with_name("talker.log.1")
    wait_for(older.exists, "the log moved aside")
    assert older.stat().st_size <= 100_000
    first = older.stat().st_mtime_ns
    wait_for(lambda: older.stat().st_mtime_ns != first, "the log moved aside again")
    assert older.stat().st_size <= 100_000
    assert platform.child("talker").restarts == 0
