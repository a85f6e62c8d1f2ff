"""Bots that are killed: real processes on a playground, ended with SIGKILL and started again, and what members see."""
