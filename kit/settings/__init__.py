"""Settings: recipes, training settings and run records, validated at the edge, all mistakes at once."""
