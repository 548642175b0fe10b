"""Batch jobs: inputs are predicted and written in parallel, and a journal makes a run resumable.

``run`` opens a job (``open_job``), takes units (``work_units``, ``work_queue``) through the
``pipeline`` (``inference`` or ``tracking``, then ``writer``) and ends with ``finish``.
"""

from vlseg_cli.jobs.export import export_job
from vlseg_cli.jobs.job import Job, JobSettings, existing_job
from vlseg_cli.jobs.merge import merge_jobs
from vlseg_cli.jobs.open_job import Status, job_status
from vlseg_cli.jobs.run import JobProgress, Summary, run_job
from vlseg_cli.jobs.work_units import Shard, parse_shard, shard_of_launcher

__all__ = [
    "Job",
    "JobProgress",
    "JobSettings",
    "Shard",
    "Status",
    "Summary",
    "existing_job",
    "export_job",
    "job_status",
    "merge_jobs",
    "parse_shard",
    "run_job",
    "shard_of_launcher",
]
