"""Training: parts of the data, the Trainer, checkpoints, and the record of a run."""
