"""Cars: one module for each way to one."""
