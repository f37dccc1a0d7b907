"""Problems of several objectives, who searches them, and how much of the Pareto front they find."""
