"""Airflow (2.7 or newer): a migration from preflight to its end, with two people's decisions in between.

The service (`cdcm run -f FILE`) runs on its own, under whatever keeps processes running: this DAG only asks. Variables: CDCM_SERVER in the
workers' environment, `cdcm_file` the path of the migration file. The cutover and the end wait for a person: set the task instances
`approve_cutover` and `approve_end` to success, or replace them by your own approval.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.decorators import dag, task
from airflow.exceptions import AirflowFailException
from airflow.models import Variable

import cdcm_steps as steps


def file() -> str:
    return Variable.get("cdcm_file", default_var="/etc/cdcm/migration.yaml")


@dag(schedule=None, start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1, default_args={"retries": 3, "retry_delay": timedelta(minutes=1)})
def cdcm_migration():
    @task
    def preflight():
        steps.preflight(file())

    @task
    def prepare():
        steps.prepare()

    @task
    def compare():
        steps.compare()

    @task.sensor(poke_interval=30, timeout=timedelta(days=7).total_seconds(), mode="reschedule")
    def gate():
        return steps.gate_is_open()

    @task
    def rehearse():
        return steps.rehearse()

    @task.sensor(poke_interval=60, timeout=timedelta(days=30).total_seconds(), mode="reschedule")
    def approve_cutover():
        return False

    # No retries: an attempt that was undone is for a person to look at.
    @task(retries=0)
    def cutover():
        if not steps.switch():
            raise AirflowFailException("the attempt was refused or undone: 'cdcm cutover status' says why; applications write where they wrote")

    @task.sensor(poke_interval=300, timeout=timedelta(days=14).total_seconds(), mode="reschedule", soft_fail=False)
    def approve_end():
        if found := steps.watch(file()):
            raise AirflowFailException(f"the way back needs a person: {', '.join(found)}")
        return False

    @task(retries=20)
    def complete():
        steps.complete()

    preflight() >> prepare() >> compare() >> gate() >> rehearse() >> approve_cutover() >> cutover() >> approve_end() >> complete()


cdcm_migration()
