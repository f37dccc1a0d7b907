"""What `fidelity.py` is made of: tables of learning curves, a clock, searchers (ours and Optuna's), scores."""
