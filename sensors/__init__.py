"""Everything that starts a run: sensors, schedules and jobs."""
