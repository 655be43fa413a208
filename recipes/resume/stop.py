"""Stops limbeck at random times, resumes, and compares the results with those of uninterrupted work.

stop.py LIMBECK RECIPE WHOLE DISK STOPS SEED, as run.sh calls it: WHOLE is a complete experiment of the recipe, DISK an
empty file system of 256 MB.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

LIMBECK, RECIPE, WHOLE, DISK = (Path(argument) for argument in sys.argv[1:5])
STOPS, SEED = (int(argument) for argument in sys.argv[5:7])
EXPERIMENT = DISK / "experiment"
OUT = DISK / "out"
CHECKPOINTS = ["--checkpoint-minutes", "0.005"]

# For each kind of work: the arguments, the files of the complete experiment that it starts from, the results' folder.
WORK = {
    "run": (["run", RECIPE, EXPERIMENT, *CHECKPOINTS], ["data"], EXPERIMENT),
    "train": (
        ["train", RECIPE, EXPERIMENT, *CHECKPOINTS],
        ["data", "features", "targets", "stages/features-*", "stages/targets-*"],
        EXPERIMENT,
    ),
    "distill": (
        ["distill", RECIPE, EXPERIMENT, *CHECKPOINTS],
        ["data", "features", "targets", "stages/features-*", "stages/targets-*", "models/member-*",
         "models/baseline*", "stages/member-*", "stages/baseline*"],
        EXPERIMENT,
    ),
    "features": (["features", EXPERIMENT / "data/train", OUT, "--sample-rate", "8000"], ["data"], OUT),
    "targets": (
        ["targets", EXPERIMENT / "data/train", OUT, "--features", EXPERIMENT / "features/train", "--ark",
         EXPERIMENT / "data/senones.txt", "--map", EXPERIMENT / "data/states.txt"],
        ["data", "features"],
        OUT,
    ),
}
# The ways to stop the work, each with the exit statuses that it allows; 0 if the work had just finished.
STATUSES = {"KILL": {-signal.SIGKILL}, "TERM": {143, 0}, "INT": {130, 0}, "full disk": {74, 0}}


def clear():
    for folder in (EXPERIMENT, OUT):
        shutil.rmtree(folder, ignore_errors=True)


def begin_anew(work):
    """Restores the state that the work starts from."""
    clear()
    for pattern in WORK[work][1]:
        for path in WHOLE.glob(pattern):
            copy = EXPERIMENT / path.relative_to(WHOLE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(path, copy) if path.is_dir() else shutil.copy2(path, copy)


def results(folder):
    """The bytes of all results by path, without rates and without the folders in lists."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or name.startswith(("data/", "tensorboard/")) or name in ("scores.json", "scores.md"):
            continue
        content = path.read_bytes()
        if name.endswith(".log.jsonl"):
            content = re.sub(rb'"framesPerSecond":[0-9.e+]+,', b"", content)
        elif name.endswith(".scp"):
            content = content.replace(os.fsencode(folder), b"")
        found[name] = content
    return found


def start(work, threads):
    command = [LIMBECK, *WORK[work][0], "--jobs", str(threads)]
    # No shell: a shell would make a background program ignore SIGINT.
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def fill_disk():
    """Fills the disk up to its last block."""
    with open(DISK / "filler", "wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    filler.write(bytes(size))
            except OSError:
                pass


def stop(process, how):
    """Stops the work; returns its exit status and its messages."""
    if how == "full disk":
        fill_disk()
    else:
        process.send_signal(getattr(signal, "SIG" + how))
    said = process.communicate(timeout=300)[1]
    (DISK / "filler").unlink(missing_ok=True)
    return process.returncode, said


def main():
    random.seed(SEED)
    seconds, expected = {}, {}
    for work in WORK:
        begin_anew(work)
        began = time.monotonic()
        process = start(work, 2)
        said = process.communicate()[1]
        if process.returncode != 0:
            sys.exit(f"{work}, uninterrupted: {said}")
        seconds[work] = time.monotonic() - began
        expected[work] = results(WORK[work][2])
    counts = {(work, how): 0 for work in WORK for how in STATUSES}
    ends = {work: 0 for work in WORK}
    faults = []

    def compare(work, after):
        ends[work] += 1
        found = results(WORK[work][2])
        for name in sorted(found.keys() | expected[work].keys()):
            if found.get(name) != expected[work].get(name):
                faults.append(f"{work}, after {after}: {name} differs")

    done = 0
    kinds = list(counts)
    while done < STOPS:
        work, how = kinds[done % len(kinds)]
        begin_anew(work)
        # Half of the runs are stopped twice before they run to the end.
        stopped = []
        while len(stopped) < 1 + done // len(kinds) % 2:
            process = start(work, 1 + (done + len(stopped)) % 2)
            time.sleep(random.uniform(0.01, 0.9 * seconds[work] / (1 + len(stopped))))
            if process.poll() is not None:
                process.communicate()
                begin_anew(work)
                continue
            status, said = stop(process, how)
            if status == -getattr(signal, "SIG" + how, 0) and how != "KILL" and not said:
                # It had not started to work.
                continue
            stopped.append(how)
            if status not in STATUSES[how]:
                faults.append(f"{work}, {how}: ended with {status}: {said}")
            if how in ("TERM", "INT") and status != 0 and "rerun the same command to resume" not in said:
                faults.append(f"{work}, {how}: did not say how to resume: {said}")
        done += len(stopped)
        counts[work, how] += len(stopped)
        process = start(work, 1 + done % 2)
        said = process.communicate()[1]
        if process.returncode != 0:
            faults.append(f"{work}, after {how}: ended with {process.returncode}: {said}")
        compare(work, how)
        print(f"stop.py: {done} of {STOPS}", file=sys.stderr)
    clear()
    print("| work | seconds | " + " | ".join(STATUSES) + " | ends compared |")
    print("| --- | --: |" + " --: |" * len(STATUSES) + " --: |")
    for work in WORK:
        cells = [str(counts[work, how]) for how in STATUSES]
        print(f"| {work} | {seconds[work]:.1f} | {' | '.join(cells)} | {ends[work]} |")
    print(f"\n{done} stops, {sum(ends.values())} ends compared, {len(faults)} faults.")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
