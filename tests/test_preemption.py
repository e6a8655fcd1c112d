"""SIGTERM as a notice: asked for, it is there; not listened to, it ends the process in time."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from evonas.preemption import AGAIN, Preempted, never, noticing


@pytest.fixture
def default_handler():
    """Not that of whoever runs the tests."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("default_handler")
def test_a_notice_is_told_and_does_not_end_the_process_while_somebody_listens():
    def listen():
        with noticing() as notice:
            assert not notice()
            os.kill(os.getpid(), signal.SIGTERM)
            assert notice()
            assert notice(), "it is told once only"

    with pytest.raises(Preempted):  # since nobody has taken it
        listen()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    with noticing() as notice:
        assert not notice(), "the notice is that of an earlier time"


@pytest.mark.usefixtures("default_handler")
def test_who_listens_within_one_that_listens_hears_the_same():
    def listen():
        with noticing() as outer:
            with noticing() as inner:
                os.kill(os.getpid(), signal.SIGTERM)
                assert inner()
            assert outer()
            with noticing() as later:
                assert later()

    with pytest.raises(Preempted):
        listen()


def test_a_handler_of_the_programs_own_is_left_alone():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("mine"))
    try:
        with noticing() as notice:
            os.kill(os.getpid(), signal.SIGTERM)
            assert heard == ["mine"]
            assert notice is never
    finally:
        signal.signal(signal.SIGTERM, before)


def test_outside_of_the_main_thread_nothing_is_noticed():
    found = []

    def listen():
        with noticing() as notice:
            found.append(notice)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert found == [never]


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100)


def test_a_process_that_does_not_listen_in_time_is_ended_with_a_sentence():
    done = run(
        "import os, signal, time\n"
        "from evonas import preemption\n"
        "preemption.GRACE = 0.2\n"
        "with preemption.noticing():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(90)\n"
    )
    assert done.returncode == AGAIN
    assert done.stderr.startswith("evonas: told to end, and")
    assert done.stderr.endswith("the same command goes on\n")


def test_a_process_that_ended_in_time_is_let_go():
    done = run(
        "import os, signal, time\n"
        "from evonas import preemption\n"
        "preemption.GRACE = 0.2\n"
        "try:\n"
        "    with preemption.noticing() as notice:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        assert notice()\n"
        "except preemption.Preempted:\n"
        "    time.sleep(0.5)\n"
        "    print('went on')\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "went on\n", "")


def test_forked_processes_end_by_sigterm_and_do_not_tell_their_parent():
    done = run(
        "import multiprocessing, os, time\n"
        "from evonas import preemption\n"
        "preemption.GRACE = 0.2\n"
        "with preemption.noticing() as notice:\n"
        "    child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(90,))\n"
        "    child.start()\n"
        "    time.sleep(0.2)\n"
        "    child.terminate()\n"
        "    child.join()\n"
        "    time.sleep(0.5)\n"
        "    print(child.exitcode, notice())\n"
    )
    assert (done.returncode, done.stdout) == (0, "-15 False\n"), done.stderr


def test_a_program_that_does_not_catch_it_ends_with_the_documented_code():
    assert run("import evonas; raise evonas.Preempted").returncode == AGAIN == 75
    assert "the same command goes on" in str(Preempted())
