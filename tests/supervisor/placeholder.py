"""A code location that is quick to load."""

import dagster as dg


@dg.sensor(
    job_name="nothing",
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def ticking():
    return dg.SkipReason("nothing changed")


@dg.job
def nothing():
    pass


defs = dg.Definitions(jobs=[nothing], sensors=[ticking])
