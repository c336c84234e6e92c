"""Where processes to be killed come from: one fork server that has everything loaded."""

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.buyer", "tests.faults.talker", "tests.faults.waker", "tests.faults.still"])
