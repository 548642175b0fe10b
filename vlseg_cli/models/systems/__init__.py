"""Each system's entry in the registry: how its folders are recognised, loaded and built."""
