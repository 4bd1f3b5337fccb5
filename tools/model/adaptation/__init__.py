"""Training that teaches a checkpoint to take audio of its true length; see tools/adapt_elastic."""
