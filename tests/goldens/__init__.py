"""What must stay the same while names, rooms and vocabulary change: keys, verdicts' numbers, error rates."""
