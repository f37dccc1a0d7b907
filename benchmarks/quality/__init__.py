"""What `search_quality.py` is made of: problems, searchers (ours and peers), cells of one with the other, scores, tables."""
