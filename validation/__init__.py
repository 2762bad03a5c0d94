"""How often do the verdicts err? Made-up models through the real path from answers to verdict, with known truths."""
