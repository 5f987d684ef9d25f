"""What the commands that detect share: reading texts, asking detectors, telling what was found."""
