"""What runs by the clock."""

import dagster as dg

from sensors.jobs import verify_index
from sensors.retention import purge_runs

index_verified_daily = dg.ScheduleDefinition(
    name="index_verified_daily",
    job=verify_index,
    cron_schedule="30 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The exhaustive form of the check, once a day.",
)

runs_purged_daily = dg.ScheduleDefinition(
    name="runs_purged_daily",
    job=purge_runs,
    cron_schedule="15 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The history of old runs goes, so that Dagster's databases do not grow for ever.",
)
