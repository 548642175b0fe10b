"""The systems watching a video: prompts are given once, frames pass one by one."""
