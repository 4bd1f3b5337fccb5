"""Our engine and its peers on identical weights and recordings, in one run."""
