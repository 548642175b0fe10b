"""The procedural world that trains and tests the embedded default: scenes, sentences, clips."""
