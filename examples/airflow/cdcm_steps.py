"""What the DAG runs: cdcm's commands, judged by exit code and JSON. Standard library only, so that it can be tried without Airflow.

Every step may be repeated: a task that is killed is simply run again. The cutover itself needs no retry of its own: before the point of no
return a failure lifts the fence, behind it any running service goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import time

DONE, INTERNAL, USAGE, NEGATIVE, UNREACHABLE, TIMED_OUT, NOT_ALLOWED = 0, 1, 2, 3, 4, 5, 6

#: Exit codes that may pass by themselves: ask again.
PASSING = {NEGATIVE, UNREACHABLE, TIMED_OUT}


class CommandFailed(Exception):
    """A command that did not end with 0, with what it printed for people."""

    def __init__(self, arguments: list[str], code: int, error: str):
        super().__init__(f"cdcm {' '.join(arguments)} ended with {code}: {error.strip()[-2000:]}")
        self.code = code


def cdcm(*arguments: str, timeout: float = 3600) -> dict:
    """Runs one command and returns its JSON. Raises CommandFailed with the exit code otherwise."""
    command = [os.environ.get("CDCM", "cdcm"), *arguments, "-o", "json"]
    if "CDCM_SERVER" not in os.environ and "-f" not in arguments:
        raise RuntimeError("CDCM_SERVER must be the address of the service")
    run = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if run.returncode != DONE:
        raise CommandFailed(list(arguments), run.returncode, run.stderr or run.stdout)
    return json.loads(run.stdout) if run.stdout.strip() else {}


def preflight(file: str) -> None:
    """Fails on the first error found; nothing was begun yet."""
    cdcm("preflight", "-f", file)


def prepare() -> None:
    """Fences (lifted) and the way back. Applications notice nothing. May be repeated."""
    cdcm("cutover", "prepare")


def compare() -> None:
    """Compares every table while both sides are written; only 0 means that every row was equal."""
    cdcm("verify", "start", "--wait", "--timeout", "12h", timeout=13 * 3600)


def gate_is_open(back: bool = False) -> bool:
    """For a sensor: true once every criterion passes. A service that is away or a closed gate may pass; anything else is for a person."""
    try:
        return bool(cdcm("cutover", "check", *(["--back"] if back else []))["open"])
    except CommandFailed as failed:
        if failed.code in PASSING:
            return False
        raise


def rehearse() -> float:
    """Everything up to the point of no return, undone on purpose. Returns the write outage in milliseconds."""
    return cdcm("rehearse", "--yes")["writeOutageMs"]


def target_has_taken_over() -> bool:
    """Which side takes writes, by its own row: the only thing to go by after anything that was interrupted."""
    status = cdcm("cutover", "status")
    return (status.get("target") or {}).get("state") == "Open"


def switch(patience: float = 300) -> bool:
    """Makes the target take over. True only if it has; false where the attempt was refused or undone, and applications write where they wrote."""
    if target_has_taken_over():
        return True
    try:
        cdcm("cutover", "start", "--yes")
        return True
    except CommandFailed as failed:
        if failed.code not in PASSING:
            raise

    # Whoever lost the connection looks, and does not guess: it is undone or done, by whichever process lives.
    until = time.monotonic() + patience
    while True:
        try:
            status = cdcm("cutover", "status")
            states = {(status.get(side) or {}).get("state") for side in ("source", "target")}
            if states == {"Open", "Sealed"}:
                return status["target"]["state"] == "Open"
        except CommandFailed as failed:
            if failed.code not in PASSING:
                raise
        if time.monotonic() > until:
            raise TimeoutError("no side has taken over: 'cdcm diagnose -f FILE' says what waits for whom")
        time.sleep(1)


def watch(file: str) -> list[str]:
    """While there is a way back: what 'cdcm diagnose' finds, as codes. Empty while all is well."""
    try:
        entries = cdcm("diagnose", "-f", file)["entries"]
        return [entry["code"] for entry in entries if entry["severity"] != "info"]
    except CommandFailed as failed:
        if failed.code == NEGATIVE:
            return [str(failed)]
        raise


def roll_back() -> None:
    """Back to the source, with everything written to the target since."""
    cdcm("rollback", "--yes")


def complete() -> None:
    """Ends the migration; may be repeated until it ends with 0."""
    cdcm("cutover", "complete", "--yes")
