"""What is declared before the data: criteria and limits, the comparisons shipped, and the hash over both."""
