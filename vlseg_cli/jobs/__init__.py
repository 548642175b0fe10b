"""A run over inputs: sources to batches to model to sinks, and the journal it resumes from."""

from vlseg_cli.jobs.export import export_job
from vlseg_cli.jobs.job import Job, JobSettings
from vlseg_cli.jobs.merge import merge_jobs
from vlseg_cli.jobs.run import JobProgress, Summary, run_job
from vlseg_cli.jobs.shard import Shard, parse_shard, shard_of_launcher
from vlseg_cli.jobs.status import Status, job_of, job_status

__all__ = [
    "Job",
    "JobProgress",
    "JobSettings",
    "Shard",
    "Status",
    "Summary",
    "export_job",
    "job_of",
    "job_status",
    "merge_jobs",
    "parse_shard",
    "run_job",
    "shard_of_launcher",
]
