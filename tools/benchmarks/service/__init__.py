"""What tools/benchmark service measures, one module for each, and the services that it starts for that."""
