"""Our engine and its peers on identical weights, in one run."""
