"""Training on Kaggle's GPUs: a kernel that carries the kit, its state, and the run it brings back."""
